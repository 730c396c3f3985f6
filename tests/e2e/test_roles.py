"""A night without a superuser: an owner migrates, a member of payroll_loader runs it, one of payroll_manager decides,
one of payroll_reader reads every report. And two loads that need a new month at the same moment."""
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

OWNER, NIGHTLY, MANAGER, READER = (f"{name}_{os.getpid()}" for name in ("owner", "nightly", "marie", "bob"))


def setUpModule():
    global pipeline
    pipeline = harness.Pipeline(migrate=False)
    unittest.addModuleCleanup(pipeline.close)
    pipeline.psql(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    pipeline.psql(f"ALTER DATABASE {pipeline.database} OWNER TO {OWNER}")
    pipeline.must("load", "--migrate", PGUSER=OWNER)
    for name, role in ((NIGHTLY, "payroll_loader"), (MANAGER, "payroll_manager"), (READER, "payroll_reader")):
        pipeline.psql(f"CREATE ROLE {name} LOGIN IN ROLE {role}")


def night():
    pipeline.must("extract", "--as-of", harness.AS_OF, PGUSER=NIGHTLY)
    pipeline.must("transform")
    return pipeline.must("load", PGUSER=NIGHTLY).report


def as_user(user, sql):
    """What psql answers, and what it complains of."""
    process = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True,
                             env={**pipeline.env, "PGUSER": user}, check=False)
    return process.stdout.strip(), process.stderr.strip()


class NightWithoutSuperuser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        night()

    def test_reader_reads_every_report(self):
        views, _ = as_user(READER, "SELECT viewname FROM pg_views WHERE schemaname = 'report'")
        self.assertIn("payroll_ready", views)
        for view in views.split():
            with self.subTest(view):
                answer, complaint = as_user(READER, f"SELECT * FROM report.{view}")
                self.assertEqual(complaint, "")
                self.assertTrue(answer or view in ("reject", "period_history"))

    def test_reader_sees_no_whole_number(self):
        both = "SELECT nir FROM payroll.employee UNION SELECT nir FROM payroll.member"
        numbers = pipeline.psql(f"SELECT string_agg(nir, '|') FROM ({both}) AS n")
        self.assertGreater(len(numbers.split("|")), 50)
        answer, _ = as_user(READER, "SELECT * FROM report.identity_check")
        self.assertEqual([n for n in numbers.strip().split("|") if len(n) > 9 and n in answer], [])

    def test_reader_names_no_table(self):
        self.assertIn("permission denied for schema payroll", as_user(READER, "SELECT 1 FROM payroll.employee")[1])

    def test_manager_runs_the_call_and_the_next_night_honours_it(self):
        inbox = "FROM report.discrepancy_inbox WHERE code = 'member_not_in_payroll' AND call IS NOT NULL"
        number, call = as_user(MANAGER, f"SELECT id || '|' || call {inbox} ORDER BY id LIMIT 1")[0].split("|", 1)
        self.assertIn("permission denied", as_user(READER, call)[1])
        self.assertEqual(as_user(MANAGER, call)[1], "")
        night()
        found = pipeline.query(f"SELECT status FROM payroll.discrepancy WHERE id = {number}")
        self.assertEqual(found, [{"status": "resolved"}])
        link = pipeline.query("SELECT recorded_by, note FROM payroll.link")
        self.assertEqual(link, [{"recorded_by": MANAGER, "note": f"discrepancy {number}: the same person"}])


class Migration(unittest.TestCase):
    """By an owner who may not even create roles."""
    def setUp(self):
        self.owner = f"tenant_{os.getpid()}"
        pipeline.psql(f"CREATE ROLE {self.owner} LOGIN")
        pipeline.psql(f"CREATE DATABASE {self.owner} OWNER {self.owner}")

    def migrate(self):
        return pipeline.stage("load", "--migrate", PGUSER=self.owner, PGDATABASE=self.owner)

    def test_the_roles_are_there(self):
        self.assertEqual(self.migrate().status, 0)
        self.assertEqual(self.migrate().status, 0)


class RestrictedToACompany(unittest.TestCase):
    """Under row-level security: whoever logs in stays restricted whatever role he takes, and the night goes on."""
    KELLER = "transports-keller"

    @classmethod
    def setUpClass(cls):
        night()
        as_user(OWNER, f"SELECT payroll.restrict_role('{MANAGER}', ARRAY['{cls.KELLER}'], 'her client')")
        cls.addClassCleanup(as_user, OWNER, f"SELECT payroll.restrict_role('{MANAGER}', NULL, 'over')")

    def companies(self, user, setting="", table="payroll.contribution"):
        answer, complaint = as_user(user, f"{setting}; SELECT DISTINCT company_id FROM {table} ORDER BY 1")
        self.assertEqual(complaint, "")
        return answer.split()

    def test_reports_and_tables(self):
        for name in ("payroll.contribution", "payroll.employee", "report.payroll_ready", "report.sync_status"):
            with self.subTest(name):
                self.assertEqual(self.companies(MANAGER, table=name), [self.KELLER])
                self.assertGreater(len(self.companies(OWNER, table=name)), 1)

    def test_another_role_does_not_free(self):
        pipeline.psql(f"GRANT payroll_reader TO {MANAGER}")
        self.addCleanup(pipeline.psql, f"REVOKE payroll_reader FROM {MANAGER}")
        for role in ("payroll_manager", "payroll_reader", "none"):
            with self.subTest(role):
                self.assertEqual(self.companies(MANAGER, f"SET ROLE {role}", "report.payroll_ready"), [self.KELLER])
        call = "SET ROLE payroll_manager; SELECT payroll.verify_period('boulangerie-martin', '2026-04-01')"
        self.assertIn("unknown company", as_user(MANAGER, call)[1])

    def test_who_acts_for_her_is_restricted_and_who_does_not_is_free(self):
        pool = f"pool_{os.getpid()}"
        pipeline.psql(f"CREATE ROLE {pool} LOGIN NOINHERIT; GRANT {MANAGER}, {READER} TO {pool}")
        self.assertEqual(self.companies(pool, f"SET ROLE {MANAGER}"), [self.KELLER])
        self.assertGreater(len(self.companies(READER, table="report.payroll_ready")), 1)

    def test_nights_and_closes_go_on(self):
        before = pipeline.query("SELECT count(*) AS n FROM payroll.contribution")
        pipeline.psql("TRUNCATE payroll.employee, payroll.member, payroll.affiliation; DELETE FROM pipeline.company_load")
        night()
        self.assertEqual(pipeline.query("SELECT count(*) AS n FROM payroll.contribution"), before)
        self.assertGreater(len(self.companies(OWNER, table="payroll.employee")), 1)
        closed = pipeline.must("load", "--close", "--company", "boulangerie-martin", "--note", "over", PGUSER=NIGHTLY)
        self.assertEqual(closed.report["status"], "ok")
        pipeline.must("load", "--reopen", "--company", "boulangerie-martin", "--note", "again", PGUSER=NIGHTLY)


class NewMonth(unittest.TestCase):
    def test_two_sessions_at_once(self):
        ensure = "SELECT payroll.ensure_partition('2031-01-01');"
        first = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], env={**pipeline.env, "PGUSER": NIGHTLY},
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first.stdin.write(f"BEGIN; {ensure} SELECT 'made';\n")
        first.stdin.flush()
        while first.stdout.readline().strip() != "made":
            self.assertIsNone(first.poll())
        second = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", ensure], stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, env={**pipeline.env, "PGUSER": NIGHTLY}, text=True)
        waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = " \
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
        deadline = time.monotonic() + 30
        while not pipeline.query(waits):
            self.assertIsNone(second.poll(), "the second session did not wait")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        first.communicate("COMMIT;\n")
        _, complaint = second.communicate()
        self.assertEqual((second.returncode, complaint), (0, ""))


if __name__ == "__main__":
    unittest.main()
