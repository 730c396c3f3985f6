"""load --close and --reopen against a real PostgreSQL, and the months that the payroll system closes."""
import json
import os
import subprocess
import time

from loading import MONTH, NIR, PERIOD, Case, company, contribution, control, discrepancy, entities

AS_OF = "2026-05-02T06:00:00Z"
AFTER_ALL = "2099-01-01T00:00:00Z"   # an extract that begins after everything that these tests do


def settled():
    """The same with both lines ready."""
    data = entities()
    data["contributions"][1] = contribution("l2", 11710, 7026)
    data["invoice_controls"] = [control(23420)]
    return data


def beta(data):
    return company("beta", "404833048"), data


def closed_by_payroll(data, month=PERIOD):
    data["payroll_periods"] = [{"month": month, "status": "closed", "closed_at": "2026-05-01T09:00:00Z"}]
    return data


def later(data):
    """The same a month later, billed on another invoice."""
    text = json.dumps(data).replace(PERIOD, "2026-05").replace("2026-05-30", "2026-05-31").replace('"inv1"', '"inv2"')
    return json.loads(text.replace('"l1"', '"l3"').replace('"l2"', '"l4"'))


class Closing(Case):
    def close(self, *args, status=0, **more):
        return self.must("--close", "--as-of", AS_OF, *args, status=status, **more)

    def night(self, *companies, **more):
        self.stage(list(companies), **more)
        return self.must(period=more.get("period", PERIOD))

    def why(self, report):
        return {one["company_id"]: one["why"] for one in report["refused"]}

    def periods(self):
        return self.rows("SELECT company_id AS id, to_char(payroll_month, 'YYYY-MM') AS month, status, "
                         "closed_by AS by, note FROM payroll.period ORDER BY 1, 2")

    def shown(self):
        return self.psql("SELECT t FROM report.payroll_ready t ORDER BY t")

    def test_a_month_is_closed_reopened_and_closed_again(self):
        self.night((company(), settled()), beta(settled()))
        before = self.shown()
        report = self.close("--company", "acme", "--company", "beta", "--note", "payslips are out")
        self.assertEqual(report["companies"], {"ok": 2, "failed": 0})
        self.assertEqual(report["rows"], {"contributions": 4})
        self.assertEqual(report["cents"], {"contributions": 46840})
        self.assertEqual(report["refused"], [])
        self.assertEqual(report["period"], PERIOD)
        digests = self.rows("SELECT company_id, digest FROM report.period_status ORDER BY 1")
        self.assertEqual(report["closed"], [
            {"company_id": one["company_id"], "rows": 2, "amount_cents": 23420, "employer_cents": 14052,
             "employee_cents": 9368, "held_cents": 0, "digest": one["digest"]} for one in digests])
        self.assertEqual(self.shown(), before)
        verified = self.psql(f"SELECT string_agg(payroll.verify_period(company_id, '{MONTH}'), ' ') FROM payroll.company")
        self.assertEqual(verified, "ok ok")

        again = self.close("--company", "acme", "--company", "beta", "--note", "payslips are out")
        self.assertEqual(again["closed"], report["closed"])     # as somebody does who was cut off before the answer
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.period_event"), "2")

        result = self.refused(65, args=["--close", "--company", "acme"])
        self.assertRegex(self.why(result.report)["acme"],
                         "^payroll month 2026-04 of company 'acme' is closed already, by postgres on .* UTC$")
        self.assertEqual(result.report["closed"], [])

        report = self.must("--reopen", "--company", "acme", "--note", "a bonus was forgotten")
        self.assertEqual((report["reopened"], report["refused"]), (["acme"], []))
        self.assertEqual(self.periods(), [
            {"id": "acme", "month": PERIOD, "status": "open", "by": None, "note": "a bonus was forgotten"},
            {"id": "beta", "month": PERIOD, "status": "closed", "by": "postgres", "note": "payslips are out"}])

        report = self.close("--company", "acme", "--company", "beta", status=3)
        self.assertEqual([one["company_id"] for one in report["closed"]], ["acme"])
        self.assertEqual(list(self.why(report)), ["beta"])
        self.assertEqual(self.periods()[0]["note"], "load --close")
        history = "SELECT event, note FROM report.period_history WHERE company_id = 'acme' ORDER BY event_id"
        self.assertEqual(self.rows(history), [
            {"event": "closed", "note": "payslips are out"}, {"event": "reopened", "note": "a bonus was forgotten"},
            {"event": "closed", "note": "load --close"}])

    def test_what_is_refused_says_why(self):
        self.night((company(), entities()), beta(settled()))
        report = self.close(status=3)
        self.assertEqual([one["company_id"] for one in report["closed"]], ["beta"])
        self.assertEqual(self.why(report), {
            "acme": "payroll month 2026-04 of company 'acme' cannot be closed: invoice line l2 (member_not_in_payroll) holds "
                    "€117.10 and no discrepancy tells of it any more",
            "gone": "unknown company 'gone'"})
        self.refused(65, "payroll month 2026-03 of company 'acme' is unknown: it was never loaded",
                     args=["--close", "--company", "acme"], period="2026-03")
        self.refused(65, "payroll month 2026-06 of company 'acme' lies in the future: the current month is 2026-05",
                     args=["--close", "--company", "acme", "--as-of", AS_OF], period="2026-06")
        self.refused(65, "payroll month 2026-04 of company 'acme' is not closed",
                     args=["--reopen", "--company", "acme", "--note", "x"])
        self.refused(64, "--reopen needs --note", args=["--reopen"])

    def test_held_money_blocks_until_it_is_accepted(self):
        data = entities()
        data["discrepancies"] = [discrepancy("member_not_in_payroll", severity="error", step=1, subject_type="member",
                                             subject_id="mbr2", contract_id=None, cover_month=None, employee_id=None,
                                             employment_id=None, member_id="mbr2", expected_cents=None, actual_cents=None,
                                             delta_cents=None, held_cents=11710)]
        self.night((company(), data))
        number = self.psql("SELECT id FROM payroll.discrepancy")
        self.refused(65, f"cannot be closed: discrepancy {number} (member_not_in_payroll, member mbr2) holds €117.10",
                     args=["--close", "--company", "acme"])
        self.psql(f"SELECT payroll.accept_discrepancy({number}, 'carried into May')")
        report = self.close("--company", "acme")
        self.assertEqual((report["closed"][0]["amount_cents"], report["closed"][0]["held_cents"]), (11710, 11710))

    def test_months_are_closed_in_order_and_only_the_last_is_reopened(self):
        self.night((company(), settled()))
        self.night((company(), later(settled())), period="2026-05")
        self.refused(65, "cannot be closed while 2026-04 is open", args=["--close", "--company", "acme"], period="2026-05")
        self.close("--company", "acme")
        self.refused(65, "it was last read before 2026-04 was closed", args=["--close", "--company", "acme"], period="2026-05")
        self.night((company(), later(settled())), period="2026-05", began_at=AFTER_ALL)
        self.must("--close", "--company", "acme", period="2026-05")
        self.refused(65, "only the last closed month can, which is 2026-05",
                     args=["--reopen", "--company", "acme", "--note", "x"])
        self.must("--reopen", "--company", "acme", "--note", "x", period="2026-05")
        self.must("--reopen", "--company", "acme", "--note", "x")

    def test_under_the_role_of_the_loader(self):
        user = f"nightly_{os.getpid()}"
        self.psql(f"CREATE ROLE {user} LOGIN IN ROLE payroll_loader")
        self.addCleanup(self.psql, f"DROP ROLE {user}")
        self.stage([(company(), settled()), beta(closed_by_payroll(settled()))])
        self.must(PGUSER=user)
        report = self.must("--close", "--company", "acme", PGUSER=user)
        self.assertEqual(len(report["closed"]), 1)
        self.assertEqual([(p["status"], p["by"]) for p in self.periods()], [("closed", user), ("closed", "payroll")])
        for statement in ("UPDATE payroll.period SET status = 'open'", "DELETE FROM payroll.closed_row",
                          "INSERT INTO payroll.period (company_id, payroll_month, status, closed_by) "
                          "VALUES ('x', '2026-01-01', 'open', 'x')",
                          "SELECT payroll.freeze_months(ARRAY['acme'], ARRAY[date '2026-04-01'], 'x', 'x')",
                          "UPDATE payroll.contribution SET kind = 'reversal'"):
            done = subprocess.run(["psql", "-XqAt", "-c", statement], env={**self.env, "PGUSER": user}, capture_output=True,
                                  text=True, check=False)
            self.assertRegex(done.stderr, "permission denied|is closed: no update of contribution", statement)
        self.must("--reopen", "--company", "acme", "--note", "x", PGUSER=user)
        self.refused(77, args=["--close"], PGUSER=self.reader())

    def reader(self):
        user = f"reader_{os.getpid()}"
        self.psql(f"CREATE ROLE {user} LOGIN IN ROLE payroll_reader")
        self.addCleanup(self.psql, f"DROP ROLE {user}")
        return user

    # ---- at once ----

    def session(self, *statements):
        """A session of psql that has run some statements of a transaction."""
        process = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], env=self.env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        for statement in ("BEGIN", *statements, "SELECT 'ready'"):
            process.stdin.write(statement + ";\n")
        process.stdin.flush()
        while process.stdout.readline().strip() != "ready":
            pass
        return process

    def wait_until_one_waits(self):
        for _ in range(600):
            if self.psql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0":
                return
            time.sleep(0.05)
        self.fail("nobody waits")

    def test_the_second_of_two_managers_waits_and_is_told(self):
        self.night((company(), settled()))
        first = self.session(f"SELECT payroll.close_period('acme', '{MONTH}', 'first')")
        second = subprocess.Popen(["psql", "-XqAt", "-c", f"SELECT payroll.close_period('acme', '{MONTH}', 'second')"],
                                  env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_until_one_waits()
        first.communicate("COMMIT;\n")
        self.assertIn("is closed already, by postgres", second.communicate()[1])
        self.assertEqual(self.psql("SELECT note FROM payroll.period_event"), "first")

    def test_a_load_waits_for_a_close(self):
        self.night((company(), settled()))
        before = self.shown()
        data = settled()
        data["contributions"][0] = contribution("l1", 11710, 1)
        self.stage([(company(), data)])
        manager = self.session(f"SELECT payroll.close_period('acme', '{MONTH}', 'first')")
        load = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_until_one_waits()
        manager.communicate("COMMIT;\n")
        stdout, stderr = load.communicate()
        self.assertEqual(load.returncode, 0, stderr)
        self.assertEqual(json.loads(stdout)["rows_of_closed_months"], 3)
        self.assertEqual(self.shown(), before)

    def test_a_close_waits_for_a_load(self):
        self.night((company(), settled()))
        loading = self.session("SELECT FROM payroll.company WHERE company_id = 'acme' FOR NO KEY UPDATE",
                               "UPDATE payroll.contribution SET employer_cents = 1, employee_cents = 11709 "
                               "WHERE line_id = 'l1'")
        close = subprocess.Popen(self.command("--close", "--company", "acme"), env=self.env, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.wait_until_one_waits()
        loading.communicate("COMMIT;\n")
        stdout, stderr = close.communicate()
        self.assertEqual(close.returncode, 0, stderr)
        self.assertEqual(json.loads(stdout)["closed"][0]["employer_cents"], 7027)

    def test_a_lock_that_stays_ends_the_work(self):
        self.night((company(), settled()), beta(settled()))
        self.session("SELECT FROM payroll.company WHERE company_id = 'beta' FOR NO KEY UPDATE")
        result = self.refused(75, "company beta", args=["--close"], PGOPTIONS="-c lock_timeout=300ms")
        self.assertEqual([one["company_id"] for one in result.report["closed"]], ["acme"])

    # ---- months that payroll closes ----

    def test_a_month_that_payroll_closed_is_frozen_as_it_stood(self):
        ready = "SELECT t FROM report.payroll_ready t WHERE company_id = 'acme'"
        self.night((company(), entities()), beta(entities()))
        before = self.psql(ready)
        data = closed_by_payroll(settled())
        data["employees"][0]["last_name"] = "Mariée"
        data["contracts"][0]["reference"] = "OTHER"
        report = self.night((company(headcount=3), data), beta(settled()))
        self.assertEqual(report["months_closed_by_payroll"], 1)
        self.assertEqual(report["companies"]["closed"], 1)
        self.assertEqual(self.periods(), [
            {"id": "acme", "month": PERIOD, "status": "closed", "by": "payroll",
             "note": "closed in the payroll system; run run2"},
            {"id": "beta", "month": PERIOD, "status": "open", "by": None, "note": None}])
        self.assertEqual(self.psql(ready), before)
        self.assertEqual(self.psql("SELECT last_name FROM payroll.employee WHERE company_id = 'acme'"), "Mariée")
        self.assertEqual(self.psql("SELECT status FROM payroll.contribution WHERE company_id = 'acme' AND line_id = 'l2'"),
                         "held")
        self.assertEqual(self.psql(f"SELECT payroll.verify_period('acme', '{MONTH}')"), "ok")
        again = self.must()
        self.assertEqual((again["months_closed_by_payroll"], again["changed"]), (0, False))
        self.refused(65, "the payroll system reports it closed since 2026-05-01",
                     args=["--reopen", "--company", "acme", "--note", "x"])
        self.assertNotIn(NIR, json.dumps(report))

    def test_a_month_that_was_closed_before_it_was_ever_loaded(self):
        report = self.night((company(), closed_by_payroll(entities())))
        self.assertEqual(report["months_closed_by_payroll"], 1)
        self.assertEqual(report["changes"]["contributions"]["inserted"], 2)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.closed_row"), "2")
        self.assertEqual(self.psql("SELECT amount_cents FROM report.payroll_ready"), "11710")
        self.assertEqual(self.psql(f"SELECT payroll.verify_period('acme', '{MONTH}')"), "ok")
        before = self.contents()
        self.must()
        self.assertEqual(self.contents(), before)

    def test_an_earlier_month_that_payroll_closed(self):
        self.night((company(), settled()))
        april = self.shown()
        report = self.night((company(), closed_by_payroll(later(settled()))), period="2026-05")
        self.assertEqual(report["months_closed_by_payroll"], 1)
        self.assertEqual([(p["month"], p["status"]) for p in self.periods()], [(PERIOD, "closed"), ("2026-05", "open")])
        self.assertIn(april, self.shown())
        report = self.night((company(), closed_by_payroll(later(settled()), "2026-03")), period="2026-05")
        self.assertEqual(report["months_closed_by_payroll"], 0)   # it was never loaded: there is nothing to close

    def test_a_dry_run_closes_nothing(self):
        self.night((company(), settled()))
        self.stage([(company(), closed_by_payroll(settled()))])
        self.assertEqual(self.must("--dry-run")["months_closed_by_payroll"], 1)
        self.assertEqual(self.periods()[0]["status"], "open")
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.closed_row"), "0")

    def test_needs_the_schema(self):
        self.refused(78, "load --migrate", args=["--close"], PGDATABASE="postgres")
