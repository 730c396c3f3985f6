"""Nights over a network in a bad mood: the sample's feed answers with errors, hangs up, waits and refuses, at requests
drawn by chance. Whatever extract makes of it, it ends with a status of the contract; the same command over a network
that is well again stages what an undisturbed run does, and the database comes out the same."""
import json
import random
import re
import unittest

import tally
from harness import AS_OF, PERIOD, Pipeline

STATUSES = {0, 3, 69, 75}
NIGHTS = 40 if tally.FULL else 2


def mood(chance):
    """Some faults: each befalls some requests in a row, here or there."""
    kinds = [{"status": 500}, {"status": 502, "body": "<html>"}, {"status": 503, "headers": {"Retry-After": "1"}},
             {"status": 429, "headers": {"Retry-After": "1"}}, {"status": 504}, {"drop": True}, {"delay_s": 0.3},
             {"drop": True, "delay_s": 0.1}]
    places = [".", "cursor", "invoice_lines", "affiliations", "collaborators", "boulangerie", "transports"]
    return [{"match": chance.choice(places), "skip": chance.randrange(12), "times": chance.choice((1, 1, 2, 3, 9)),
             **chance.choice(kinds)} for _ in range(chance.randint(4, 12))]


class BadNetwork(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.pipeline = Pipeline()
        self.addCleanup(self.pipeline.close)
        config = self.pipeline.config.read_text(encoding="utf-8")
        impatient = "retries: 1\n    timeout_ms: 5000\n    deadline_ms: 10000\n    auth: { kind: bearer"
        self.pipeline.config.write_text(config.replace("auth: { kind: bearer", impatient), encoding="utf-8")

    def extract(self, run_id):
        return self.pipeline.stage("extract", "--run-id", run_id, "--as-of", AS_OF, "--jobs", "4")

    def staged(self, run_id):
        folder = self.pipeline.path / "staging" / PERIOD / run_id / "extract"
        return {path.name: re.sub(r'"(attempted_at|synced_at)":"[^"]*"', r'"\1":null', path.read_text(encoding="utf-8"))
                for path in folder.glob("*.ndjson")}

    def test_nights(self):
        self.assertEqual(self.extract("clean").status, 0)
        self.pipeline.must("transform", "--run-id", "clean")
        self.pipeline.must("load", "--run-id", "clean")
        clean = self.staged("clean")
        for n in range(NIGHTS):
            with self.subTest(night=n, seed=tally.SEED):
                chance = random.Random(f"{tally.SEED}-{n}")
                self.night(f"night-{n}", mood(chance), clean)
        self.pipeline.must("transform", "--run-id", f"night-{NIGHTS - 1}")
        again = self.pipeline.must("load", "--run-id", f"night-{NIGHTS - 1}").report
        self.assertEqual({name: change for name, change in again["changes"].items() if any(change.values())}, {})
        tally.count("nights over a bad network", NIGHTS)

    def night(self, run_id, faults, clean):
        self.pipeline.feed.faults(*faults)
        result = self.extract(run_id)
        self.assertIn(result.status, STATUSES, f"{faults}\n{result.stderr}")
        self.assertNotIn("sample-token", result.stderr + json.dumps(result.report))
        self.assertNotIn("sample-key", result.stderr + json.dumps(result.report))
        if result.status != 0:
            self.assertRegex(result.stderr, r"company [a-z-]+: .*GET http://127\.0\.0\.1")
            self.pipeline.feed.faults()
            self.assertEqual(self.extract(run_id).status, 0)
        self.assertEqual(self.staged(run_id), clean)


if __name__ == "__main__":
    unittest.main()
