"""Loads at the same time as other loads, closes and readers: one waits for the other, nobody sees anything but what was
before or what is after, and the end is that of one after the other."""
import json
import subprocess
import threading
import time
import unittest

import tally
from harness import Result, create_database
from loading import MONTH, WAITING, Case, company, contribution, control, discrepancy, entities, session
from pgproxy import Proxy

OK = 0

# What the reports say of all money, in one statement and so of one state of the database.
SEEN = """
SELECT (SELECT (count(*), sum(amount_cents), sum(employer_cents)) FROM report.payroll_ready),
       (SELECT (sum(total_cents), sum(held_cents), sum(open_discrepancies)) FROM report.contribution_overview),
       (SELECT (sum(allocated_cents), sum(held_cents)) FROM report.invoice_control),
       (SELECT string_agg(code, ' ' ORDER BY code) FROM report.discrepancy_inbox),
       (SELECT string_agg(run_id, ' ' ORDER BY run_id) FROM report.run_history);
"""


def night(n):
    """Night n differs from the others in amounts, lines and discrepancies; all but the first have a line in common."""
    data = entities()
    data["contributions"] = [contribution("l1", 11710, 7000 + n), contribution(f"only-{n}", 11710, 7026),
                             contribution("later" if n else "before", 100, 60)]
    data["invoice_controls"] = [control(23520, line_count=3)]
    data["invoices"][0].update(total_cents=23520, line_count=3)
    data["discrepancies"] = [discrepancy(("price_mismatch", "rate_mismatch", "amount_jump")[n % 3])]
    return data


def grown(n):
    """What the first night had and n lines more."""
    data = night(0)
    data["contributions"] += [contribution(f"more-{i}", 100, 60) for i in range(n)]
    data["invoice_controls"] = [control(23520 + 100 * n, line_count=3 + n)]
    data["invoices"][0].update(total_cents=23520 + 100 * n, line_count=3 + n)
    return data


class Together(Case):
    def start(self, *args, **env):
        return subprocess.Popen(self.command(*args), env={**self.env, **env}, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def end(self, process):
        stdout, stderr = process.communicate(timeout=60)
        return Result(subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr))

    def behind_each_other(self, first, second):
        """The first load has done everything but COMMIT when the second begins, and goes on when that one waits."""
        others = []

        def begin_other(message):
            others.append(self.start(*second))
            self.wait_for(WAITING)
            self.seen_between = self.psql(SEEN)
        with Proxy(self.env, lambda m: m.says("COMMIT;"), begin_other) as proxy:
            one = self.load(*first, PGHOST=proxy.folder)
        other = self.end(others[0])
        self.assertEqual((one.status, other.status), (OK, OK), one.stderr + other.stderr)
        return one.report, other.report


class TwoLoads(Together):
    def restore(self, world, isolation):
        subprocess.run(["dropdb", "--force", self.database], env=self.base_env, check=True)
        create_database(self.base_env, self.database, world)
        self.psql(f"ALTER DATABASE {self.database} SET default_transaction_isolation = '{isolation}'")

    def check_two_runs(self, made_by, *isolations):
        """Whatever isolation the database prefers: load's own is read committed, for it reads behind its locks."""
        for n in range(3):
            self.stage([(company(), made_by(n))], run_id=f"night{n}")
        self.must("--run-id", "night0")
        world = self.database + "_0"
        self.copy_database(self.database, world)
        old = self.psql(SEEN)
        for n in (1, 2):
            self.must("--run-id", f"night{n}")
        wanted = self.every_row()
        for isolation in isolations:
            with self.subTest(isolation=isolation):
                self.restore(world, isolation)
                self.behind_each_other(("--run-id", "night1"), ("--run-id", "night2"))
                self.assertEqual(self.seen_between, old)
                self.assertEqual(self.every_row(), wanted)
                versions = self.every_version()
                self.assertFalse(self.must("--run-id", "night2")["changed"])
                self.assertEqual(self.every_version(), versions)
                tally.count("loads at the same time", 2)

    def test_of_runs_that_differ(self):
        self.check_two_runs(night, "read committed")

    def test_of_runs_that_add(self):
        self.check_two_runs(grown, "read committed", "repeatable read")

    def test_of_the_same_run(self):
        """The first of a database: the company itself is new to both."""
        self.stage([(company(), night(0))])
        for isolation in ("read committed", "serializable"):
            with self.subTest(isolation=isolation):
                self.restore(self.template, isolation)
                one, other = self.behind_each_other((), ())
                self.assertEqual((one["changed"], other["changed"]), (True, False))
                versions = self.every_version()
                self.assertFalse(self.must()["changed"])
                self.assertEqual(self.every_version(), versions)
                self.assertEqual(self.psql("SELECT count(*), sum(amount_cents) FROM payroll.contribution"), "3|23520")
                tally.count("loads at the same time", 2)

    def test_many(self):
        """Six of one run and of another, unordered: each whole, one after the other."""
        for n in range(2):
            self.stage([(company(), night(n)), (company("beta", "404833048"), night(n))], run_id=f"night{n}")
        all_of_them = [self.start("--run-id", f"night{n % 2}") for n in range(6)]
        results = [self.end(process) for process in all_of_them]
        self.assertEqual([result.status for result in results], [OK] * 6, "".join(r.stderr for r in results))
        self.must("--run-id", "night1")
        self.assertEqual(self.psql("SELECT company_id, count(*), sum(amount_cents), sum(employer_cents) "
                                   "FROM payroll.contribution GROUP BY 1 ORDER BY 1"),
                         "acme|3|23520|14087\nbeta|3|23520|14087")
        self.assertEqual(self.psql("SELECT string_agg(run_id, ' ' ORDER BY run_id) FROM pipeline.run"), "night0 night1")
        tally.count("loads at the same time", 6)


class LoadAndClose(Together):
    def setUp(self):
        super().setUp()
        for n in range(2):
            self.stage([(company(), night(n))], run_id=f"night{n}")
        self.must("--run-id", "night0")

    def test_close_waits_for_load(self):
        _, close = self.behind_each_other(("--run-id", "night1"), ("--close", "--company", "acme"))
        self.assertEqual(close["closed"][0]["employer_cents"], 7001 + 7026 + 60)
        self.assertEqual(self.psql(f"SELECT payroll.verify_period('acme', '{MONTH}')"), "ok")
        tally.count("loads at the same time", 2)

    def test_load_waits_for_close(self):
        """What the load brings comes too late for the month that was being closed."""
        with session(self.env) as close:
            close.stdin.write("BEGIN; SELECT 'closed' "
                              f"FROM payroll.close_period('acme', '{MONTH}', 'payslips are out');\n")
            close.stdin.flush()
            self.assertEqual(close.stdout.readline(), "closed\n")
            load = self.start("--run-id", "night1")
            self.wait_for(WAITING)
            close.stdin.write("COMMIT;\n")
            close.stdin.close()
        result = self.end(load)
        self.assertEqual(result.status, OK, result.stderr)
        self.assertEqual(result.report["rows_of_closed_months"], 4)
        self.assertEqual(self.psql("SELECT sum(employer_cents) FROM report.payroll_ready"), str(7000 + 7026 + 60))
        self.assertEqual(self.psql(f"SELECT payroll.verify_period('acme', '{MONTH}')"), "ok")
        tally.count("loads at the same time", 2)


class Reader(threading.Thread):
    """Asks one question again and again; `answers` are those it got, each once."""

    def __init__(self, env, sql):
        super().__init__()
        self.answers, self.asked, self.stopped = set(), 0, False
        self.sql = " ".join(sql.split())
        self.psql = session(env)
        self.ask()

    def ask(self):
        self.psql.stdin.write(self.sql + "\n")
        self.psql.stdin.flush()
        self.answers.add(self.psql.stdout.readline().strip())
        self.asked += 1

    def run(self):
        while not self.stopped:
            self.ask()

    def stop(self):
        self.stopped = True
        self.join()
        self.ask()
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()


class LoadAndReports(Together):
    def read_during(self, run_id):
        """All that readers see from before a load to behind it; the load is slow, for them to see it at every step."""
        reader = Reader(self.env, SEEN)
        reader.start()
        with Proxy(self.env, lambda m: m.kind in "QPd", lambda m: time.sleep(0.01), times=1000) as proxy:
            result = self.load("--run-id", run_id, PGHOST=proxy.folder)
        reader.stop()
        self.assertEqual(result.status, OK, result.stderr)
        self.assertGreater(reader.asked, 5)
        tally.count("looks at the reports during a load", reader.asked)
        return reader.answers

    def test_only_old_or_new(self):
        states = [self.psql(SEEN)]
        for n in range(3):
            self.stage([(company(), night(n)), (company("beta", "404833048"), night(n + 1))], run_id=f"night{n}")
            seen = self.read_during(f"night{n}")
            states.append(self.psql(SEEN))
            self.assertEqual(seen, set(states[-2:]))
        self.assertEqual(len(set(states)), 4)

    def test_a_snapshot_stays(self):
        self.stage([(company(), night(0))])
        self.must()
        with session(self.env) as reader:
            question = " ".join(SEEN.split()) + "\n"
            reader.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" + question)
            reader.stdin.flush()
            before = reader.stdout.readline()
            self.stage([(company(), night(1))])
            self.must()
            reader.stdin.write(question)
            reader.stdin.close()
            self.assertEqual(reader.stdout.readline(), before)
        self.assertNotEqual(self.psql(SEEN), before.strip())


class Conflicts(Together):
    """What the server ends for another transaction's sake is tried again."""

    def setUp(self):
        super().setUp()
        for n in range(2):
            self.stage([(company(), night(n))], run_id=f"night{n}")
        self.must("--run-id", "night0")

    def other_session(self):
        other = session(self.env)
        self.addCleanup(other.stdout.close)
        self.addCleanup(other.wait)
        return other

    def tell(self, other, sql):
        other.stdin.write(sql + "\\echo done\n")
        other.stdin.flush()

    def conflict(self, begin, at_merge, behind=""):
        """Another transaction begins as said when load has locked its company, goes on when load merges its rows, and
        ends as said. Load succeeds at a later attempt."""
        other = self.other_session()

        def before_merge(message):
            self.tell(other, begin)
            self.assertEqual(other.stdout.readline(), "done\n")
            threading.Timer(0.5, self.tell, (other, at_merge)).start()
        with Proxy(self.env, lambda m: m.says("DELETE FROM payroll.contribution"), before_merge) as proxy:
            result = self.load("--run-id", "night1", PGHOST=proxy.folder)
        other.stdin.write(behind)
        other.stdin.close()
        self.assertEqual(result.status, OK, result.stderr)
        self.assertEqual(self.psql("SELECT count(*), sum(amount_cents), sum(employer_cents) FROM payroll.contribution"),
                         "3|23520|14087")
        versions = self.every_version()
        self.assertFalse(self.must("--run-id", "night1")["changed"])
        self.assertEqual(self.every_version(), versions)
        self.assertEqual(json.dumps(result.report["changes"]["contributions"], sort_keys=True),
                         '{"deleted": 2, "inserted": 2, "updated": 1}')
        tally.count("faults injected", 1)
        return result

    def test_deadlock(self):
        """The other holds what load wants and then wants the company that load holds; load finds out first."""
        result = self.conflict("BEGIN; SET deadlock_timeout = '1min'; LOCK payroll.contribution IN SHARE MODE;\n",
                               "UPDATE payroll.company SET headcount = headcount; COMMIT;\n")
        self.assertIn("deadlock detected (SQLSTATE 40P01); trying again", result.stderr)

    def test_serialization_failure(self):
        """The row that load is about to delete is moved to another partition under its hands, and back again later."""
        move = ("UPDATE payroll.contribution SET payroll_month = '2026-{:02}-01' WHERE line_id = 'only-0'; COMMIT;\n")
        self.psql("SELECT payroll.ensure_partition('2026-05-01')")
        result = self.conflict("SET session_replication_role = replica; BEGIN; SELECT FROM payroll.contribution "
                               "WHERE line_id = 'only-0' FOR UPDATE;\n",
                               move.format(5) + "BEGIN; " + move.format(4))
        self.assertIn("(SQLSTATE 40001); trying again", result.stderr)


if __name__ == "__main__":
    unittest.main()
