#!/usr/bin/env bash
# Runs groups of tests under prove, on a throwaway PostgreSQL cluster.
#   tests/run.sh unit|sql|stage|e2e|property|torture|fuzz|slurm|systemd ...
# BUILD says which build, PROVE_FLAGS what else to tell prove.
set -euo pipefail
cd "$(dirname "$0")/.."

export BUILD=${BUILD:-build}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/pipeline-test-XXXXXX")
export TEST_SCRATCH=$scratch
trap 'tests/cluster.sh remove "$scratch"; rm -rf "$scratch"' EXIT

files=()
for group in "$@"; do
    case $group in
        unit) mapfile -t found < <(find "$BUILD/tests/unit" -name 'test_*' -type f -perm -u+x 2>/dev/null | sort) ;;
        sql) mapfile -t found < <(find tests/sql -name '*.sql' 2>/dev/null | sort) ;;
        stage | e2e | property | torture | fuzz | slurm | systemd)
            mapfile -t found < <(find "tests/$group" -name 'test_*.py' 2>/dev/null | sort)
            ;;
        *) echo "run.sh: unknown group '$group' (unit, sql, stage, e2e, property, torture, fuzz, slurm, systemd)" >&2; exit 64 ;;
    esac
    files+=("${found[@]}")
done
[ ${#files[@]} -gt 0 ] || { echo "run.sh: no tests in: $*" >&2; exit 66; }

if [[ " $* " != " unit " ]]; then
    cluster=$(CLUSTER_THROWAWAY=1 tests/cluster.sh start "$scratch")
    eval "$cluster"
    unset DATABASE_URL
    tests/one.sh template
fi

read -r -a flags <<<"${PROVE_FLAGS:-}"
# Tests mostly wait: for servers, retries and signals.
prove --exec tests/one.sh --jobs "$((2 * $(nproc)))" "${flags[@]}" "${files[@]}"
