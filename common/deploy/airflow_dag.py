"""A night as an Airflow DAG: a task per stage, so that a retry begins with the stage that failed.

Variables of Airflow's environment (DATABASE_URL, ALAN_TOKEN …) reach the stages as they are. Airflow 2.4 or newer."""
import datetime
import json
import os
import subprocess

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException

CONFIG = os.environ.get("ALAN_PAYROLL_CONFIG", "/etc/alan-payroll/pipeline.yaml")
PARTIAL = 3
PASSES_BY_ITSELF = {69, 75}


def verdict(status):
    """What a stage's exit status means to Airflow: done, partial, retry or fail."""
    if status == 0:
        return "done"
    if status == PARTIAL:
        return "partial"
    return "retry" if status in PASSES_BY_ITSELF else "fail"


def run_stage(stage, period, run_id=None):
    """Runs a stage, its messages going to the task's log, and returns the run id of its JSON line."""
    command = [f"alan-{stage}", "--config", CONFIG, "--period", period, "--progress", "never"]
    if run_id:
        command += ["--run-id", run_id]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    report = json.loads(lines[-1]) if lines else {}
    print(json.dumps(report))
    outcome = verdict(done.returncode)
    if outcome == "retry":
        raise AirflowException(f"{stage} ended with {done.returncode}: {report.get('error')}")
    if outcome == "fail":
        raise AirflowFailException(f"{stage} ended with {done.returncode}: {report.get('error')}")
    if outcome == "partial":
        print(f"WARNING: {stage}: some companies failed or some records were refused: {report.get('error')}")
    return report["run_id"]


@dag(schedule="30 4 * * *", start_date=datetime.datetime(2026, 1, 1), catchup=False, max_active_runs=1,
     default_args={"retries": 5, "retry_delay": datetime.timedelta(minutes=5), "retry_exponential_backoff": True,
                   "max_retry_delay": datetime.timedelta(hours=1)})
def alan_payroll():
    @task
    def extract(data_interval_end=None):
        period = data_interval_end.strftime("%Y-%m")
        return [period, run_stage("extract", period)]

    @task
    def transform(run):
        run_stage("transform", *run)
        return run

    @task
    def load(run):
        run_stage("load", *run)

    load(transform(extract()))


alan_payroll()
