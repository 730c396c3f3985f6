#!/bin/sh
# A night: extract, transform and load in turn, each tried again when it says that it may be. Whatever starts it (cron,
# a timer, Slurm, Kubernetes, a person) finds the rule for exit statuses here, and nowhere else.
#
#   nightly.sh [OPTION ...]     options that all three take: --config, --staging, --company, --shard, --jobs, --quiet
#
# Environment, with defaults:
#   PERIOD           the payroll month, YYYY-MM [this one, in UTC]
#   RUN_ID           names the run; shards of one night need the same [extract chooses]
#   RETRIES          how often a stage is tried again after 69 or 75 [5]
#   RETRY_WAIT_S     seconds before the next try, where the stage does not say how many [300]
#   PARTIAL_STATUS   exit status of a night that is done but for some companies or records [3]
#   ALAN_PREFIX      what stands before extract, transform and load [alan-]; build/bin/ in a checkout
#
# Standard output has the stages' JSON lines, standard error their messages. Exit status: 0; PARTIAL_STATUS; or that of
# the stage that ended the night. SIGTERM and SIGINT are passed on: the stage stops, and the night ends with 75.
set -u

period=${PERIOD:-$(date -u +%Y-%m)}
run_id=${RUN_ID:-}
answer=$(mktemp) || exit 73
child='' stopped='' partial=''
trap 'rm -f "$answer"' EXIT
trap 'stopped=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT

# Waits for a command in the background, also when a signal cuts the wait short.
await() {
    child=$!
    wait "$child"
    status=$?
    while [ -n "$stopped" ] && kill -0 "$child" 2>/dev/null; do
        wait "$child"
        status=$?
    done
    child=''
}

# field NAME: a number or text of the last JSON line
field() {
    sed -n "\$ s/.*\"$1\":\"\\{0,1\\}\\([A-Za-z0-9._-]*\\).*/\\1/p" "$answer"
}

# once STAGE [OPTION ...]
once() {
    stage=$1
    shift
    "${ALAN_PREFIX-alan-}$stage" --period "$period" ${run_id:+--run-id "$run_id"} "$@" >"$answer" &
    await
    cat "$answer"
}

pause() {
    seconds=$(field retry_after_s)
    sleep "${seconds:-${RETRY_WAIT_S:-300}}" &
    await
}

for name in extract transform load; do
    tries=0
    while [ -z "$stopped" ] || exit 75; do
        once "$name" "$@"
        [ -z "$stopped" ] || [ "$status" -lt 128 ] || status=75 # the signal came before the stage could expect it
        case $status in
            0) break ;;
            3) partial=1 && break ;;
            69 | 75) ;;
            *) exit "$status" ;;
        esac
        [ -z "$stopped" ] && [ "$tries" -lt "${RETRIES:-5}" ] || exit "$status"
        tries=$((tries + 1))
        pause
    done
    [ -n "$run_id" ] || run_id=$(field run_id)
done
[ -z "$partial" ] || exit "${PARTIAL_STATUS:-3}"
