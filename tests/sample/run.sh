#!/usr/bin/env bash
# The sample's payroll month through the three executables, with a summary for a person.
#   tests/sample/run.sh [YYYY-MM]    tests/sample/run.sh psql    tests/sample/run.sh stop
# DATABASE_URL or PGHOST: use that PostgreSQL. ALAN_API_URL: read those sources, as pipeline.yaml says.
set -euo pipefail
cd "$(dirname "$0")/../.."

state=.local
bin=${BUILD:-build}/bin
database=payroll
sample_period=2026-04
as_of=27T06:00:00Z # the sample's now, in its payroll month
language=en
[[ ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} != fr* ]] || language=fr

feed_runs() {
    [ -s "$state/feed.pid" ] && grep -qs sample/feed.py "/proc/$(cat "$state/feed.pid")/cmdline"
}

start_feed() {
    python3 -B tests/sample/companies.py "$state/sample"
    if ! feed_runs; then
        rm -f "$state/feed.port"
        setsid nohup python3 -B tests/sample/feed.py --data "$state/sample" \
            >"$state/feed.port" 2>"$state/feed.log" </dev/null &
        echo $! >"$state/feed.pid"
        for _ in $(seq 100); do [ -s "$state/feed.port" ] || sleep 0.1; done
        [ -s "$state/feed.port" ] || { echo "The sample feed did not start: see $state/feed.log" >&2; exit 69; }
    fi
    local url
    url=http://127.0.0.1:$(cat "$state/feed.port")
    export ALAN_API_URL=$url/alan ALAN_TOKEN=alan-sample-token
    export PAYFIT_API_URL=$url/payfit IMPORTS_DIR=$state/sample/imports
    export PAYFIT_KEY_BAKERY=payfit-sample-key-bakery PAYFIT_KEY_HAULIER=payfit-sample-key-haulier
    export PAYFIT_KEY_JOINERY_1=payfit-sample-key-joinery-lyon PAYFIT_KEY_JOINERY_2=payfit-sample-key-joinery-grenoble
}

use_database() {
    [ -z "${DATABASE_URL:-}${PGHOST:-}" ] || return 0
    local cluster
    cluster=$(tests/cluster.sh start "$state")
    eval "$cluster"
    export PGDATABASE=$database
    psql -XAtq -d postgres -c "SELECT datname FROM pg_database" | grep -qx "$database" || createdb "$database"
}

# psql on the database that load writes to.
sql() {
    psql -X ${DATABASE_URL:+"$DATABASE_URL"} -v ON_ERROR_STOP=1 "$@"
}

# Runs a stage. Status 3 (some companies failed, some records were refused) does not stop the others.
stage() {
    local name=$1 status=0
    shift
    "$bin/$name" "$@" >"$state/$name.json" || status=$?
    case $status in
        0) ;;
        3) partial=3 ;;
        *) echo "make run: $name ended with status $status" >&2; exit "$status" ;;
    esac
}

run() {
    local period=$1 options=(--period "$1")
    partial=0
    mkdir -p "$state"
    if [ -z "${ALAN_API_URL:-}" ]; then
        start_feed
        options+=(--as-of "$period-$as_of")
    fi
    use_database
    stage load --migrate
    stage extract "${options[@]}"
    stage transform --period "$period"
    stage load --period "$period"
    sql -q -v period="$period" -v language="$language" -f sql/summary.sql
    exit $partial
}

case ${1:-} in
    stop)
        if feed_runs; then kill "$(cat "$state/feed.pid")"; fi
        rm -f "$state/feed.pid" "$state/feed.port"
        tests/cluster.sh stop "$state"
        ;;
    psql)
        use_database
        exec psql ${DATABASE_URL:+"$DATABASE_URL"}
        ;;
    "") run "$([ -n "${ALAN_API_URL:-}" ] && date -u +%Y-%m || echo "$sample_period")" ;;
    *) run "$1" ;;
esac
