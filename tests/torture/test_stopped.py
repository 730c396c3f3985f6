"""SIGTERM at system calls drawn from all of a run: each stage stops within two seconds with status 75, and the next run goes
on where it was: extract asks for no page again that it has."""
import collections
import re
import time
import unittest

from scenarios import DONE
from sweep import Sweep
from tracing import calls, inject

TRY_AGAIN, LONGEST_S, TRIES = 75, 2, 3
NAMES = ("sendto", "recvfrom", "poll", "writev", "write", "fsync", "rename", "openat")


class Stopped(Sweep):
    counts = "stop points"

    def points(self, scenario):
        with scenario.trial() as trial:
            found = calls(trial, NAMES, self.trace)
        return [(c,) for c in found if not c.worker]

    def sweep(self, name, then, sample=4):
        self.then, self.stopped = then, 0
        super().sweep(name, lambda call: call.name, sample)
        self.assertGreater(self.stopped, 0)

    def attempt(self, scenario, call):
        """A stage that waits for something else than the signal does so each time; a busy machine does not."""
        for _ in range(TRIES):
            seconds = self.once(scenario, call)
            if seconds < LONGEST_S:
                break
        self.assertLess(seconds, LONGEST_S)

    def once(self, scenario, call):
        """How long it took to stop."""
        with scenario.trial() as trial:
            result, seconds = self.stop(trial, call)
            self.stopped += result.status == TRY_AGAIN
            self.assertIn(result.status, (TRY_AGAIN, *DONE), result.stderr)
            if result.status == TRY_AGAIN:
                self.assertIn("stopped by a signal", result.report["error"])
            self.assertEqual(trial.wounds(), "")
            self.then(trial, result)
        return seconds

    def stop(self, trial, call):
        """Runs up to the signal, and how long it took from there to the end."""
        tracer = inject(trial.staging, call, "signal=SIGTERM", self.trace)
        tracer[1:1] = ["-ttt"]
        result = trial.run(tracer=tracer)
        ended = time.time()
        signals = re.findall(r"^\d+ +([\d.]+) --- SIGTERM", self.trace.read_text(errors="replace"), re.M)
        return result, ended - float(signals[0]) if signals else 0

    def test_extract_goes_on_from_the_last_complete_page(self):
        def goes_on(trial, result):
            feed = self.world.feed
            self.assertEqual(trial.scars(), "")
            if result.status == TRY_AGAIN:
                again = collections.Counter(request["path"] for request in feed.requests() if request["status"] == 200)
                kept.extend(have)
                self.assertEqual([path for path in again if path in have], [])

        have, kept = [], []
        original = self.stop

        def stop(trial, call):
            self.world.feed.faults()    # forgets what was asked
            result = original(trial, call)
            have[:] = pages(trial.staging)
            self.world.feed.faults()
            return result
        self.stop = stop
        self.sweep("extract", goes_on, sample=6)
        self.assertGreater(len(kept), 0)

    def heals(self, trial, _):
        self.assertEqual(trial.scars(), "")

    def test_transform(self):
        self.sweep("transform", self.heals)

    def test_transform_with_workers(self):
        self.sweep("transform-workers", self.heals)

    def test_load(self):
        self.sweep("load", self.heals)

    def test_close(self):
        self.sweep("close", self.heals, 0)

    def test_migrate(self):
        self.sweep("migrate", self.heals, 0)


def pages(staging):
    """The requests whose answers are kept whole in the spools of an interrupted run."""
    found = []
    for spool in staging.rglob("raw/*.spool"):
        found += re.findall(rb'^\{"request":\d+,"page":\d+,"url":"https?://[^/]+([^"]+)"', spool.read_bytes(), re.M)
    return [path.decode() for path in found]


if __name__ == "__main__":
    unittest.main()
