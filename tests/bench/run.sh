#!/usr/bin/env bash
# Times transform and load on a generated extract output, and load against what psql \copy takes for the same rows into
# the same tables. Works in a folder and a PostgreSQL cluster of its own, and removes both.
#   BUILD=build BENCH_EMPLOYEES=100000 BENCH_COMPANIES=5000 BENCH_REPEAT=3 tests/bench/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

build=$(readlink -f "${BUILD:-build}")
employees=${BENCH_EMPLOYEES:-100000}
companies=${BENCH_COMPANIES:-5000}
repeat=${BENCH_REPEAT:-3}
period=2026-04
changed_ppm=10000 # of the people, from the first night to the second

scratch=$(mktemp -d "${TMPDIR:-/tmp}/pipeline-bench-XXXXXX")
trap 'tests/cluster.sh remove "$scratch"; rm -rf "$scratch"' EXIT
staging=$scratch/staging
config=$scratch/pipeline.yaml
results=$scratch/results # lines: name, wall ms, processor ms, peak KiB

fail() {
    echo "bench: $*" >&2
    exit 1
}

make_generator() {
    local objects=("$build/tests/bench/generate.o" "$build/tests/bench/company.o" "$build/tests/bench/person.o")
    make -s BUILD="${BUILD:-build}" "${objects[@]/#$PWD\//}"
    # shellcheck disable=SC2046 # flags are words
    "${CC:-gcc}" -o "$scratch/generate" "${objects[@]}" "$build"/common/*.o "$build/generated/sql_embedded.o" \
        $(pkg-config --libs libcurl yaml-0.1 jansson libpq libcrypto) -lcsv -lunistring
}

generate() {
    "$scratch/generate" --employees "$employees" --companies "$companies" --period "$period" --staging "$staging" "$@"
}

# measure NAME COMMAND...
measure() {
    local name=$1 took
    shift
    took=$(python3 tests/bench/measure.py "$@")
    printf '%s\t%s\n' "$name" "${took// /$'\t'}" >>"$results"
}

transform() {
    "$build/bin/transform" --config "$config" --period "$period" --quiet --progress never "$@"
}

load_command=("$build/bin/load" --config "$config" --period "$period" --quiet --progress never)

# Bytes and records of a stage's output, as its manifest tells them.
staged() {
    python3 - "$staging/$period/$1/$2/manifest.json" <<'PYTHON'
import json, sys
files = json.load(open(sys.argv[1]))["files"]
print(sum(f["bytes"] for f in files), sum(f["rows"] for f in files))
PYTHON
}

# ---- PostgreSQL ----

start_cluster() {
    local cluster
    cluster=$(tests/cluster.sh start "$scratch")
    eval "$cluster"
    unset DATABASE_URL
    createdb bench_template
    PGDATABASE=bench_template "$build/bin/load" --config "$config" --migrate --quiet >/dev/null
    export PGDATABASE=bench
}

fresh_database() {
    dropdb --if-exists bench 2>/dev/null
    createdb -T bench_template bench
    psql -Xqc CHECKPOINT
}

# The tables that load has filled, in order of creation: each after those it refers to.
filled_tables() {
    psql -XqAt <<'SQL'
SELECT format('SELECT %L WHERE EXISTS (SELECT FROM %s);', c.oid::regclass, c.oid::regclass)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'payroll'::regnamespace
  AND c.relname NOT IN ('discrepancy_code', 'social_rate', 'dispense_ground')
ORDER BY c.oid
\gexec
SQL
}

# table (column, …), without what the table generates itself
columns_of() {
    psql -XqAt -v table="$1" <<'SQL'
SELECT format('%s (%s)', :'table', string_agg(quote_ident(attname), ', ' ORDER BY attnum))
FROM pg_attribute
WHERE attrelid = :'table'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
SQL
}

# Writes every filled table to a file, and the scripts that empty the tables and fill them again.
export_tables() {
    local table
    printf 'SET session_replication_role = replica;\nTRUNCATE ' >"$scratch/empty.sql"
    : >"$scratch/fill.sql"
    for table in $(filled_tables); do
        psql -Xqc "\\copy (SELECT $(columns_of "$table" | sed 's/^[^(]*(//; s/)$//') FROM $table) TO '$scratch/$table.rows'"
        printf "\\\\copy %s FROM '%s'\n" "$(columns_of "$table")" "$scratch/$table.rows" >>"$scratch/fill.sql"
        printf '%s, ' "$table" >>"$scratch/empty.sql"
    done
    sed -i '$ s/, $/;\n/' "$scratch/empty.sql"
}

# Rows of all filled tables: what \copy fills again must be as many.
count_rows() {
    local table
    for table in $(filled_tables); do
        psql -XqAtc "SELECT '$table ' || count(*) FROM $table"
    done
}

# ---- table ----

# report NAME MEASUREMENT BYTES RECORDS: the median of the repetitions
report() {
    awk -F'\t' -v name="$1" -v what="$2" -v bytes="$3" -v records="$4" '
        $1 == what { n++; wall[n] = $2; cpu[n] = $3; if ($4 > peak) peak = $4 }
        END {
            for (i = 1; i <= n; i++)
                for (k = i + 1; k <= n; k++)
                    if (wall[k] < wall[i]) { t = wall[i]; wall[i] = wall[k]; wall[k] = t; t = cpu[i]; cpu[i] = cpu[k]; cpu[k] = t }
            m = int((n + 1) / 2)
            w = wall[m] / 1000; c = cpu[m] / 1000
            printf "%-28s %8.2f %8.2f %11d %8.1f %10.1f %8.1f\n", name, w, c, records / w, bytes / 1e6 / w,
                   bytes / 1e6 / (c > 0 ? c : 0.001), peak / 1024
        }' "$results"
}

median_wall() {
    awk -F'\t' -v what="$1" '$1 == what { print $2 }' "$results" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

main() {
    local cores in_bytes in_records out_bytes out_records
    cores=$(nproc)
    make_generator
    echo "generating $employees employees over $companies companies"
    generate --run-id first --config-out "$config" >/dev/null
    generate --run-id second --change-ppm $changed_ppm >/dev/null
    for _ in $(seq "$repeat"); do
        for jobs in 1 "$cores"; do
            measure "transform-$jobs" "$build/bin/transform" --config "$config" --period "$period" --run-id first \
                --quiet --progress never --jobs "$jobs"
        done
    done
    transform --run-id second >/dev/null
    read -r in_bytes in_records < <(staged first extract)
    read -r out_bytes out_records < <(staged first transform)

    echo "loading into a private PostgreSQL"
    start_cluster
    for round in $(seq "$repeat"); do
        fresh_database
        measure load "${load_command[@]}" --run-id first
        if [ "$round" -eq 1 ]; then
            export_tables
            count_rows >"$scratch/loaded"
        fi
        measure load-again "${load_command[@]}" --run-id first
        measure load-changed "${load_command[@]}" --run-id second
        psql -Xq -v ON_ERROR_STOP=1 -f "$scratch/empty.sql" -c CHECKPOINT
        measure copy psql -Xq1 -v ON_ERROR_STOP=1 -f "$scratch/fill.sql"
        count_rows | diff "$scratch/loaded" - || fail 'psql \copy did not fill the tables as load did'
    done

    printf '\n%d employees, %d companies, %s cores; staged: %.0f MB in, %.0f MB out; median of %d\n\n' "$employees" \
        "$companies" "$cores" "$((in_bytes / 1000000))" "$((out_bytes / 1000000))" "$repeat"
    printf '%-28s %8s %8s %11s %8s %10s %8s\n' '' 'wall s' 'cpu s' 'records/s' 'MB/s' 'MB/s/core' 'peak MB'
    report 'transform --jobs 1' transform-1 "$in_bytes" "$in_records"
    [ "$cores" -eq 1 ] || report "transform --jobs $cores" "transform-$cores" "$in_bytes" "$in_records"
    report 'load into empty tables' load "$out_bytes" "$out_records"
    report 'load, the same run again' load-again "$out_bytes" "$out_records"
    report 'load, 1 % of people changed' load-changed "$out_bytes" "$out_records"
    report 'psql \copy, same rows' copy "$out_bytes" "$out_records"
    awk -v load="$(median_wall load)" -v copy="$(median_wall copy)" \
        'BEGIN { printf "\nload takes %.2f times as long as psql \\copy of the same rows into the same tables\n", load / copy }'
    echo 'peak MB: of the largest process; MB/s/core: per second of processor time of the client'
}

main
