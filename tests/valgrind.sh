#!/usr/bin/env bash
# Runs groups of tests with every program of ours under valgrind: a build folder of wrappers around the real one.
#   BUILD=build tests/valgrind.sh unit|stage|e2e ...
set -euo pipefail
cd "$(dirname "$0")/.."

real=$(readlink -f "${BUILD:-build}")
wrapped=build-valgrind
wrapper() {
    mkdir -p "$(dirname "$wrapped/$1")"
    printf '#!/bin/sh\nexec valgrind --quiet --leak-check=full --error-exitcode=99 %q "$@"\n' "$real/$1" >"$wrapped/$1"
    chmod +x "$wrapped/$1"
}

rm -rf "$wrapped"
for program in "$real"/bin/* $(find "$real/tests/unit" -name 'test_*' -type f -perm -u+x); do
    wrapper "${program#"$real"/}"
done
BUILD=$wrapped exec tests/run.sh "$@"
