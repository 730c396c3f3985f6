#!/bin/sh
# A night as a Slurm array, a shard per task; options are those of nightly.sh:
#   PERIOD=2026-11 sbatch --array=0-7 slurm.sh --config /etc/alan-payroll/pipeline.yaml
# The stages read their shard from SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, so that the array begins at 0. Each
# task does its three stages by itself: staging.dir may be a disk of the node or one that all see.
#SBATCH --job-name=alan-payroll
#SBATCH --cpus-per-task=2
#SBATCH --mem=1G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue
#SBATCH --open-mode=append

# Slurm knows no partial success: such a task counts as done, and its comment says so. What passes by itself (69, 75) is
# put back into the queue three times; all else fails.
PERIOD=${PERIOD:-$(date -u +%Y-%m)}
RUN_ID=${RUN_ID:-$PERIOD-slurm-$SLURM_ARRAY_JOB_ID}
export PERIOD RUN_ID RETRIES="${RETRIES:-2}"
job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
nightly=${ALAN_NIGHTLY:-alan-nightly}

"$nightly" "$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
done
case $status in
    3)
        scontrol update "JobId=$job" "Comment=partial: see rejects.ndjson and the log" || true
        exit 0
        ;;
    69 | 75)
        [ "${SLURM_RESTART_COUNT:-0}" -ge 3 ] || scontrol requeue "$job"
        ;;
esac
exit "$status"
