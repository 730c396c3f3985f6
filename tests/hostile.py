"""What tests of hostile input stand on: one run of an executable with what it took of memory and time, and inputs that
nobody would write."""
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

import fetching
import tally
from harness import BIN, PATIENCE, PERIOD, ROOM

LEVELS, LONG = 100_000, 10_000_000
MEMORY_MB, SECONDS = 400, 60  # of any run here; a machine under load is slow, memory is not
# Texts that mean something to SQL, COPY, a shell, a spreadsheet or a terminal: each must arrive as it is.
TEXTS = [
    "'); DROP TABLE payroll.employee; --", "\\.", "\\N", "\\", "a\\tb\\\\", "\"", "'", "\"\"\";", "$$; SELECT 1; $$",
    "NULL", "{\"a\",NULL}", "{}", "\t", "a\nb", "a\r\nb", "=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://evil\")",
    "%s%n%d", "${HOME}", "`id`", "$(id)", "../../etc/passwd", "<script>", "\u202etxt.exe", "e\u0301", "\ufeffx",
    "\U0001f600", "\uffff", "\x1b[31m", "\x7f", "Zoé",
]


class Run:
    def __init__(self, status, stdout, stderr, peak_mb, seconds):
        self.status, self.stderr, self.peak_mb, self.seconds = status, stderr, peak_mb, seconds
        lines = stdout.splitlines()
        self.report = json.loads(lines[-1]) if lines else {}


def run(command, **more):
    """Like subprocess.run, with the peak resident memory of the process and its children in MB."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        out.seek(0), err.seek(0)
        return Run(process.returncode, out.read().decode(), err.read().decode("utf-8", "backslashreplace"),
                   usage.ru_maxrss / 1024, seconds)


def check(test, result, status, *says):
    """The status expected, one line of JSON, words in the messages; bounded in memory and time. Counts one input."""
    tally.count("hostile inputs", 1)
    test.assertEqual(result.status, status, result.stderr[-4000:])
    test.assertEqual(result.report["status"], {0: "ok", 3: "partial"}.get(status, "failed"))
    for text in says:
        test.assertIn(text, result.stderr)
    test.assertLess(result.peak_mb, MEMORY_MB * ROOM)
    test.assertLess(result.seconds, SECONDS * PATIENCE)
    test.assertLess(len(result.stderr), 100_000)


class HostileTest(unittest.TestCase):
    """A folder with a configuration in it, and stages run on that."""

    @classmethod
    def setUpClass(cls):
        cls.env = fetching.environment()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hostile-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.config = self.path / "pipeline.yaml"

    def run_stage(self, stage, *args, **env):
        return run([BIN / stage, "--config", self.config, "--period", PERIOD, *args], cwd=self.path,
                   env={**self.env, **env})
