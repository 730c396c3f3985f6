"""SIGTERM at system calls drawn from all of a run: each stage stops within two seconds with status 75, and the next run goes
on where it was: extract asks for no page again that it has."""
import collections
import re
import time
import unittest

import tally
from scenarios import DONE
from sweep import WorldTest
from tracing import calls, chosen, inject

TRY_AGAIN, LONGEST_S = 75, 2
NAMES = ("sendto", "recvfrom", "poll", "writev", "write", "fsync", "rename", "openat")


class Stopped(WorldTest):
    def sweep(self, name, stop, sample=4):
        scenario = self.world.scenarios[name]
        self.assertNotEqual(scenario.before, scenario.expected)
        with scenario.trial() as trial:
            found = calls(trial, NAMES, self.trace)
        points = chosen([c for c in found if not c.worker], lambda call: call.name, sample, name)
        lost, stopped = 0, 0
        for call in points:
            with self.subTest(scenario=name, stopped_at=str(call)), scenario.trial() as trial:
                lost += 1
                result, seconds = self.stop(trial, call)
                stopped += result.status == TRY_AGAIN
                self.assertIn(result.status, (TRY_AGAIN, *DONE), result.stderr)
                self.assertLess(seconds, LONGEST_S)
                if result.status == TRY_AGAIN:
                    self.assertIn("stopped by a signal", result.report["error"])
                self.assertEqual(trial.wounds(), "")
                stop(trial, result)
                lost -= 1
        self.assertGreater(stopped, 0)
        tally.count("stop points", len(points), lost)

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
