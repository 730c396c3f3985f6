#!/usr/bin/env bash
# Writes sql/DICTIONARY.md from the comments of a database that load --migrate has just made on a throwaway cluster.
#   BUILD=build tests/dictionary.sh
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d "${TMPDIR:-/tmp}/pipeline-dictionary-XXXXXX")
trap 'tests/cluster.sh remove "$scratch"; rm -rf "$scratch"' EXIT
cluster=$(CLUSTER_THROWAWAY=1 tests/cluster.sh start "$scratch")
eval "$cluster"
unset DATABASE_URL
export PGDATABASE=dictionary
createdb "$PGDATABASE"
"${BUILD:-build}/bin/load" --migrate --quiet >"$scratch/load.json"
psql -XqAt -v ON_ERROR_STOP=1 -f sql/dictionary.sql >"$scratch/DICTIONARY.md"
cp "$scratch/DICTIONARY.md" sql/DICTIONARY.md
