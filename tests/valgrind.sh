#!/usr/bin/env bash
# Runs groups of tests with every program of ours under valgrind: a build folder of wrappers around the real one.
#   BUILD=build tests/valgrind.sh unit|stage|e2e ...
set -euo pipefail
cd "$(dirname "$0")/.."

real=$(readlink -f "${BUILD:-build}")
wrapped=build-valgrind
# wrapper PROGRAM [OPTION]: tests of units fork children only to have them killed, with all that they hold
wrapper() {
    mkdir -p "$(dirname "$wrapped/$1")"
    printf '#!/bin/sh\nexec valgrind --quiet --leak-check=full --error-exitcode=99 --suppressions=%q %s %q "$@"\n' \
        "$PWD/tests/valgrind.supp" "${2:-}" "$real/$1" >"$wrapped/$1"
    chmod +x "$wrapped/$1"
}

rm -rf "$wrapped"
for program in "$real"/bin/*; do
    wrapper "${program#"$real"/}"
done
mapfile -t units < <(find "$real/tests/unit" -name 'test_*' -type f -perm -u+x)
for program in "${units[@]}"; do
    wrapper "${program#"$real"/}" --child-silent-after-fork=yes
done
BUILD=$wrapped WRAPPED=$real exec tests/run.sh "$@"
