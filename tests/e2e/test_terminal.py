"""What somebody sees who watches a run: the progress bar on a terminal, messages beside it, logs in both formats."""
import fcntl
import json
import os
import re
import struct
import subprocess
import termios
import unittest

from harness import AS_OF, BIN, PERIOD, ROOT, Pipeline

BAR = re.compile(r"^(extract|transform|load) \[[#.]+\] [\d,]+/3 companies  [\d,]+ records  [\d,]+/s(  [\d:]+ left)?$")


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Pipeline()
        cls.addClassCleanup(cls.world.close)

    def watch(self, stage, *args, columns=100):
        """Runs a stage with a terminal of this width as its stderr: status and the lines as they were drawn."""
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([BIN / stage, "--config", self.world.config, "--staging", self.world.path / "staging",
                                    "--period", PERIOD, *args], cwd=ROOT, env=self.world.env, stdout=subprocess.DEVNULL,
                                   stderr=theirs)
        os.close(theirs)
        seen = b""
        try:
            while chunk := os.read(ours, 65536):
                seen += chunk
        except OSError:  # EIO: the other side has gone
            pass
        os.close(ours)
        drawn = [text.removeprefix("\033[K") for text in re.split(r"\r\n|\r|\n", seen.decode())]
        return process.wait(), [text for text in drawn if text]

    def test_a_bar_follows_every_stage_to_its_end_and_messages_stand_on_lines_of_their_own(self):
        for stage, *args in (["extract", "--as-of", AS_OF], ["transform", "--jobs", "2"], ["load"]):
            status, drawn = self.watch(stage, "--log-level", "debug", *args)
            self.assertEqual(status, 0, drawn)
            bars = [text for text in drawn if text.startswith(stage + " ")]
            self.assertTrue(bars, drawn)
            for text in bars:
                self.assertRegex(text, BAR)
            self.assertIn(" 3/3 companies", bars[-1])
            for text in set(drawn) - set(bars):
                self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\S+Z (info|debug|warning) " + stage + " ")

    def test_a_narrow_terminal_is_not_overrun(self):
        status, drawn = self.watch("extract", "--as-of", AS_OF, "--log-level", "error", columns=30)
        self.assertEqual(status, 0, drawn)
        for text in drawn:
            self.assertLess(len(text), 30)

    def test_no_bar_where_none_is_wanted(self):
        for args in (["--quiet"], ["--log-format", "json"], ["--progress", "never"]):
            _, drawn = self.watch("extract", "--as-of", AS_OF, *args)
            self.assertFalse([text for text in drawn if text.startswith("extract ")], args)

    def test_a_bar_can_be_asked_for_without_a_terminal(self):
        result = self.world.must("extract", "--as-of", AS_OF, "--progress", "always")
        self.assertIn("3/3 companies", result.stderr)

    def test_json_logs_are_one_object_a_line(self):
        result = self.world.must("extract", "--as-of", AS_OF, "--log-format", "json", "--log-level", "debug")
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertTrue(lines)
        for line in lines:
            self.assertEqual(list(line), ["at", "level", "stage", "run_id", "message"])
            self.assertEqual(line["stage"], "extract")
        self.assertEqual(lines[-1]["run_id"], result.report["run_id"])


if __name__ == "__main__":
    unittest.main()
