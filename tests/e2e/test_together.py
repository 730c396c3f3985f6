"""Several processes of each stage over one staging directory: shards that together do what one run does, and rivals of
which one has the folder while the others say so and leave."""
import collections
import fcntl
import json
import os
import shutil
import subprocess
import unittest

import tally
from harness import AS_OF, BIN, PERIOD, ROOT, Pipeline, Result, create_database

from world import Company, Term

COMPANIES, SHARDS = 12, 8
OK, TRY_AGAIN = 0, 75
RESULTS = ("company", "contract", "invoice", "employee", "employment", "payroll_contract", "pay_base", "payroll_period",
           "affiliation", "member", "contribution", "coverage", "invoice_control")


def small_company(n):
    """Three people and the month's invoice; every third company is owed something that cannot be given to anybody."""
    company = Company(f"company-{n:02}", f"{31000000 + n}", f"Company {n}")
    site = company.site("0001", f"payfit-key-{n}")
    contract = company.contract("health", f"SANTE{n:011}", [Term("BASE", "ENS", price=10001 + n)])
    plan = site.plan("health", contract.reference, "BASE", "ENS")
    invoice = company.invoice(PERIOD)
    for name, sex, born in (("Anne Arnaud", 2, "1980-01-01"), ("Benoît Brun", 1, "1985-05-05"),
                            ("Claire Colin", 2, "1990-09-09")):
        person = company.person(name, sex, born)
        if n % 3 or name != "Claire Colin":
            site.hire(person, "2020-01-06", health=plan)
        company.bill_family(invoice, company.join(person, contract, "2024-01-01", "BASE", "ENS"), contract)
    return company


class World(Pipeline):
    def build(self):
        return [small_company(n) for n in range(COMPANIES)]

    def configuration(self):
        sample = (ROOT / "pipeline.yaml").read_text(encoding="utf-8")
        head = sample[:sample.index("\ncompanies:")]
        return head.replace("keep_runs: 30 ", "keep_runs: 1 ") + "\ncompanies:\n" + "".join(
            f'  - {{ id: {company.id}, siren: "{company.siren}", alan_company_id: {company.alan_id}, establishments: '
            f'[{{ siret: "{site.siret}", payroll_company_id: {site.id}, payroll_token: "{site.key}" }}] }}\n'
            for company in self.companies for site in company.sites)

    def start(self, name, *args, **env):
        command = [BIN / name, "--config", self.config, "--staging", self.path / "staging", "--period", PERIOD, *args]
        return subprocess.Popen(command, cwd=ROOT, env={**self.env, **env}, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE)

    def together(self, name, *argument_lists, **env):
        """Runs one stage several times at once."""
        processes = [self.start(name, *args, **env) for args in argument_lists]
        outputs = [process.communicate(timeout=120) for process in processes]
        return [Result(subprocess.CompletedProcess(process.args, process.returncode, *output))
                for process, output in zip(processes, outputs)]

    def lines(self, run_id, stage):
        """The lines of each entity in all folders of a run's stage, in no order; of the index nothing."""
        lines = collections.defaultdict(list)
        for path in (self.path / "staging" / PERIOD / run_id).glob(f"{stage}*/*-*.ndjson"):
            lines[path.name.split("-")[0]] += path.read_bytes().splitlines()
        return {entity: sorted(found) for entity, found in lines.items()}

    def results(self):
        inbox = "SELECT company_id, code, subject_id, held_cents FROM payroll.discrepancy ORDER BY 1, 2, 3"
        return {"discrepancy": self.psql(inbox),
                **{table: self.psql(f"SELECT t FROM payroll.{table} AS t ORDER BY t") for table in RESULTS}}


class Together(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def succeed(self, results):
        self.assertEqual([result.status for result in results], [OK] * len(results),
                         "".join(result.stderr for result in results))


class Shards(Together):
    def test_union_is_the_whole(self):
        world = self.world
        for stage in ("extract", "transform", "load"):
            world.must(stage, "--run-id", "whole", *(["--as-of", AS_OF] if stage == "extract" else []))
        whole, staged = world.results(), {stage: world.lines("whole", stage) for stage in ("extract", "transform")}
        self.assertEqual(len(staged["transform"]["contributions"]), 3 * COMPANIES)
        self.other_database()
        self.old_runs()
        shards = [("--run-id", "sharded", "--shard", f"{n}/{SHARDS}") for n in range(SHARDS)]
        self.succeed(world.together("extract", *[(*shard, "--as-of", AS_OF) for shard in shards]))
        self.succeed(world.together("transform", *shards))
        for stage, wanted in staged.items():
            self.assertEqual(world.lines("sharded", stage), wanted)
        self.succeed(world.together("load", *shards))
        self.assertEqual(world.results(), whole)
        again = world.together("load", *shards)
        self.succeed(again)
        self.assertEqual({result.report["changed"] for result in again}, {False})
        tally.count("shards at the same time", 4 * SHARDS)

    def other_database(self):
        self.world.env["PGDATABASE"] += "_sharded"
        create_database(self.world.env, self.world.env["PGDATABASE"])
        self.world.must("load", "--migrate")

    def old_runs(self):
        """Runs to be purged, by whichever shard comes first to each."""
        staging = self.world.path / "staging"
        for n in range(20):
            old = staging / PERIOD / f"old-{n:02}"
            shutil.copytree(staging / PERIOD / "whole", old)
            for manifest in old.glob("*/manifest.json"):
                manifest.unlink()
            os.utime(old, (n, n))


class Rivals(Together):
    def check_rivals(self, stage, results):
        """At least one had the folder; the others say that they had not, and which."""
        won = [result for result in results if result.status == OK]
        for result in results:
            if result.status != OK:
                self.assertEqual(result.status, TRY_AGAIN, result.stderr)
                self.assertRegex(result.stderr, rf"staging/{PERIOD}/.*/{stage}/\.lock: another process has the lock")
                self.assertEqual(result.report["status"], "failed")
        self.assertGreaterEqual(len(won), 1)
        tally.count("rivals for one folder", len(results))
        return won

    def test_extract(self):
        """Slow enough to meet: without a run id the later ones find the first one's unfinished run and go for that."""
        world = self.world
        world.feed.faults({"match": "contracts", "times": 10000, "delay_s": 0.05})
        for args in (("--run-id", "one"), ()):
            won = self.check_rivals("extract", world.together("extract", *[args] * 4))
            self.assertEqual({result.report["rows"]["invoice_lines"] for result in won}, {3 * COMPANIES})
            if args:
                self.assertEqual(len(won), 1)
        self.succeed(world.together("transform", ()))
        self.succeed(world.together("load", ()))

    def test_transform(self):
        world = self.world
        world.must("extract", "--run-id", "one")
        world.must("transform", "--run-id", "one")
        wanted = world.lines("one", "transform")
        for _ in range(3):
            self.check_rivals("transform", world.together("transform", *[("--run-id", "one")] * 4))
            self.assertEqual(world.lines("one", "transform"), wanted)
        self.succeed(world.together("load", ()))

    def test_one_that_has_the_folder(self):
        """However long."""
        world = self.world
        world.must("extract", "--run-id", "one")
        for stage in ("extract", "transform"):
            folder = world.path / "staging" / PERIOD / "one" / stage
            folder.mkdir(mode=0o700, exist_ok=True)
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            with open(folder / ".lock", "a", encoding="ascii") as lock:
                os.chmod(lock.fileno(), 0o600)
                fcntl.flock(lock, fcntl.LOCK_EX)
                result = world.stage(stage, "--run-id", "one")
            self.assertEqual(result.status, TRY_AGAIN, result.stderr)
            self.assertIn(f"{folder}/.lock: another process has the lock", result.stderr)
            self.assertEqual({path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"},
                             {name: text for name, text in before.items() if name != ".lock"})
        world.must("extract", "--run-id", "one")

    def test_whole_runs(self):
        """Three nights at once under names of their own, and one that takes the newest at each step."""
        world = self.world
        runs = [("--run-id", f"rival-{n}") for n in range(3)]
        self.succeed(world.together("extract", *[(*run, "--as-of", AS_OF) for run in runs]))
        kept = [run for run in runs if (world.path / "staging" / PERIOD / run[1]).exists()]
        self.succeed(world.together("transform", *kept))
        self.succeed(world.together("load", *kept))
        self.assertEqual(json.loads(world.psql("SELECT json_build_array(count(*), sum(amount_cents)) "
                                               "FROM payroll.contribution")),
                         [3 * COMPANIES, sum(3 * (10001 + n) for n in range(COMPANIES))])


if __name__ == "__main__":
    unittest.main()
