#!/usr/bin/env bash
# All that the sampled groups can try, and a table of it.   TORTURE_SEED draws another sample of what is random
set -euo pipefail
cd "$(dirname "$0")/../.."

TALLY=$(mktemp "${TMPDIR:-/tmp}/tally-XXXXXX")
trap 'rm -f "$TALLY"' EXIT
export TALLY TORTURE=full

# Groups with a test that counts; the longest first.
mapfile -t groups < <(grep -l 'tally\.count' -r tests --include='test_*.py' | cut -d/ -f2 | sort -ru)
status=0
tests/run.sh "${groups[@]}" || status=$?
echo
python3 tests/tally.py "$TALLY" || status=1
exit "$status"
