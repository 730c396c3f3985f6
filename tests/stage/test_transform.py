"""transform on the cases of tests/cases/transform: a folder each.

in.json     what differs from _base/in.json: per entity the records by id (fields are laid over the base's record of that id,
            null takes the record away), rules of pipeline.yaml, period, as_of
out.json    what must come out: per entity all the records, each with the fields that matter; an entity that is not named
            is not looked at, "rejects" and "status" (of the process) are looked at always
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import staging

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ROOT / "tests" / "cases" / "transform"
TRANSFORM = ROOT / os.environ.get("BUILD", "build") / "bin" / "transform"
BASE = json.loads((CASES / "_base" / "in.json").read_text(encoding="utf-8"))
RUN = "r1"
REJECT = {"stage": "extract", "entity": "invoices", "company_id": "acme", "reason": "bad_date", "faults": ["issued_on"],
          "source": "http://x", "line": 3, "raw": "{}"}


def overlay(base, over):
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = {**base, **{key: overlay(base.get(key), value) for key, value in over.items()}}
    return {key: value for key, value in merged.items() if not (value is None and isinstance(base.get(key), dict))}


def id_field(entity):
    fields = [field for _, field, _, _ in staging.RECORDS[staging.ENTITIES[entity]]]
    return fields[1]


def records_of(world, entity):
    """Records by id as a list in order of id; a list is taken as it is (pay bases, links, dispenses have no id)."""
    given = world.get(entity, [])
    if isinstance(given, list):
        return given
    return [{id_field(entity): key, **record} for key, record in sorted(given.items())]


def yaml_of(rules):
    lines = ["version: 1", "rules:"] + [f"  {key}: {json.dumps(value)}" for key, value in rules.items()]
    return "\n".join(lines if rules else lines[:1]) + ('\ncompanies:\n  - { id: acme, siren: "404833048" }\n'
                                                       "sources: {}\n")


class World:
    """A case's input in a staging directory of its own."""

    def __init__(self, world, companies=("acme",), shuffle=None, per_part=None, rejects=()):
        self.folder = tempfile.TemporaryDirectory(prefix="transform-")
        self.path = pathlib.Path(self.folder.name)
        self.period = world["period"]
        self.config = self.path / "pipeline.yaml"
        self.config.write_text(yaml_of(world["rules"]), encoding="utf-8")
        rows = []
        for name in companies:
            entities = {e: records_of(world, e) for e in staging.ENTITIES if e in world}
            if shuffle:
                for records in entities.values():
                    shuffle.shuffle(records)
            rows.append(({**world["company"], "company_id": name}, entities))
        writer = staging.Writer(self.path / "staging", "extract", RUN, self.period, world["as_of"])
        writer.write(rows, rejects, per_part)

    def run(self, *options):
        process = subprocess.run(
            [TRANSFORM, "--config", self.config, "--staging", self.path / "staging", "--period", self.period,
             "--progress", "never", *options], capture_output=True, text=True)
        self.report = json.loads(process.stdout)
        self.stderr = process.stderr
        return process.returncode

    def output(self):
        folder = self.path / "staging" / self.period / RUN / "transform"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.ndjson"))}

    def entities(self):
        found = {}
        for name, content in self.output().items():
            records = [json.loads(line) for line in content.splitlines()]
            found.setdefault(name.split("-")[0].removesuffix(".ndjson"), []).extend(records)
        return found


def subset(expected, actual):
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(k in actual and subset(v, actual[k]) for k, v in expected.items())
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(subset, expected, actual))
    return expected == actual


class Cases(unittest.TestCase):
    maxDiff = None

    def check(self, entity, expected, actual):
        left = list(actual)
        for record in expected:
            match = next((r for r in left if subset(record, r)), None)
            self.assertIsNotNone(match, f"{entity}: no record like\n  {record}\namong\n  " + "\n  ".join(map(str, left)))
            left.remove(match)
        self.assertEqual(left, [], f"{entity}: more than was expected")

    def case(self, name):
        folder = CASES / name
        world = overlay(BASE, json.loads((folder / "in.json").read_text(encoding="utf-8")))
        expected = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        w = World(world)
        self.assertEqual(w.run(), expected.pop("status", 0), w.stderr)
        actual = w.entities()
        expected.setdefault("rejects", [])
        for entity, records in expected.items():
            self.check(entity, records, actual.get(entity, []))
        self.invariants(world, actual)
        shuffled = World(world, shuffle=random.Random(1))
        shuffled.run()
        self.assertEqual(self.without_rejects(shuffled), self.without_rejects(w), "the order of the input changes the output")

    def without_rejects(self, w):
        """A reject names the line it stood on, which does depend on the order."""
        return {name: content for name, content in w.output().items() if name != "rejects.ndjson"}

    def invariants(self, world, actual):
        for c in actual.get("contributions", []):
            self.assertEqual(c["employer_cents"] + c["employee_cents"], c["amount_cents"], c)
            self.assertEqual(c["cover_from"][:7], c["cover_to"][:7], c)
            self.assertEqual(c["status"] == "held", c["hold_code"] is not None, c)
        for control in actual.get("invoice_controls", []):
            of = [c for c in actual.get("contributions", []) if c["invoice_id"] == control["invoice_id"]]
            ready = sum(c["amount_cents"] for c in of if c["status"] == "ready")
            held = sum(c["amount_cents"] for c in of if c["status"] == "held")
            self.assertEqual((control["allocated_cents"], control["held_cents"]), (ready, held), control)
            self.assertEqual(ready + held + control["posted_cents"], control["lines_cents"], control)


def add_case(name):
    setattr(Cases, "test_" + name.replace("-", "_"), lambda self: self.case(name))


for case in sorted(path.name for path in CASES.iterdir() if not path.name.startswith("_")):
    add_case(case)


class Running(unittest.TestCase):
    def test_workers_do_not_change_bytes(self):
        outputs = []
        for jobs in ("1", "2", "5"):
            w = World(BASE, companies=[f"c{i}" for i in range(7)], per_part=2)
            self.assertEqual(w.run("--jobs", jobs), 0, w.stderr)
            outputs.append(w.output())
        self.assertIn("contributions-0003.ndjson", outputs[0])
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(outputs[0], outputs[2])

    def test_the_manifest_has_the_digests_of_the_files(self):
        w = World(BASE, companies=[f"c{i}" for i in range(7)], per_part=2, rejects=[REJECT])
        self.assertEqual(w.run(), 3, w.stderr)
        manifest = json.loads((w.path / "staging" / w.period / RUN / "transform" / "manifest.json").read_text(encoding="utf-8"))
        told = {file["name"]: {"sha256": file["sha256"], "xxh128": file["xxh128"]} for file in manifest["files"]}
        self.assertEqual(told, {name: staging.digests(content) for name, content in w.output().items()})

    def test_shards_are_a_partition(self):
        names = [f"c{i}" for i in range(40)]
        w = World(BASE, companies=names)
        seen = []
        for shard in range(3):
            self.assertEqual(w.run("--shard", f"{shard}/3"), 0, w.stderr)
            folder = w.path / "staging" / w.period / RUN / f"transform-{shard}-of-3"
            lines = (folder / "companies.ndjson").read_text(encoding="utf-8").splitlines()
            self.assertLess(len(lines), 40)
            seen += [json.loads(line)["company_id"] for line in lines]
        self.assertEqual(sorted(seen), sorted(names))

    def test_no_input(self):
        w = World(BASE)
        self.assertEqual(w.run("--run-id", "other"), 66)
        self.assertIn("other", w.stderr)

    def test_truncated_input(self):
        w = World(BASE)
        path = w.path / "staging" / w.period / RUN / "extract" / "invoice_lines-0000.ndjson"
        path.write_bytes(path.read_bytes()[:-10])
        self.assertEqual(w.run(), 65)
        self.assertIn("invoice_lines-0000.ndjson", w.stderr)
        self.assertEqual(w.output(), {})

    def test_changed_input(self):
        w = World(BASE)
        path = w.path / "staging" / w.period / RUN / "extract" / "invoice_lines-0000.ndjson"
        path.write_bytes(path.read_bytes().replace(b"11710", b"11711"))
        self.assertEqual(w.run(), 65)
        self.assertIn("invoice_lines-0000.ndjson", w.stderr)
        self.assertEqual(w.output(), {})

    def test_changed_rejects(self):
        """What extract rejected is passed on only as it was written."""
        w = World(BASE, rejects=[REJECT])
        self.assertEqual(w.run(), 3, w.stderr)
        self.assertEqual(w.entities()["rejects"][0]["raw"], REJECT["raw"])
        path = w.path / "staging" / w.period / RUN / "extract" / "rejects.ndjson"
        path.write_bytes(path.read_bytes().replace(b'"line":3', b'"line":4'))
        self.assertEqual(w.run(), 65)
        self.assertIn("rejects.ndjson: expected XXH128", w.stderr)

    def test_rejects_that_are_none(self):
        w = World(BASE, rejects=[{**REJECT, "stage": "nowhere"}])
        self.assertEqual(w.run(), 65)
        self.assertIn("rejects.ndjson: line 1 is no reject", w.stderr)

    def test_amounts_beyond_64_bits(self):
        """Each fits and so does their sum, but not on the way to it."""
        line, large = BASE["invoice_lines"]["L1"], 9 * 10 ** 18
        cents = {"L1": large, "L2": large, "L3": -large}
        lines = {name: {**line, "amount_cents": amount} for name, amount in cents.items()}
        w = World(overlay(BASE, {"invoice_lines": lines}))
        self.assertEqual(w.run(), 65)
        self.assertIn("add up beyond what 64 bits hold", w.stderr)
        self.assertEqual(w.output(), {})

    def test_final_line(self):
        w = World(BASE)
        w.run()
        self.assertEqual(w.report["status"], "ok")
        self.assertEqual(w.report["rows"]["contributions"], 1)
        self.assertEqual(w.report["cents"]["contributions"], 11710)

    def test_dry_run_publishes_nothing(self):
        w = World(BASE)
        self.assertEqual(w.run("--dry-run"), 0, w.stderr)
        self.assertEqual(w.output(), {})


if __name__ == "__main__":
    unittest.main()
