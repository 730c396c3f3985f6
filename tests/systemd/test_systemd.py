"""The units under a real systemd: a night in their sandbox, what becomes of each exit status, a stop, the timer."""
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import BIN, FATAL, PASSES_BY_ITSELF, PERIOD, ROOT, Pipeline

BOOT = pathlib.Path(__file__).resolve().parent / "boot.sh"
USER, UNIT = "alan-payroll", "alan-payroll.service"


class Machine:
    """What a machine has with the programs installed and the units enabled, and systemd in charge of it."""

    def __init__(self, pipeline):
        self.pipeline = pipeline
        scratch = tempfile.TemporaryDirectory(prefix="systemd-test-")
        self.path = pathlib.Path(scratch.name)
        self.path.chmod(0o755)
        self.cleanup = scratch.cleanup
        self.etc, self.local = self.path / "etc", self.path / "root" / "usr" / "local"
        sockets = pathlib.Path(pipeline.env["PGHOST"])
        self.install()
        self.configure(sockets.stat().st_uid)
        self.log = open(self.path / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([BOOT, self.etc, self.local, sockets], stdout=self.log, stderr=self.log)
        self.wait_for_boot()

    def install(self):
        subprocess.run(["make", "install", f"BUILD={BIN.parent}", f"DESTDIR={self.path / 'root'}"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
        units = self.etc / "systemd" / "system"
        units.mkdir(parents=True)
        for unit in (self.local / "share" / "alan-payroll" / "deploy").glob("alan-payroll.[st]*"):
            shutil.copy(unit, units)

    def configure(self, uid):
        """The user's number is that of the cluster's owner, who alone may use its socket."""
        for name, line in (("passwd", f"{USER}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n"), ("group", f"{USER}:x:{uid}:\n")):
            others = [old for old in pathlib.Path("/etc", name).read_text(encoding="utf-8").splitlines(True)
                      if old.split(":")[2] != str(uid)]
            (self.etc / name).write_text("".join([*others, line]), encoding="utf-8")
        own = self.etc / "alan-payroll"
        own.mkdir()
        shutil.copytree(self.pipeline.path / "data" / "imports", own / "imports")
        config, found = re.subn(r"dir: staging\b", "dir: /var/lib/alan-payroll/staging", self.pipeline.configuration())
        assert found == 1
        (own / "pipeline.yaml").write_text(config, encoding="utf-8")
        env = {name: value for name, value in self.pipeline.env.items()
               if name.startswith(("ALAN_", "PAYFIT_"))}
        env.update(PERIOD=PERIOD, IMPORTS_DIR="/etc/alan-payroll/imports", RETRY_WAIT_S="1",
                   DATABASE_URL=f"postgresql:///{self.pipeline.database}?host=/run/postgresql&user=postgres")
        (own / "env").write_text("".join(f"{name}={value}\n" for name, value in env.items()), encoding="utf-8")
        (own / "env").chmod(0o600)

    def wait_for_boot(self):
        for _ in range(100):
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
            self.init = children.split()[0] if children else None
            if self.init and self.systemctl("is-active", "default.target").stdout.strip() == "active":
                return
            time.sleep(0.1)
        raise AssertionError("systemd did not come up: " + self.told())

    def told(self):
        self.log.flush()
        return (self.path / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def inside(self, *command, **more):
        return subprocess.run(["nsenter", "-t", self.init, "-m", "-p", *command], capture_output=True, text=True,
                              timeout=120, check=False, **more)

    def systemctl(self, *words):
        return self.inside("systemctl", *words)

    def state(self, unit=UNIT):
        shown = self.systemctl("show", unit).stdout
        return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)

    def replace(self, command=None):
        """Has the unit run another command instead of the night; None: the night again."""
        folder = f"/run/units/{UNIT}.d"
        self.inside("rm", "-rf", folder)
        if command:
            self.inside("mkdir", "-p", folder)
            self.inside("tee", f"{folder}/other.conf", input=f"[Service]\nExecStart=\nExecStart={command}\n")
        self.systemctl("daemon-reload")

    def close(self):
        self.process.kill()      # and with it, all of the namespace
        self.process.wait()
        self.log.close()
        for group in pathlib.Path("/sys/fs/cgroup").glob(f"**/test-systemd-{self.process.pid}"):
            for folder in [*sorted(filter(pathlib.Path.is_dir, group.rglob("*")), reverse=True), group]:
                self.remove_group(folder)
        self.cleanup()

    @staticmethod
    def remove_group(folder):
        """Once the last of its processes has ended."""
        for _ in range(100):
            try:
                return folder.rmdir()
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"{folder}: still in use")


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert os.getuid() == 0, "systemd as the first process of a namespace needs root"
        cls.pipeline = Pipeline()
        cls.addClassCleanup(cls.pipeline.close)
        cls.machine = Machine(cls.pipeline)
        cls.addClassCleanup(cls.machine.close)

    def setUp(self):
        self.addCleanup(self.machine.replace)
        self.addCleanup(self.machine.systemctl, "reset-failed")
        self.addCleanup(self.machine.systemctl, "stop", UNIT)

    def test_a_night_in_the_sandbox(self):
        started = self.machine.systemctl("start", UNIT)
        state = self.machine.state()
        self.assertEqual((started.returncode, state["Result"]), (0, "success"), started.stderr + self.machine.told())
        self.assertGreater(int(self.pipeline.psql("SELECT count(*) FROM report.payroll_ready")), 0)
        kept = self.machine.inside("stat", "-c", "%U %a", "/var/lib/alan-payroll", "/var/lib/alan-payroll/staging").stdout
        self.assertEqual(kept.split("\n")[:2], [f"{USER} 700"] * 2)

    def test_what_becomes_of_each_status(self):
        expected = {0: ("inactive", "dead"), 3: ("inactive", "dead"),
                    **{status: ("activating", "auto-restart") for status in PASSES_BY_ITSELF},
                    **{status: ("failed", "failed") for status in FATAL}}
        for status, becomes in expected.items():
            with self.subTest(status=status):
                self.machine.replace(f"/bin/sh -c 'exit {status}'")
                self.machine.systemctl("stop", UNIT)
                self.machine.systemctl("reset-failed")
                done = self.machine.systemctl("start", UNIT).returncode == 0
                state = self.machine.state()
                self.assertEqual((state["ActiveState"], state["SubState"]), becomes)
                self.assertEqual(done, status in (0, 3))
                if not done:     # a unit that is done is forgotten, status and all
                    self.assertEqual(state["ExecMainStatus"], str(status))

    def test_stopped_it_goes_on_the_next_time(self):
        self.pipeline.feed.faults({"match": "invoice_lines", "times": 99, "delay_s": 2})
        self.addCleanup(self.pipeline.feed.faults)
        self.machine.systemctl("start", "--no-block", UNIT)
        for _ in range(100):
            if any("invoice_lines" in request["path"] for request in self.pipeline.feed.requests()):
                break
            time.sleep(0.1)
        began = time.monotonic()
        self.machine.systemctl("stop", UNIT)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.machine.state()["ExecMainStatus"], "75")
        self.pipeline.feed.faults()
        self.machine.systemctl("reset-failed")
        self.assertEqual(self.machine.systemctl("start", UNIT).returncode, 0, self.machine.told())

    def test_timer(self):
        self.machine.systemctl("start", "alan-payroll.timer")
        self.addCleanup(self.machine.systemctl, "stop", "alan-payroll.timer")
        state = self.machine.state("alan-payroll.timer")
        self.assertEqual(state["ActiveState"], "active")
        at = datetime.datetime.strptime(state["NextElapseUSecRealtime"][4:23], "%Y-%m-%d %H:%M:%S")
        self.assertTrue("04:30:00" <= at.strftime("%H:%M:%S") <= "04:45:00", state["NextElapseUSecRealtime"])


if __name__ == "__main__":
    unittest.main()
