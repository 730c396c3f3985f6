#!/usr/bin/env bash
# All linters over the sources; the compiler's flags are the arguments.
set -uo pipefail

cppflags=()
for flag in "$@"; do
    case $flag in -I* | -D*) cppflags+=("$flag") ;; esac
done
mapfile -t sources < <(git ls-files '*.c' ':!tests/coverage_exit.c')
mapfile -t products < <(git ls-files 'common/*.c' 'extract/*.c' 'transform/*.c' 'load/*.c')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
status=0

echo "== clang"
printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$(nproc)" clang -fsyntax-only -Werror "$@" || status=1

echo "== clang-tidy"
printf '%s\0' "${sources[@]}" | xargs -0 -P "$(nproc)" -I{} clang-tidy --quiet --warnings-as-errors='*' {} -- "$@" \
    2> >(grep -vE 'warnings? (generated|treated as)' >&2) || status=1

echo "== gcc -fanalyzer"
printf '%s\0' "${products[@]}" | xargs -0 -P "$(nproc)" -I{} \
    gcc -O1 -fanalyzer -Werror -c -o /dev/null "$@" {} || status=1

echo "== cppcheck"
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -j "$(nproc)" \
    --suppress=missingIncludeSystem "${cppflags[@]}" common extract transform load || status=1

echo "== shellcheck"
shellcheck "${scripts[@]}" || status=1

exit $status
