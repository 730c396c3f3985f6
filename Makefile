# Everything is made in build/ (or build-FLAVOUR/). `make help` lists the targets.

MAKEFLAGS   += --no-builtin-rules --no-print-directory
PREFIX      ?= /usr/local
BUILD       ?= build
JOBS        ?= $(shell nproc)
PERIOD      ?=
CC           = gcc
CFLAGS      ?= -O2 -g
WARNINGS     = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
               -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wno-missing-field-initializers
HARDENING    = -fstack-protector-strong -fstack-clash-protection $(CONTROL_FLOW) -D_FORTIFY_SOURCE=2 -fPIE -pie \
               -Wl,-z,relro,-z,now,-z,noexecstack
CONTROL_FLOW = $(if $(filter x86_64 amd64,$(shell uname -m)),-fcf-protection=full)
SANITIZE     = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

PACKAGES     = libcurl yaml-0.1 jansson libpq libcrypto libxxhash
PKG_CPPFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lcsv -lunistring
PREPROCESS   = -D_GNU_SOURCE -I. -I$(BUILD)/generated $(PKG_CPPFLAGS) $(CPPFLAGS)
COMPILE      = $(CC) $(PREPROCESS) $(WARNINGS) $(filter-out -pie -Wl%,$(HARDENING)) $(CFLAGS)
LINK         = $(CC) $(CFLAGS) $(HARDENING) $(LDFLAGS) -Wl,--as-needed -o $@ $(filter %.o,$^) $(filter %.a,$^)

STAGES       = extract transform load
SQL          = $(filter-out sql/summary.sql sql/dictionary.sql,$(sort $(wildcard sql/*.sql sql/*/*.sql)))
COMMON_OBJ   = $(call objects,common) $(BUILD)/generated/sql_embedded.o
FUZZERS      = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
UNIT         = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/test_*.c))
GENERATOR    = $(BUILD)/tests/bench/generate
DESCRIPTIONS = $(wildcard extract/sources/*.yaml)
objects      = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c)) \
               $(if $(filter extract,$(1)),$(BUILD)/generated/descriptions.o)

# make V=1 shows whole commands.
Q            = $(if $(V),,@)
say          = @$(if $(V),:,echo "$(1) $@")

all: $(STAGES:%=$(BUILD)/bin/%) ## Build extract, transform and load into build/bin

# An archive: a stage takes what it uses of it, and starts without the libraries of what it does not use.
$(BUILD)/common.a: $(COMMON_OBJ)
	$(call say,AR)
	$(Q)rm -f $@ && ar rcs $@ $^

define stage_rules
$(BUILD)/bin/$(1): $(call objects,$(1)) $(BUILD)/common.a
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(LINK) $$(PKG_LIBS)
endef
define unit_rules
$(BUILD)/tests/unit/$(1)/%: $(BUILD)/tests/unit/$(1)/%.o $(filter-out %/main.o,$(call objects,$(1))) $(COMMON_OBJ)
	$$(call say,LINK)
	$$(Q)$$(LINK) $$(PKG_LIBS) -lcmocka
endef
$(foreach s,$(STAGES),$(eval $(call stage_rules,$(s))))
$(foreach d,common $(STAGES),$(eval $(call unit_rules,$(d))))
.SECONDARY: $(UNIT:%=%.o)
units: $(UNIT)

# Harnesses are linked against everything of common/ and extract/, by the compiler that knows how to guide them.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/fuzz_%.o $(filter-out %/main.o,$(call objects,extract)) $(COMMON_OBJ) \
                       $(patsubst %,$(BUILD)/tests/fuzz/%.o,fuzz world)
	$(call say,LINK)
	$(Q)$(LINK) -fsanitize=fuzzer $(PKG_LIBS)
.SECONDARY: $(FUZZERS:$(BUILD)/tests/fuzz/%=$(BUILD)/tests/fuzz/fuzz_%.o) $(patsubst %,$(BUILD)/tests/fuzz/%.o,fuzz world)
fuzzers: $(FUZZERS)

ENGINE      ?= libfuzzer
FUZZ_SECONDS ?= 60
FUZZ_CC      = $(if $(filter afl,$(ENGINE)),afl-clang-fast,clang)
FUZZ_BUILD   = $(BUILD)-fuzz$(if $(filter afl,$(ENGINE)),-afl)
FUZZ_CFLAGS  = $(SANITIZE) $(if $(filter afl,$(ENGINE)),,-fsanitize=fuzzer-no-link)
fuzz-build:
	@$(MAKE) -j$(JOBS) BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) CFLAGS="$(FUZZ_CFLAGS)" HARDENING= LDFLAGS= fuzzers

# SQL files become C strings; the folder's date tells when one was added or taken away.
SQL_EMBEDDED = $(BUILD)/generated/sql_embedded
$(SQL_EMBEDDED).h $(SQL_EMBEDDED).c: $(SQL_EMBEDDED).%: sql/embed.awk $(SQL) $(sort $(dir $(SQL)))
	@mkdir -p $(@D)
	$(call say,EMBED)
	$(Q)LC_ALL=C awk -v part=$* -f sql/embed.awk $(SQL) >$@.tmp && mv $@.tmp $@

# So do the descriptions of sources.
$(BUILD)/generated/descriptions.c: extract/sources/embed.awk $(DESCRIPTIONS) extract/sources
	@mkdir -p $(@D)
	$(call say,EMBED)
	$(Q)LC_ALL=C awk -f extract/sources/embed.awk $(DESCRIPTIONS) >$@.tmp && mv $@.tmp $@

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c $(BUILD)/generated/sql_embedded.h $(BUILD)/flags
	$(call say,CC)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c $(BUILD)/flags | $(BUILD)/generated/sql_embedded.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Preloaded into the stages by tests/torture; what it stands in for must not be hardened or sanitized away.
SHIM = $(BUILD)/tests/torture/shim.so
shim: $(SHIM)
$(SHIM): tests/torture/shim.c
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -D_GNU_SOURCE $(WARNINGS) -O1 -g -fPIC -shared -o $@ $<

# Changes when the compiler or its flags do.
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LDFLAGS)' | cmp -s - $@ || echo '$(COMPILE) $(LDFLAGS)' >$@

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/tests/*/*.d $(BUILD)/tests/unit/*/*.d)

run: ## A payroll month from the feeds to PostgreSQL (PERIOD=YYYY-MM; the sample's by itself)
	@tests/packages.sh build run
	@$(MAKE) -j$(JOBS) all
	@BUILD=$(BUILD) tests/sample/run.sh $(PERIOD)

psql: ## Open the database of `make run`
	@tests/packages.sh run
	@tests/sample/run.sh psql

stop: ## Stop the sample's feed and the private PostgreSQL
	@tests/sample/run.sh stop

test: ## All tests, with prove's summary at the end
	@tests/packages.sh build run test
	@$(MAKE) -j$(JOBS) all units fuzz-build shim
	@BUILD=$(BUILD) tests/run.sh fuzz torture stage e2e property unit sql

test-unit: units
test-sql test-stage test-e2e test-property: all
test-fuzz: all fuzz-build
test-torture: all shim
test-unit test-sql test-stage test-e2e test-property test-fuzz test-torture: test-%: ## One group of the tests
	@BUILD=$(BUILD) tests/run.sh $*

test-slurm: all $(GENERATOR) ## Shards under a real Slurm of two nodes on this machine; not part of `make test`
	@tests/packages.sh build run test slurm
	@BUILD=$(BUILD) tests/run.sh slurm

test-systemd: all ## The units under a real systemd in a namespace of its own; needs root, not part of `make test`
	@tests/packages.sh build run test
	@BUILD=$(BUILD) tests/run.sh systemd

check: test asan tsan lint ## Everything to run before a change is handed in

# At each call the intercepted strstr() measures the rest of the text: four megabytes of variables would never end.
asan: ## Unit and stage tests under the address and undefined-behaviour sanitizers
	@tests/packages.sh build run test
	@$(MAKE) -j$(JOBS) BUILD=build-asan CFLAGS="$(SANITIZE)" HARDENING= all units
	@ASAN_OPTIONS=intercept_strstr=0 BUILD=build-asan tests/run.sh unit stage

tsan: ## Unit and stage tests under the thread sanitizer
	@tests/packages.sh build run test
	@$(MAKE) -j$(JOBS) BUILD=build-tsan CFLAGS="-O1 -g -fsanitize=thread" HARDENING= all units
	@TSAN_OPTIONS=intercept_strstr=0 BUILD=build-tsan tests/run.sh unit stage

torture: ## All of the sampled groups: killed at every call, every call failing, random companies (TORTURE_SEED=1)
	@tests/packages.sh build run test
	@$(MAKE) -j$(JOBS) all fuzz-build shim
	@BUILD=$(BUILD) tests/torture/run.sh

fuzz: ## Look for new inputs with every harness (FUZZ_SECONDS=60 each, ENGINE=libfuzzer or afl)
	@tests/packages.sh build test $(if $(filter afl,$(ENGINE)),fuzz)
	@$(MAKE) fuzz-build
	@FUZZ_BUILD=$(FUZZ_BUILD) JOBS=$(JOBS) tests/fuzz/run.sh $(ENGINE) $(FUZZ_SECONDS)

valgrind: all units ## Unit, stage and end-to-end tests under valgrind
	@tests/packages.sh build run test lint
	@BUILD=$(BUILD) tests/valgrind.sh unit stage e2e

lint: ## clang's warnings, clang-tidy, gcc's analyzer, cppcheck and shellcheck
	@tests/packages.sh build run test lint
	@$(MAKE) $(BUILD)/generated/sql_embedded.h
	@tests/lint.sh $(PREPROCESS) $(WARNINGS)

# Of the product alone: what tests run of headers and tables in their own objects does not count.
coverage: ## Line and branch coverage of all tests, in build-coverage/index.html; fails under 95 and 85 percent
	@tests/packages.sh build run test lint
	@mkdir -p build-coverage
	@$(CC) $(PREPROCESS) -c -o build-coverage/coverage_exit.o tests/coverage_exit.c
	@find build-coverage -name '*.gcda' -delete
	@$(MAKE) -j$(JOBS) BUILD=build-coverage CFLAGS="-Og -g --coverage" \
	         LDFLAGS="-Wl,--wrap=_exit build-coverage/coverage_exit.o" test
	gcovr --config tests/gcovr.cfg --root . --exclude 'tests/|build' --exclude-directories build-coverage/tests \
	      --exclude-unreachable-branches --exclude-throw-branches --fail-under-line 95 --fail-under-branch 85 \
	      --html-details build-coverage/index.html --print-summary build-coverage

compdb: ## compile_commands.json for editors and clang tools
	@tests/packages.sh build test lint
	rm -rf build-compdb
	bear -- $(MAKE) -j$(JOBS) BUILD=build-compdb all units

$(GENERATOR): $(patsubst %,$(BUILD)/tests/bench/%.o,generate company person) $(BUILD)/common.a
	$(call say,LINK)
	$(Q)$(LINK) $(PKG_LIBS)

bench: all $(GENERATOR) ## Time the stages against what others would use (tests/bench/run.py tells how large)
	@tests/packages.sh build run bench $(if $(shell command -v node),,node)
	@BUILD=$(BUILD) python3 -B tests/bench/run.py

dictionary: all ## Write sql/DICTIONARY.md from the comments in sql/
	@tests/packages.sh build run
	@BUILD=$(BUILD) tests/dictionary.sh

# The units call what is installed; the descriptions of sources are there to be copied, the built-in ones are embedded.
SHARE = $(DESTDIR)$(PREFIX)/share
install: all ## Install the programs, alan-nightly, units for cron to Kubernetes, and the documents (PREFIX, DESTDIR)
	@for stage in $(STAGES); do install -v -D $(BUILD)/bin/$$stage $(DESTDIR)$(PREFIX)/bin/alan-$$stage || exit; done
	@install -v -D common/deploy/nightly.sh $(DESTDIR)$(PREFIX)/bin/alan-nightly
	@install -v -D -m 644 -t $(SHARE)/alan-payroll pipeline.yaml
	@install -v -D -m 644 -t $(SHARE)/alan-payroll/sources $(DESCRIPTIONS)
	@install -v -D -m 644 -t $(SHARE)/alan-payroll/deploy $(filter-out %/nightly.sh,$(wildcard common/deploy/*))
	@sed -i 's|/usr/local/|$(PREFIX)/|g' $(SHARE)/alan-payroll/deploy/*
	@install -v -D -m 644 -t $(SHARE)/doc/alan-payroll README.md sql/GUIDE.fr.md sql/DICTIONARY.md transform/RULES.md

clean: ## Remove what was built
	rm -rf build build-* compile_commands.json tests/bench/peers/node_modules

help: ## This list
	@sed -n 's/^\([a-z][a-z0-9 -]*\):[^#]*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 40

.PHONY: all units run psql stop test test-unit test-sql test-stage test-e2e test-property test-fuzz test-torture \
        test-slurm test-systemd check asan tsan \
        valgrind lint coverage compdb bench dictionary fuzz fuzz-build fuzzers shim torture install clean help always
