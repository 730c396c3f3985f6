"""Reads and writes that move less than was asked for, and a disk that is full after so many bytes."""
import unittest

import tally
from scenarios import World

CANNOT_CREATE = 73


class Disk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

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


if __name__ == "__main__":
    unittest.main()
