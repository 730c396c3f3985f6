"""A mapped file that cannot be read when its turn comes: the process ends as after a failed read (74), names the file, and
publishes nothing; the same command again is as if nothing had been."""
import pathlib
import shutil
import subprocess
import time
import unittest

from harness import BIN, PERIOD, ROOT, TRACED, Pipeline

IO = 74
DELAY_US = 3_000_000


class Mapped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = Pipeline()
        cls.addClassCleanup(cls.pipeline.close)
        for stage in ("extract", "transform"):
            cls.pipeline.must(stage, "--run-id", "cut")

    def start(self, stage, *tracer):
        return subprocess.Popen([*tracer, BIN / stage, "--config", self.pipeline.config, "--staging",
                                 self.pipeline.path / "staging", "--period", PERIOD, "--run-id", "cut"],
                                cwd=ROOT, env=self.pipeline.env | TRACED, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def cut_while_mapped(self, stage, file):
        """strace holds the stage up behind the mmap of the file, which is then cut to nothing."""
        tracer = self.start(stage, "strace", "-f", "-o", self.pipeline.path / "trace", "-P", file, "-e", "trace=mmap",
                            f"--inject=mmap:delay_exit={DELAY_US}")
        while tracer.poll() is None and not self.is_mapped(file):
            time.sleep(0.01)
        kept = file.read_bytes()
        file.write_bytes(b"")
        _, said = tracer.communicate(timeout=100)
        file.write_bytes(kept)
        return tracer.returncode, said

    @staticmethod
    def is_mapped(file):
        for maps in pathlib.Path("/proc").glob("[0-9]*/maps"):
            try:
                if str(file) in maps.read_text(encoding="utf-8", errors="replace"):
                    return True
            except OSError:     # it has just ended
                continue
        return False

    def assert_told(self, stage, file):
        status, said = self.cut_while_mapped(stage, file)
        self.assertEqual(status, IO, said)
        self.assertIn(f"cannot read {file}: the disk failed, or the file was cut while it was read", said)

    def test_transform(self):
        folder = self.pipeline.path / "staging" / PERIOD / "cut"
        shutil.rmtree(folder / "transform")
        self.assert_told("transform", folder / "extract" / "affiliations-0000.ndjson")
        self.assertFalse((folder / "transform" / "manifest.json").exists())
        self.pipeline.must("transform", "--run-id", "cut")

    def test_load(self):
        file = self.pipeline.path / "staging" / PERIOD / "cut" / "transform" / "contributions-0000.ndjson"
        self.assert_told("load", file)
        self.assertEqual(self.pipeline.psql("SELECT count(*) FROM payroll.contribution").strip(), "0")
        self.pipeline.must("load", "--run-id", "cut")


if __name__ == "__main__":
    unittest.main()
