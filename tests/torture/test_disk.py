"""Reads and writes that move less than was asked for, and disks that are full: after so many bytes of a write, and real
ones, a tmpfs with so little room left."""
import contextlib
import os
import shutil
import subprocess
import unittest

import tally
from scenarios import DONE
from sweep import WorldTest

CANNOT_CREATE, IO = 73, 74


class Disk(WorldTest):
    def test_pieces(self):
        seeds = range(tally.SEED, tally.SEED + (50 if tally.FULL else 2))
        for name in ("extract", "transform", "transform-workers", "load"):
            scenario = self.world.scenarios[name]
            for seed in seeds:
                with self.subTest(scenario=name, seed=seed), scenario.trial() as trial:
                    wanted = scenario.expected
                    result = trial.run(TORTURE_SHORT=seed)
                    self.assertEqual(result.status, scenario.status, result.stderr)
                    self.assertEqual(trial.state(), wanted)
            tally.count("runs in short reads and writes", len(seeds))

    def test_full(self):
        for name in ("extract-continued", "transform", "transform-workers"):
            scenario, full = self.world.scenarios[name], 0
            for room in range(0, 100_000, 2_000 if tally.FULL else 40_000):
                with self.subTest(scenario=name, bytes=room), scenario.trial() as trial:
                    wanted = scenario.expected
                    result = trial.run(TORTURE_DISK=room)
                    if result.status == scenario.status:    # there was room for all of it
                        self.assertEqual(trial.state(), wanted)
                        break
                    full += 1
                    self.assertEqual(result.status, CANNOT_CREATE, result.stderr)
                    self.assertRegex(result.report["error"], "cannot write /.*: No space left on device")
                    self.assertEqual(trial.wounds(), "")
                    self.assertEqual(trial.scars(), "")
                    self.assertEqual(trial.state(), wanted)
            self.assertGreater(full, 0)
            tally.count("full disks", full)

    @unittest.skipUnless(os.getuid() == 0, "needs root to mount a tmpfs: no full file system was tried")
    def test_full_file_system(self):
        for name in ("extract", "extract-continued", "transform", "transform-workers", "load"):
            scenario, full = self.world.scenarios[name], 0
            for room in range(0, 400_000, 16_384 if tally.FULL else 120_000):
                with self.subTest(scenario=name, bytes=room), scenario.trial() as trial, self.tmpfs(trial) as resize:
                    wanted = scenario.expected
                    resize(room)
                    result = trial.run()
                    if result.status in DONE:
                        self.assertEqual(trial.state(), wanted)
                        break
                    full += 1
                    self.assertIn(result.status, (CANNOT_CREATE, IO), result.stderr)
                    self.assertRegex(result.report["error"], rf"{trial.staging}.*: No space left on device")
                    self.assertEqual(trial.wounds(), "")
                    resize(64 << 20)
                    self.assertEqual(trial.scars(), "")
            self.assertEqual(full == 0, name == "load", "load needs no room, the others do")
            tally.count("full file systems", full)

    @contextlib.contextmanager
    def tmpfs(self, trial):
        """Puts what a trial begins with on a file system of its own; what is given gives it so much room."""
        folder = trial.world.scratch / "tmpfs"
        folder.mkdir()

        def mount(*options):
            command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                self.skipTest(f"no full file system was tried: {done.stderr.strip()}")

        def resize(room):
            of = os.statvfs(folder)
            used = (of.f_blocks - of.f_bfree) * of.f_frsize
            mount("remount", f"size={max(used + room, of.f_frsize)}")   # 0 would be no limit

        try:
            mount("mode=700", "size=64m")
            kept, trial.staging = trial.staging, folder / "staging"
            if kept.exists():
                shutil.copytree(kept, trial.staging)
            yield resize
            trial.staging = kept
        finally:
            subprocess.run(["umount", folder], check=False, capture_output=True)
            folder.rmdir()


if __name__ == "__main__":
    unittest.main()
