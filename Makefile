# Everything is made in build/ (or build-FLAVOUR/). `make help` lists the targets.

PREFIX      ?= /usr/local
BUILD       ?= build
CC          ?= gcc
PACKAGES     = libcurl yaml-0.1 jansson libpq libcrypto
CPPFLAGS    += -D_GNU_SOURCE -I. -I$(BUILD)/generated $(shell pkg-config --cflags $(PACKAGES))
CFLAGS      ?= -O2 -g
WARNINGS     = -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
               -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wno-missing-field-initializers
HARDENING    = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LDFLAGS     += -pie -Wl,-z,relro,-z,now
LDLIBS       = $(shell pkg-config --libs $(PACKAGES)) -lcsv -lunistring

STAGES       = extract transform load
SQL          = $(sort $(wildcard sql/*.sql sql/*/*.sql))
COMMON_OBJ   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard common/*.c)) $(BUILD)/generated/sql_embedded.o

all: $(STAGES:%=$(BUILD)/bin/%)

define stage_rule
$(BUILD)/bin/$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c)) $(COMMON_OBJ)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach s,$(STAGES),$(eval $(call stage_rule,$(s))))

# SQL files become C strings; the folder's date tells when one was added or taken away.
$(BUILD)/generated/sql_embedded.h $(BUILD)/generated/sql_embedded.c: $(BUILD)/generated/sql_embedded.%: sql/embed.awk $(SQL) $(sort $(dir $(SQL)))
	@mkdir -p $(@D)
	LC_ALL=C awk -v part=$* -f sql/embed.awk $(SQL) >$@.tmp && mv $@.tmp $@

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c $(BUILD)/generated/sql_embedded.h
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) -c -o $@ $<

$(BUILD)/%.o: %.c | $(BUILD)/generated/sql_embedded.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/*/*.d)

.PHONY: all
