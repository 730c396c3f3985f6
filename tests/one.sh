#!/usr/bin/env bash
# Runs one test file and prints TAP: a cmocka program, a pgTAP file in a database of its own, a Python or shell test.
#   tests/one.sh FILE        tests/one.sh template   makes the migrated database that pgTAP files start from
set -euo pipefail
cd "$(dirname "$0")/.."

template=pgtap_template
limit=600 # seconds
[ "${BUILD:-build}" = build ] || limit=3600 # sanitizers and valgrind take their time
[ "${TORTURE:-}" != full ] || limit=36000

make_template() {
    createdb "$template"
    PGDATABASE=$template "${BUILD:-build}/bin/load" --migrate --quiet >/dev/null
    psql -XqAt -d "$template" -c 'CREATE EXTENSION pgtap'
}

pgtap() {
    local database
    database=test_$(basename "$1" .sql)_$$
    createdb --strategy=file_copy -T "$template" "$database"
    # shellcheck disable=SC2064 # the name is known now
    trap "dropdb --force $database" EXIT
    PGOPTIONS='-c client_min_messages=warning' timeout $limit psql -XqAt -v ON_ERROR_STOP=1 -d "$database" -f "$1"
}

case $1 in
    template) make_template ;;
    *.sql) pgtap "$1" ;;
    *.py) exec timeout $limit python3 tests/tap.py "$1" ;;
    *.sh)
        if timeout $limit bash "$1" >&2; then echo "ok 1 - $1"; else echo "not ok 1 - $1"; fi
        echo 1..1
        ;;
    *) CMOCKA_MESSAGE_OUTPUT=TAP exec timeout $limit "$1" ;;
esac
