#!/usr/bin/env bash
# Lets the harnesses look for new inputs, each for some seconds: what `make fuzz` runs when they are built.
#   tests/fuzz/run.sh libfuzzer|afl SECONDS [HARNESS ...]      FUZZ_BUILD: where they were built, JOBS: how many at once
# What was found stays in FUZZ_BUILD/corpus/ and is gone on from. An input that breaks a property is left in
# FUZZ_BUILD/found/: give it to the harness to see it again; minimise it with -minimize_crash=1 (afl-tmin), fix what it
# shows, and put it into tests/fuzz/corpus/, which every `make test` replays.
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=$1 seconds=$2
shift 2
build=$(readlink -m "${FUZZ_BUILD:-build-fuzz}")
if [ $# -eq 0 ]; then mapfile -t names < <(basename -s .c tests/fuzz/fuzz_*.c | sed s/^fuzz_//); else names=("$@"); fi

with_libfuzzer() {
    local name=$1 dictionary=()
    [ ! -e "tests/fuzz/$name.dict" ] || dictionary=("-dict=tests/fuzz/$name.dict")
    mkdir -p "$build/corpus/$name" "$build/found"
    "$build/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/found/$name-" "${dictionary[@]}" "$build/corpus/$name" "tests/fuzz/corpus/$name" \
        >"$build/found/$name.log" 2>&1
    sed -n "s/^stat::number_of_executed_units: */$name: /p" "$build/found/$name.log"
}

with_afl() {
    local name=$1 dictionary=() stats=$build/corpus/$1/default/fuzzer_stats
    [ ! -e "tests/fuzz/$name.dict" ] || dictionary=(-x "tests/fuzz/$name.dict")
    mkdir -p "$build/corpus" "$build/found"
    AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_AUTORESUME=1 \
        afl-fuzz -V "$seconds" -t 2000 "${dictionary[@]}" -i "tests/fuzz/corpus/$name" -o "$build/corpus/$name" \
        -- "$build/tests/fuzz/$name" >"$build/found/$name.log" 2>&1 || return
    sed -n "s/^execs_done *: */$name: /p" "$stats"
    grep -Eq '^saved_(crashes|hangs) *: [1-9]' "$stats" || return 0
    find "$build/corpus/$name/default/crashes" "$build/corpus/$name/default/hangs" -name 'id:*' >&2
    return 1
}

fuzz() {
    "with_$engine" "$1" && return
    echo "$1: failed, see $build/found/$1.log" >&2
    tail -n 25 "$build/found/$1.log" >&2
    return 1
}

export -f fuzz with_libfuzzer with_afl
export engine seconds build
printf '%s\0' "${names[@]}" | nice xargs -0 -P "${JOBS:-1}" -I{} bash -euo pipefail -c 'fuzz {}'
