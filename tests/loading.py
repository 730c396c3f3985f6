"""What tests of load stand on: staging folders made by hand, a database of their own, a small company."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import BIN, Result, cluster_environment, create_database
from staging import Writer

PERIOD, MONTH = "2026-04", "2026-04-01"
NIR = "1850175123456"
CONFIG = """version: 1
staging: { dir: "%s" }
database: { url: "${DATABASE_URL:-}" }
companies:
  - { id: acme, siren: "552008443", headcount: 14 }
  - { id: beta, siren: "404833048" }
  - { id: gone, siren: "443121975" }
"""
FACTS = ("company", "contract", "invoice", "employee", "employment", "payroll_contract", "pay_base", "payroll_period",
         "affiliation", "member", "contribution", "coverage", "invoice_control", "discrepancy_event")
OF_THE_MOMENT = ("id", "discrepancy_id", "event_id", "reject_id", "happened_at", "started_at", "finished_at", 
                 "loaded_by", "written_by", "applied_at")


def contribution(line, cents, employer, employment="job1", member="mbr1", **more):
    return {"payroll_month": PERIOD, "invoice_id": "inv1", "line_id": line, "employment_id": employment, "member_id": member,
            "contract_id": "ctr1", "billing_month": PERIOD, "product": "health", "component": "fixed", "member_type": "employee",
            "cover_from": "2026-04-01", "cover_to": "2026-04-30", "kind": "regular", "amount_cents": cents,
            "employer_cents": employer, "employee_cents": cents - employer, "status": "ready", **more}


def discrepancy(code="price_mismatch", **more):
    return {"payroll_month": PERIOD, "code": code, "severity": "warning", "step": 0, "subject_type": "employment",
            "subject_id": "job1", "contract_id": "ctr1", "cover_month": PERIOD, "employee_id": "emp1", "employment_id": "job1",
            "expected_cents": 11710, "actual_cents": 11711, "delta_cents": 1, "line_count": 1, "held_cents": 0,
            "candidates": [], **more}


def control(total, held=0, **more):
    return {"payroll_month": PERIOD, "invoice_id": "inv1", "billing_month": PERIOD, "line_count": 2, "total_cents": total,
            "lines_cents": total, "allocated_cents": total - held, "posted_cents": 0, "held_cents": held,
            "difference_cents": 0, **more}


def company(company_id="acme", siren="552008443", **more):
    sync = {"outcome": "ok", "attempted_at": "2026-04-27T05:00:00Z", "synced_at": "2026-04-27T05:00:00Z"}
    return {"company_id": company_id, "siren": siren, "headcount": 14, "previous_sirens": [{"siren": "404833048"}],
            "establishments": [{"siret": "55200844300011"}],
            "sources": [{"source": "alan", **sync}, {"source": "payroll", **sync}], **more}


def entities():
    """One employee, two lines, one of them held for somebody unknown."""
    person = {"nir": NIR, "first_name": "Zoé \"Zaza\"", "last_name": "D'Arc\\Tab\t\nÉ", "birth_date": "1985-01-02"}
    return {
        "contracts": [{"contract_id": "ctr1", "product": "health", "reference": "SANTE1", "insurer_code": "AALAN1",
                       "valid_from": "2020-01-01", "status": "active", "proration": "none",
                       "terms": [{"category": "all", "member_type": "employee", "valid_from": "2026-01-01", "basis": "fixed",
                                  "price_cents": 11710, "employer_share_ppm": 600000, "option_code": "a\\b\"c"}]}],
        "invoices": [{"invoice_id": "inv1", "number": "F1", "type": "invoice", "siren": "552008443", "billing_month": PERIOD,
                      "issued_on": "2026-04-02", "currency": "EUR", "total_cents": 23420, "line_count": 2, "status": "issued"}],
        "employees": [{"employee_id": "emp1", "matricule": "0001", **person}],
        "employments": [{"employment_id": "job1", "employee_id": "emp1", "siret": "55200844300011", "starts_on": "2020-01-01",
                         "status": "active", "health_contract_ids": ["p1", "p\\2", "p\"3,{}"], "exempt": False}],
        "payroll_contracts": [{"payroll_contract_id": "p1", "product": "health", "reference": "SANTE1",
                               "employment_ids": ["job1"]}],
        "pay_bases": [{"employment_id": "job1", "month": PERIOD, "gross_cents": 300000}],
        "payroll_periods": [{"month": PERIOD, "status": "open"}],
        "affiliations": [{"affiliation_id": "aff1", "member_id": "mbr1", "contract_id": "ctr1", "status": "active",
                          "starts_on": "2020-01-01", **person}],
        "members": [{"member_id": "mbr1", "employee_id": "emp1", "matched_by": "nir", **person},
                    {"member_id": "mbr2", "matched_by": "none"}],
        "contributions": [contribution("l1", 11710, 7026),
                          contribution("l2", 11710, 0, None, "mbr2", status="held", hold_code="member_not_in_payroll")],
        "coverage": [],
        "invoice_controls": [control(23420, held=11710)],
        "discrepancies": [discrepancy()],
    }


LOADS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'alan-load'"
WAITING = LOADS + " AND wait_event_type = 'Lock'"


def session(env):
    """psql in a pipe."""
    return subprocess.Popen(["psql", "-XqAt"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Case(unittest.TestCase):
    maxDiff = None

    @staticmethod
    def cluster():
        return cluster_environment()

    @classmethod
    def setUpClass(cls):
        cls.base_env = cls.cluster()
        cls.template = f"load_template_{os.getpid()}"
        create_database(cls.base_env, cls.template)
        cls.addClassCleanup(subprocess.run, ["dropdb", "--force", cls.template], env=cls.base_env, check=True)
        folder = tempfile.mkdtemp(prefix="load-test-")
        cls.addClassCleanup(shutil.rmtree, folder)
        config = pathlib.Path(folder, "pipeline.yaml")
        config.write_text(CONFIG % folder, encoding="utf-8")
        done = subprocess.run([BIN / "load", "--migrate", "--config", config], capture_output=True, text=True,
                              env={**cls.base_env, "PGDATABASE": cls.template})
        assert done.returncode == 0, done.stderr

    def setUp(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="load-test-"))
        self.addCleanup(shutil.rmtree, self.path)
        self.config = self.path / "pipeline.yaml"
        self.config.write_text(CONFIG % (self.path / "staging"), encoding="utf-8")
        self.database = f"load_{os.getpid()}_{self.id().split('.')[-1][:40].lower()}"
        self.env = {**self.base_env, "PGDATABASE": self.database}
        self.copy_database(self.template, self.database)
        self.nights = 0

    def copy_database(self, template, name):
        create_database(self.base_env, name, template)
        self.addCleanup(subprocess.run, ["dropdb", "--force", "--if-exists", name], env=self.base_env, check=True)

    def stage(self, companies, rejects=(), run_id=None, period=PERIOD, **more):
        """A run of transform; each begins a minute after the one before."""
        self.nights += 1
        began = f"2026-04-27T{6 + self.nights // 60:02}:{self.nights % 60:02}:00Z"
        run_id = run_id or f"run{self.nights}"
        Writer(self.path / "staging", "transform", run_id, period, began, **more).write(companies, rejects)
        return run_id

    def command(self, *args, period=PERIOD):
        return [BIN / "load", "--config", self.config, "--period", period, *args]

    def load(self, *args, period=PERIOD, **env):
        return Result(subprocess.run(self.command(*args, period=period), env={**self.env, **env}, timeout=120,
                                     capture_output=True, text=True))

    def must(self, *args, status=0, **more):
        result = self.load(*args, **more)
        self.assertEqual(result.status, status, result.stderr)
        return result.report

    def refused(self, status, *texts, args=(), **more):
        result = self.load(*args, **more)
        self.assertEqual(result.status, status, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)
        self.assertNotIn(NIR, result.stderr + json.dumps(result.report))
        return result

    def psql(self, sql):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], env=self.env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def wait_for(self, sql, wanted="1", within_s=30):
        deadline = time.monotonic() + within_s
        while self.psql(sql) != wanted:
            self.assertLess(time.monotonic(), deadline, sql)
            time.sleep(0.02)

    def rows(self, sql):
        return json.loads(self.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t"))

    def every_row(self, row="to_jsonb(t) - array['%s']" % "','".join(OF_THE_MOMENT)):
        """What the database holds, table by table, but for numbers and instants that differ from load to load."""
        tables = self.psql("SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
                           "AND relnamespace IN ('payroll'::regnamespace, 'pipeline'::regnamespace)").split()
        return self.psql(" UNION ALL ".join(f"SELECT '{table}', ({row})::text FROM {table} AS t" for table in tables)
                         + " ORDER BY 1, 2")

    def every_version(self):
        """The same with the transaction that wrote each row."""
        return self.every_row("xmin || ' ' || t")

    def versions(self):
        """Every fact with its row version: a row written again has another one."""
        return {table: self.psql(f"SELECT xmin, t FROM payroll.{table} t ORDER BY 2") for table in FACTS}

    def contents(self):
        return {table: self.psql(f"SELECT t FROM payroll.{table} t ORDER BY 1")
                for table in FACTS if table != "discrepancy_event"}
