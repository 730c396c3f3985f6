"""Killed anywhere: SIGKILL at each system call that changes something or talks to somebody, then the same command again."""
import unittest

from scenarios import DONE, KILLED
from sweep import Sweep
from tracing import calls, inject

NAMES = ("write", "writev", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "link",
         "linkat", "unlink", "unlinkat", "rmdir", "mkdir", "chmod", "fchmod", "flock", "connect", "sendto", "sendmsg",
         "recvfrom", "recvmsg", "read")


class Killed(Sweep):
    counts, fewest = "kill points", 6

    def points(self, scenario):
        """read is worth a point only from a socket: a file is not changed by it."""
        with scenario.trial() as trial:
            found = calls(trial, NAMES, self.trace)
        return [(c,) for c in found if c.name != "read" or c.path == ""]

    def sweep(self, name, more=0, kind=lambda call: call.kind):
        super().sweep(name, kind, more)

    def attempt(self, scenario, call):
        with scenario.trial() as trial:
            # Killed while it adds its counts to those of `make coverage`, it would spoil them.
            result = trial.run(tracer=inject(trial.staging, call, "signal=SIGKILL", self.trace),
                               GCOV_PREFIX=self.world.path)
            if call.worker and scenario.name == "transform-workers" or result.status == 75:   # else it is a thread
                self.assertEqual(result.status, 75, result.stderr)
                self.assertIn("a worker was killed by signal 9", result.stderr)
            elif result.status != KILLED:   # answers that come together are fewer calls
                self.assertIn(result.status, DONE, result.stderr)
            self.assertEqual(trial.wounds(), "")
            self.assertEqual(trial.scars(), "")

    def test_extract(self):
        self.sweep("extract", more=2, kind=lambda call: call.name)

    def test_extract_that_goes_on(self):
        self.sweep("extract-continued", more=4)

    def test_extract_of_a_second_night(self):
        self.sweep("extract-again", kind=lambda call: call.name)

    def test_transform(self):
        self.sweep("transform", more=4)

    def test_transform_with_workers(self):
        self.sweep("transform-workers", more=4)

    def test_load(self):
        self.sweep("load", more=6)

    def test_load_of_a_second_night(self):
        self.sweep("load-again", more=6)

    def test_close(self):
        self.sweep("close", more=4)

    def test_migrate(self):
        self.sweep("migrate", more=4)


if __name__ == "__main__":
    unittest.main()
