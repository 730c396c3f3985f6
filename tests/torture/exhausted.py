"""Memory that runs out: the allocations of a stage, in libraries as well, fail one at a time. The process ends with 75 and
says so, or does without; it never crashes, and the same command again makes what an undisturbed run does."""
from scenarios import DONE
from sweep import Sweep

TRY_AGAIN, UNAVAILABLE = 75, 69


class Exhausted(Sweep):
    counts = "allocations failed"

    def points(self, scenario):
        """The first allocation of each call stack; the last number is that of all."""
        path = self.world.path / "allocations"
        with scenario.trial() as trial:
            result = trial.run(TORTURE_ALLOC_LIST=path)
            self.assertIn(result.status, DONE, result.stderr)
        *first, total = map(int, path.read_text(encoding="ascii").split())
        self.assertGreater(total, len(first))
        return [(n,) for n in first]

    def sweep(self, name, sample):
        super().sweep(name, lambda n: None, sample)

    def attempt(self, scenario, n):
        with scenario.trial() as trial:
            result = trial.run(TORTURE_ALLOC=n)
            self.assertEqual(trial.wounds(), "")
            if result.status in DONE:
                self.assertEqual(trial.state(), scenario.expected)
                self.assertEqual(result.report["rows"], scenario.report["rows"])
            else:
                self.assertIn(result.status, (TRY_AGAIN, UNAVAILABLE), result.stderr)
                self.assertIn("memory", result.stderr)
            self.assertEqual(trial.scars(), "")
