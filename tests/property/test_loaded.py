"""Random companies over three payroll months on a real database: each month's feed is another, each month is closed.
What closed months hold never changes, invoices add up over all months, and every held cent and reject is told."""
import collections
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import generator
import relations
import tally
from batch import BIN
from calendars import first_day, months_after
from harness import cluster_environment, create_database
from staging import RECORDS, ROOT, Writer

COMPANIES = 200 if tally.FULL else 30
LAST = "2026-04"
FACTS = ("contribution", "closed_row", "invoice_control", "period", "coverage", "member", "invoice", "contract")
POSTED = ", ".join(field for _, field, _, _ in RECORDS["posted"] if field != "company_id")


class World:
    """A database, a staging directory and the feed of some companies as it stands tonight."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        rules = {"lookback_months": 2, "reject_limit": "100%", "pmss": {"2027": 4100.5}}
        self.run = generator.Run(LAST, "", 0, 2, rules)
        self.feed = {}
        for number in range(COMPANIES):
            company, entities = generator.company(f"c{number}", f"{seed}:{number}", self.run)
            self.feed[company["company_id"]] = company, {**entities, "posted": [], "closed_periods": [], "links": []}
        self.folder = tempfile.TemporaryDirectory(prefix="property-")
        self.path = pathlib.Path(self.folder.name)
        self.nights = 0

    def database(self, name, template=None):
        """A database of that name: migrated, or a copy of one that is."""
        name = f"property_{os.getpid()}_{name}"
        self.env = {**cluster_environment(), "PGDATABASE": name}
        create_database(self.env, name, template)
        config = {"version": 1, "rules": self.run.rules, "sources": {}, "companies": [
            {"id": company["company_id"], "siren": company["siren"], "name": company["name"]}
            for company, _ in self.feed.values()]}
        (self.path / "pipeline.yaml").write_text(json.dumps(config), encoding="utf-8")
        if not template:
            self.stage("load", "--migrate")
        return name

    def stage(self, name, *args, allowed=(0, 3)):
        command = [BIN / name, "--config", self.path / "pipeline.yaml", "--staging", self.path / "staging", "--quiet",
                   "--progress", "never", *args]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        if done.returncode not in allowed:
            raise AssertionError(f"{name} {args} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def psql(self, script):
        """Its answers, as JSON; a statement that fails is shown."""
        done = subprocess.run(["psql", "-XqAtb0", "-v", "ON_ERROR_STOP=1"], env=self.env, text=True, input=script,
                              capture_output=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return [json.loads(answer) for answer in done.stdout.split("\0") if answer]

    def tables(self, *queries):
        """The rows of several queries, answered by one process."""
        return self.psql("".join(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t;\n" for sql in queries))

    def rows(self, sql):
        rows, = self.tables(sql)
        return rows

    def decided(self, name, columns, *args):
        """What extract's own query of that name answers, by company."""
        query = (ROOT / "sql" / "extract" / f"{name}.sql").read_text(encoding="utf-8").rstrip().removesuffix(";")
        companies = "{" + ",".join(self.feed) + "}"
        call = ", ".join(f"'{x}'" for x in (companies, *args))
        script = f"PREPARE q AS {query};\nCREATE TEMP TABLE t (place, {columns}) AS EXECUTE q({call});\n" \
                 "SELECT coalesce(json_agg(t), '[]') FROM t"
        found, ids = collections.defaultdict(list), list(self.feed)
        answer, = self.psql(script)
        for x in answer:
            found[ids[x.pop("place") - 1]].append(x)
        return found

    def night(self, period, shards=1):
        """Stages what extract would for a period, and runs the two stages after it."""
        self.nights += 1
        first, as_of = months_after(period, -2), f"{period}-27T06:{self.nights:02d}:00Z"
        closed = self.decided("closed_periods", "payroll_month", first_day(first), first_day(period))
        posted = self.decided("posted", POSTED, first_day(first), first_day(period), "2020-01-01")
        companies = [(company, {**within(entities, first, period), "closed_periods": closed[company_id],
                                "posted": posted[company_id]}) for company_id, (company, entities) in self.feed.items()]
        run_id = f"n{self.nights}"
        began = f"2099-01-01T00:{self.nights:02d}:00Z"  # after every close, which goes by the clock
        Writer(self.path / "staging", "extract", run_id, period, as_of, began).write(companies, per_part=10)
        for shard in range(shards):
            part = ["--period", period, "--run-id", run_id, *(["--shard", f"{shard}/{shards}"] if shards > 1 else [])]
            self.stage("transform", *part)
            self.stage("load", "--allow-empty", *part)

    def close(self, period):
        """Accepts what keeps the month of every company open, and closes it."""
        self.rows("SELECT payroll.accept_discrepancy(id, 'known') FROM ("
                  "SELECT DISTINCT h.id FROM payroll.company AS c, "
                  f"payroll.holding(c.company_id, '{first_day(period)}') AS h) AS h WHERE id IS NOT NULL")
        return self.stage("load", "--close", "--period", period, "--as-of", f"{months_after(period, 1)}-02T06:00:00Z",
                          "--note", "payslips are out")

    def change(self):
        self.feed = {company_id: (company, relations.changed(self.rng, entities))
                     for company_id, (company, entities) in self.feed.items()}

    def contents(self):
        """Every row without its number, which is given as rows come."""
        names = (*FACTS, "discrepancy")
        return {(table, json.dumps({k: v for k, v in x.items() if k != "id"}))
                for table, rows in zip(names, self.tables(*(f"SELECT * FROM payroll.{table}" for table in names)))
                for x in rows}

    def facts(self):
        """Every row with its version: one that is written again has another."""
        tables = (*FACTS, "discrepancy")
        return {(table, json.dumps(x))
                for table, rows in zip(tables, self.tables(*(f"SELECT xmin, * FROM payroll.{table}" for table in tables)))
                for x in rows}


def within(entities, first, last):
    """The billing months that extract asks for."""
    asked = {x["invoice_id"]: first <= x["billing_month"] <= last for x in entities.get("invoices", [])}
    return {**entities, "invoices": [x for x in entities.get("invoices", []) if asked[x["invoice_id"]]],
            "invoice_lines": [x for x in entities.get("invoice_lines", []) if asked.get(x["invoice_id"], True)]}


class Months(unittest.TestCase):
    maxDiff = None
    seed = f"{tally.SEED}:loaded"

    @classmethod
    def setUpClass(cls):
        world = World(cls.seed)
        cls.addClassCleanup(world.folder.cleanup)
        cls.template = world.database("template")

    def setUp(self):
        self.world = World(self.seed)
        self.addCleanup(self.world.folder.cleanup)

    def frozen(self, month):
        return self.world.rows(f"SELECT * FROM payroll.closed_row WHERE payroll_month <= '{first_day(month)}' "
                               "ORDER BY company_id, payroll_month, line_id, employment_id, cover_from, status")

    def test_months_closed_one_after_the_other(self):
        self.world.database("months", self.template)
        for period in (months_after(LAST, -2), months_after(LAST, -1), LAST):
            with self.subTest(seed=self.seed, period=period):
                before = self.frozen(months_after(period, -1))
                self.world.night(period)
                self.another_night_changes_nothing(period)
                self.every_report_answers()
                self.every_cent_is_told(period)
                self.invoices_add_up(period)
                self.bases_add_up(period)
                self.assertEqual(before, self.frozen(months_after(period, -1)))
                report = self.world.close(period)
                self.assertEqual(report.get("refused", []), [])
                self.world.change()
        self.assertGreater(len(self.frozen(LAST)), 100)
        bad = self.world.rows("SELECT company_id, payroll_month FROM payroll.period "
                              "WHERE payroll.verify_period(company_id, payroll_month) <> 'ok'")
        self.assertEqual(bad, [])
        self.closed_months_are_left_alone()
        tally.count("random companies over three closed months", COMPANIES)

    def test_shards_together_load_the_whole(self):
        self.world.database("whole", self.template)
        self.world.night(LAST)
        whole = self.world.contents()
        self.world.nights = 0
        self.world.database("shards", self.template)
        self.world.night(LAST, shards=3)
        self.assertGreater(len(whole), 100)
        self.assertEqual(whole ^ self.world.contents(), set())

    def another_night_changes_nothing(self, period):
        before = self.world.facts()
        self.world.night(period)
        self.assertEqual(before ^ self.world.facts(), set())

    def closed_months_are_left_alone(self):
        """A changed feed read for a month that is closed moves nothing in it."""
        before = self.frozen(LAST)
        self.world.night(LAST)
        self.assertEqual(before, self.frozen(LAST))

    def every_report_answers(self):
        """Whatever dates or texts a source gives: no view fails on them, for one company or for all."""
        views = self.world.rows("SELECT viewname AS name FROM pg_views WHERE schemaname = 'report'")
        self.world.tables(*(f"SELECT count(v::text) FROM report.{view['name']} AS v" for view in views))

    def every_cent_is_told(self, period):
        month = first_day(period)
        held = self.world.rows(f"SELECT company_id, hold_code, sum(amount_cents) AS cents FROM payroll.contribution "
                               f"WHERE payroll_month = '{month}' AND status = 'held' GROUP BY 1, 2 "
                               "HAVING sum(amount_cents) <> 0 ORDER BY 1, 2")
        told = self.world.rows("SELECT company_id, code AS hold_code, sum(held_cents) AS cents "
                               f"FROM payroll.discrepancy WHERE payroll_month = '{month}' AND status <> 'resolved' "
                               "GROUP BY 1, 2 "
                               "HAVING sum(held_cents) <> 0 ORDER BY 1, 2")
        self.assertEqual(held, told)
        inbox = self.world.rows("SELECT sum(held_cents) AS cents FROM report.discrepancy_inbox")
        opened = self.world.rows("SELECT sum(held_cents) AS cents FROM payroll.discrepancy "
                                 "WHERE status IN ('open', 'in_progress')")
        self.assertEqual(inbox, opened)
        staged = self.world.path / "staging" / period / f"n{self.world.nights}" / "transform" / "rejects.ndjson"
        rejects = len(staged.read_bytes().splitlines()) if staged.exists() else 0
        run = f"n{self.world.nights}"
        self.assertEqual(self.world.rows(f"SELECT count(*) AS n FROM report.reject WHERE run_id = '{run}'"),
                         [{"n": rejects}])

    def invoices_add_up(self, period):
        """Ready rows of all payroll months and what is held now make the lines of each invoice read this month."""
        rows = self.world.rows(f"""
            SELECT k.company_id, k.invoice_id, k.lines_cents, k.held_cents, c.ready, c.held
            FROM payroll.invoice_control AS k CROSS JOIN LATERAL (
                SELECT coalesce(sum(amount_cents) FILTER (WHERE status = 'ready'), 0) AS ready,
                       coalesce(sum(amount_cents) FILTER (
                           WHERE status = 'held' AND payroll_month = k.payroll_month), 0) AS held
                FROM payroll.contribution AS c WHERE (c.company_id, c.invoice_id) = (k.company_id, k.invoice_id)) AS c
            WHERE k.payroll_month = '{first_day(period)}'""")
        self.assertGreater(len(rows), COMPANIES / 2)
        uncertain = self.not_delivered()
        for x in rows:
            kept = uncertain[x["company_id"], x["invoice_id"]]
            self.assertEqual((x["ready"] - kept + x["held"], x["held"]), (x["lines_cents"], x["held_cents"]), x)

    def bases_add_up(self, period):
        """Where this month corrects a line, all payroll months together have its base as it is: that of the feed, and
        nothing for a line that is taken back. A base that payroll gives, or that is cut by month, is not looked at."""
        rows = self.world.rows(f"""
            SELECT c.company_id, c.line_id, c.employment_id, r.kind, sum(c.base_cents) AS base
            FROM payroll.contribution AS c JOIN payroll.contribution AS r
                ON (c.company_id, c.line_id) = (r.company_id, r.line_id)
                AND c.employment_id IS NOT DISTINCT FROM r.employment_id
                AND date_trunc('month', c.cover_from) = date_trunc('month', r.cover_from)
            WHERE c.status = 'ready' AND r.status = 'ready' AND r.payroll_month = '{first_day(period)}'
            GROUP BY 1, 2, 3, r.kind, r.cover_from""")
        lines = {(company_id, x["line_id"]): x for company_id, (_, entities) in self.world.feed.items()
                 for x in entities.get("invoice_lines", [])}
        for x in rows:
            line = lines.get((x["company_id"], x["line_id"]), {})
            if x["kind"] == "reversal":
                self.assertEqual(x["base"] or 0, 0, x)
            elif line.get("base_cents") is not None and line.get("member_id") and line["kind"] != "fee" \
                    and line["amount_cents"] and line["cover_from"][:7] == line["cover_to"][:7]:
                self.assertEqual(x["base"], line["base_cents"], x)

    def not_delivered(self):
        """What closed months gave for lines that an incomplete invoice does not say anything of."""
        kept = collections.Counter()
        posted = self.world.rows("SELECT c.company_id, c.invoice_id, c.line_id, sum(c.amount_cents) AS cents "
                                 "FROM payroll.contribution c JOIN payroll.period p USING (company_id, payroll_month) "
                                 "WHERE p.status = 'closed' AND c.status = 'ready' GROUP BY 1, 2, 3")
        lines = {company_id: entities for company_id, (_, entities) in self.world.feed.items()}
        for x in posted:
            entities = lines[x["company_id"]]
            there = [line for line in entities["invoice_lines"] if line["invoice_id"] == x["invoice_id"]
                     and line["cover_from"] <= line["cover_to"] < "2050"]
            invoice = next(i for i in entities["invoices"] if i["invoice_id"] == x["invoice_id"])
            if x["line_id"] not in {line["line_id"] for line in there} and invoice["status"] != "cancelled" \
                    and len(there) < invoice["line_count"]:
                kept[x["company_id"], x["invoice_id"]] += x["cents"]
        return kept


if __name__ == "__main__":
    unittest.main()
