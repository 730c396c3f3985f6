"""Every harness: all of its corpus again, which holds every input that ever broke a property, then some thousand inputs
made from it with a fixed seed. `make fuzz` goes on from there."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import tally

FUZZ = pathlib.Path(__file__).resolve().parent
BUILD = FUZZ.parent.parent / (os.environ.get("BUILD", "build") + "-fuzz")
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c"))
RUNS = {"config": 1400, "source": 500}  # of the others: many
OTHERS, TIMES_WHEN_FULL = 10000, 30


class Harness(unittest.TestCase):
    def run_harness(self, name, *arguments):
        """In a folder of its own: what libFuzzer finds new goes to the first folder that it is given."""
        with tempfile.TemporaryDirectory(prefix="fuzz-") as found:
            done = subprocess.run([BUILD / "tests" / "fuzz" / name, "-timeout=20", "-rss_limit_mb=1024",
                                   f"-artifact_prefix={found}/", *arguments],
                                  capture_output=True, timeout=280, cwd=found)
            inputs = [path.read_bytes() for path in pathlib.Path(found).glob("*-*")]
        text = done.stderr.decode("utf-8", "replace")
        told = "\n".join(line for line in text.splitlines() if not re.match(r"#\d+\t", line))
        self.assertEqual(done.returncode, 0, f"{told[-8000:]}\nthe input: {inputs}")
        return text

    def check(self, name):
        corpus = sorted((FUZZ / "corpus" / name).iterdir())
        self.assertGreater(len(corpus), 3)
        self.run_harness(name, *corpus)
        runs = RUNS.get(name, OTHERS) * (TIMES_WHEN_FULL if tally.FULL else 1)
        dictionary = FUZZ / f"{name}.dict"
        text = self.run_harness(name, f"-seed={tally.SEED}", f"-runs={runs}", "-print_final_stats=1",
                                *([f"-dict={dictionary}"] if dictionary.exists() else []), ".", FUZZ / "corpus" / name)
        executed = int(re.search(r"stat::number_of_executed_units: *(\d+)", text)[1])
        self.assertGreaterEqual(executed, runs)
        tally.count("fuzz executions", executed + len(corpus))


for harness in NAMES:
    setattr(Harness, f"test_{harness}", lambda self, name=harness: self.check(name))


if __name__ == "__main__":
    unittest.main()
