"""common/deploy/: the rule for exit statuses, and that every engine is told the same."""
import ast
import configparser
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import BIN, FATAL, PASSES_BY_ITSELF, ROOT, STATUSES

DEPLOY = ROOT / "common" / "deploy"

# A stage that notes how it was called, waits if asked to, and ends with the next status of its file.
STAGE = """#!/bin/sh
echo "$0 $*" | sed 's|.*/alan-||' >>"$PLAN/calls"
name=${0##*/alan-}
status=$(head -n 1 "$PLAN/$name" 2>/dev/null)
sed -i 1d "$PLAN/$name" 2>/dev/null
case $status in
    wait)
        trap 'kill $!; echo "{}"; exit 75' TERM
        sleep 60 &
        wait
        ;;
    69*) echo '{"stage":"x","run_id":null,"retry_after_s":'"${status#69 }"'}'; exit 69 ;;
esac
echo '{"stage":"x","run_id":"2026-04-r1","status":"ok"}'
exit "${status:-0}"
"""


class DeployTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy-test-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.bin = self.path / "bin"
        self.bin.mkdir()
        for name in ("extract", "transform", "load"):
            self.program(f"alan-{name}", STAGE)
        (self.bin / "alan-nightly").symlink_to(DEPLOY / "nightly.sh")
        self.env = {"PATH": f"{self.bin}:/usr/bin:/bin", "PLAN": str(self.path), "PERIOD": "2026-04",
                    "RETRY_WAIT_S": "0"}

    def program(self, name, text):
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def plan(self, **statuses):
        for name, lines in statuses.items():
            (self.path / name).write_text("\n".join(map(str, lines)) + "\n", encoding="utf-8")

    def calls(self):
        path = self.path / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def stages(self):
        return [call.split()[0] for call in self.calls()]

    def run_it(self, *command, **env):
        return subprocess.run(command, env={**self.env, **env}, capture_output=True, text=True, timeout=60, check=False,
                              cwd=self.path)

    def nightly(self, *options, **env):
        return self.run_it(DEPLOY / "nightly.sh", *options, **env)


class Nightly(DeployTest):
    def test_three_stages_of_one_run(self):
        done = self.nightly("--config", "a b.yaml")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.calls(), ["extract --period 2026-04 --config a b.yaml",
                                        "transform --period 2026-04 --run-id 2026-04-r1 --config a b.yaml",
                                        "load --period 2026-04 --run-id 2026-04-r1 --config a b.yaml"])
        self.assertEqual([json.loads(line)["status"] for line in done.stdout.splitlines()], ["ok"] * 3)

    def test_run_id_of_the_environment(self):
        self.assertEqual(self.nightly(RUN_ID="night-7").returncode, 0)
        self.assertEqual({call.split()[4] for call in self.calls()}, {"night-7"})

    def test_partial_goes_on_and_is_told(self):
        self.plan(extract=[3])
        self.assertEqual(self.nightly().returncode, 3)
        self.assertEqual(self.stages(), ["extract", "transform", "load"])
        self.plan(load=[3])
        self.assertEqual(self.nightly(PARTIAL_STATUS="0").returncode, 0)

    def test_what_passes_by_itself_is_tried_again(self):
        self.plan(extract=[75], load=["69 0", 75])
        self.assertEqual(self.nightly().returncode, 0)
        self.assertEqual(self.stages(), ["extract"] * 2 + ["transform"] + ["load"] * 3)

    def test_as_often_as_it_is_told(self):
        self.plan(transform=[75, 75, 75])
        self.assertEqual(self.nightly(RETRIES="2").returncode, 75)
        self.assertEqual(self.stages(), ["extract"] + ["transform"] * 3)

    def test_wait_that_the_stage_asks_for(self):
        self.plan(extract=["69 1"])
        begun = time.monotonic()
        self.assertEqual(self.nightly(RETRY_WAIT_S="50").returncode, 0)
        self.assertGreaterEqual(time.monotonic() - begun, 1)

    def test_what_waits_for_a_person_ends_the_night(self):
        for status in sorted(FATAL) + [1, 137]:
            (self.path / "calls").unlink(missing_ok=True)
            self.plan(transform=[status])
            self.assertEqual(self.nightly().returncode, status)
            self.assertEqual(self.stages(), ["extract", "transform"])

    def test_sigterm_stops_the_stage_and_is_no_reason_to_try_again(self):
        self.plan(transform=["wait"])
        process = subprocess.Popen([DEPLOY / "nightly.sh"], env=self.env, cwd=self.path, stdout=subprocess.DEVNULL)
        for _ in range(200):
            if "transform" in self.stages():
                break
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 75)
        self.assertEqual(self.stages(), ["extract", "transform"])


class Engines(DeployTest):
    def test_cron(self):
        """Its line, as cron runs it: /bin/sh, an environment of the crontab alone."""
        text = (DEPLOY / "alan-payroll.cron").read_text(encoding="utf-8")
        text = text.replace("/var/lib/alan-payroll", str(self.path)).replace("/etc/alan-payroll", str(self.path))
        lines = [line for line in text.splitlines() if line and line[0] != "#"]
        env = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]+=", line))
        env["PATH"] = f"{self.bin}:{env['PATH']}"
        when = lines[-1].split(maxsplit=6)
        self.assertEqual((when[:5], when[5]), (["30", "4", "*", "*", "*"], "alan-payroll"))
        self.assertNotIn("%", when[6], "cron would make a new line of it")
        (self.path / "env").write_text(f"PLAN={self.path}\nRETRY_WAIT_S=0\nPERIOD=2026-04\n", encoding="utf-8")
        self.plan(extract=[75])
        done = subprocess.run([env["SHELL"], "-c", when[6]], env=env, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), "nothing to be mailed")
        self.assertEqual(self.stages(), ["extract", "extract", "transform", "load"])
        self.assertEqual(len((self.path / "nightly.jsonl").read_text(encoding="utf-8").splitlines()), 4)

    def test_systemd(self):
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(DEPLOY / "alan-payroll.service", encoding="utf-8")
        service = unit["Service"]
        self.assertEqual({int(s) for s in service["SuccessExitStatus"].split()}, {3})
        self.assertEqual({int(s) for s in service["RestartPreventExitStatus"].split()}, FATAL)
        for name in ("alan-payroll.service", "alan-payroll.timer"):
            text = (DEPLOY / name).read_text(encoding="utf-8")
            (self.path / name).write_text(text.replace("/usr/local/bin", str(self.bin)), encoding="utf-8")
        done = self.run_it("systemd-analyze", "verify", "--man=no", self.path / "alan-payroll.timer",
                           self.path / "alan-payroll.service")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_slurm(self):
        self.program("scontrol", '#!/bin/sh\necho "scontrol $*" >>"$PLAN/calls"\n')
        job = {"SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3", "RETRIES": "0"}
        for status, expected, told in ((0, 0, None), (3, 0, "update JobId=12_3 Comment=partial"), (65, 65, None),
                                       (69, 69, "requeue 12_3"), (75, 75, "requeue 12_3")):
            (self.path / "calls").unlink(missing_ok=True)
            self.plan(load=[f"{status} 0" if status == 69 else status])
            self.assertEqual(self.run_it(DEPLOY / "slurm.sh", "--quiet", **job).returncode, expected)
            self.assertIn("load --period 2026-04 --run-id 2026-04-slurm-12 --quiet", self.calls())
            scontrol = [call for call in self.calls() if call.startswith("scontrol")]
            self.assertEqual(len(scontrol), 1 if told else 0)
            if told:
                self.assertIn(told, scontrol[0])
        self.plan(load=[75])
        (self.path / "calls").unlink()
        self.assertEqual(self.run_it(DEPLOY / "slurm.sh", **job, SLURM_RESTART_COUNT="3").returncode, 75)
        self.assertNotIn("scontrol", self.stages())

    def test_kubernetes(self):
        reader = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"
        done = self.run_it("/usr/bin/python3", "-c", reader, DEPLOY / "kubernetes.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        (cron_job,) = json.loads(done.stdout)
        self.assertEqual((cron_job["apiVersion"], cron_job["kind"]), ("batch/v1", "CronJob"))
        job = cron_job["spec"]["jobTemplate"]["spec"]
        pod = job["template"]["spec"]
        (container,) = pod["containers"]
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        self.assertEqual((job["completionMode"], env["SHARD_COUNT"]), ("Indexed", str(job["completions"])))
        self.assertEqual(env["PARTIAL_STATUS"], "0")
        self.assertEqual(pod["restartPolicy"], "Never", "what podFailurePolicy asks for")
        (rule,) = [rule["onExitCodes"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
        self.assertEqual((rule["containerName"], rule["operator"]), (container["name"], "In"))
        self.assertEqual(set(rule["values"]), FATAL)
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, {v["name"] for v in pod["volumes"]})

    def test_airflow(self):
        """The DAG compiles, and gives every status its meaning; Airflow itself is not needed for that."""
        path = DEPLOY / "airflow_dag.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kept = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "verdict"
                or isinstance(node, ast.Assign) and node.targets[0].id in ("PARTIAL", "PASSES_BY_ITSELF")]
        names = {}
        exec(compile(ast.Module(kept, []), str(path), "exec"), names)
        meant = {status: names["verdict"](status) for status in STATUSES}
        self.assertEqual(meant, {0: "done", 3: "partial", **dict.fromkeys(PASSES_BY_ITSELF, "retry"),
                                 **dict.fromkeys(FATAL, "fail")})

    def test_statuses_are_those_of_the_readme(self):
        table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Exit status")[1].split("##")[0]
        told = {int(n) for row in re.findall(r"^\| ([0-9 ·]+) \|", table, re.M) for n in re.findall(r"\d+", row)}
        self.assertEqual(told, STATUSES)


class Install(DeployTest):
    def test_everything_a_user_needs(self):
        # -o all: what is under test is installed, whatever flags it was built with
        done = self.run_it("make", "-s", "-o", "all", "-C", ROOT, "install", f"DESTDIR={self.path}/root", "PREFIX=/opt/alan",
                           f"BUILD={BIN.parent}")
        self.assertEqual(done.returncode, 0, done.stderr)
        prefix = self.path / "root" / "opt" / "alan"
        for name in ("extract", "transform", "load"):
            self.assertIn(name, self.run_it(prefix / "bin" / f"alan-{name}", "--version").stdout)
        self.assertEqual(self.run_it(prefix / "bin" / "alan-nightly").returncode, 0)
        share = prefix / "share"
        for name in ("alan-payroll/pipeline.yaml", "alan-payroll/sources/alan.yaml", "doc/alan-payroll/README.md",
                     *(f"alan-payroll/deploy/{path.name}" for path in DEPLOY.iterdir() if path.name != "nightly.sh")):
            self.assertTrue((share / name).is_file(), name)
        unit = (share / "alan-payroll" / "deploy" / "alan-payroll.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/opt/alan/bin/alan-nightly", unit)


if __name__ == "__main__":
    unittest.main()
