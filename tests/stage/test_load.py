"""load against a real PostgreSQL, from staging folders made by hand: what it writes, what it leaves alone, what it refuses."""
import json
import pathlib
import re
import subprocess
import time
import unittest

from harness import ROOM
from loading import FACTS, MONTH, NIR, PERIOD, Case, company, contribution, control, discrepancy, entities


class FirstLoad(Case):
    def test_everything_arrives_as_staged(self):
        self.stage([(company(), entities())])
        report = self.must()
        self.assertEqual(report["status"], "ok")
        self.assertEqual(report["rows"]["contributions"], 2)
        self.assertEqual(report["cents"]["contributions"], 23420)
        self.assertEqual(report["changes"]["contributions"], {"inserted": 2, "updated": 0, "deleted": 0})
        self.assertEqual(report["discrepancies"]["opened"], 1)
        self.assertTrue(report["changed"])
        self.assertEqual(self.rows("SELECT siren, headcount, previous_sirens, establishments FROM payroll.company"), [
            {"siren": "552008443", "headcount": 14, "previous_sirens": [{"siren": "404833048", "until": None}],
             "establishments": [{"siret": "55200844300011", "payroll_company_id": None}]}])
        self.assertEqual(self.rows("SELECT nir, first_name, last_name, birth_date FROM payroll.employee"), [
            {"nir": NIR, "first_name": 'Zoé "Zaza"', "last_name": "D'Arc\\Tab\t\nÉ", "birth_date": "1985-01-02"}])
        self.assertEqual(self.rows("SELECT health_contract_ids, provident_contract_ids, exempt FROM payroll.employment"), [
            {"health_contract_ids": ["p1", "p\\2", "p\"3,{}"], "provident_contract_ids": [], "exempt": False}])
        term = self.rows("SELECT terms FROM payroll.contract")[0]["terms"][0]
        self.assertEqual((term["option_code"], term["price_cents"], term["rate_ppm"]), ("a\\b\"c", 11710, None))
        self.assertEqual(self.rows("SELECT payroll_month, employment_id, employer_cents, status, hold_code "
                                   "FROM payroll.contribution ORDER BY line_id"), [
            {"payroll_month": MONTH, "employment_id": "job1", "employer_cents": 7026, "status": "ready", "hold_code": None},
            {"payroll_month": MONTH, "employment_id": None, "employer_cents": 0, "status": "held",
             "hold_code": "member_not_in_payroll"}])
        self.assertEqual(self.rows("SELECT run_id, status, counts->'rows'->'contributions' AS rows, cents->'contributions' AS cents, "
                                   "period FROM pipeline.run"),
                         [{"run_id": "run1", "status": "ok", "rows": 2, "cents": 23420, "period": MONTH}])

    def test_dry_run_leaves_nothing(self):
        self.stage([(company(), entities())])
        report = self.must("--dry-run")
        self.assertTrue(report["dry_run"])
        self.assertEqual(report["changes"]["contributions"]["inserted"], 2)
        self.assertEqual(self.psql("SELECT count(*) FROM pipeline.run"), "0")
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.company"), "0")

    def test_only_the_companies_asked_for(self):
        other = {"contributions": [], "invoices": [], "pay_bases": [{"employment_id": "x", "month": PERIOD, "gross_cents": 1}]}
        self.stage([(company(), entities()), (company("beta", "404833048"), other)])
        self.must("--company", "beta")
        self.assertEqual(self.psql("SELECT company_id FROM payroll.company"), "beta")
        self.must()
        self.assertEqual(self.psql("SELECT string_agg(company_id, ' ' ORDER BY company_id) FROM payroll.company"), "acme beta")

    def test_a_companies_file_is_read_by_whoever_names_a_company(self):
        text, listed = self.config.read_text(encoding="utf-8"), self.path / "companies.csv"
        head = text.partition("companies:")[0]
        self.config.write_text(f"{head}companies_file: {listed}\n", encoding="utf-8")
        self.stage([(company(), entities())])
        self.assertEqual(self.must()["companies"]["ok"], 1)
        for asks in (("--company", "acme"), ("--close",), ("--reopen", "--note", "n")):
            self.assertIn(f"{listed}: No such file", self.must(*asks, status=78)["error"])
        listed.write_text("company_id,siren\nacme,552008443\n", encoding="utf-8")
        self.assertEqual(self.must("--company", "acme")["companies"]["ok"], 1)
        self.assertIn("--company beta: no such company", self.must("--company", "beta", status=64)["error"])

    def test_shards_together_give_the_whole(self):
        companies = [(company(name, siren), entities()) for name, siren in
                     (("acme", "552008443"), ("beta", "404833048"), ("gone", "443121975"))]
        self.stage(companies)
        for shard in ("0/2", "1/2"):
            self.must("--shard", shard)
        sharded = self.contents()
        self.assertEqual(self.psql("SELECT count(*) FROM pipeline.run"), "2")
        self.psql("SET client_min_messages = warning; TRUNCATE pipeline.run CASCADE; TRUNCATE payroll.company, payroll.contribution, payroll.discrepancy CASCADE")
        self.must()
        self.assertEqual(self.contents(), sharded)


class SecondLoad(Case):
    def test_the_same_run_again_changes_nothing(self):
        self.stage([(company(), entities())], rejects=[
            {"stage": "extract", "entity": "invoices", "company_id": "acme", "reason": "bad_date", "faults": ["x"],
             "source": "http://x", "line": 3, "raw": "{\"a\":\"\\u00e9\"}"}])
        self.must(status=3)
        before = self.versions(), self.rows("SELECT xmin, * FROM pipeline.run"), self.rows("SELECT xmin, * FROM pipeline.reject"), \
            self.rows("SELECT xmin, * FROM payroll.discrepancy"), self.rows("SELECT xmin, * FROM payroll.source_sync")
        self.assertEqual(len(before[2]), 1)
        result = self.load()
        self.assertEqual(result.status, 3)
        self.assertFalse(result.report["changed"])
        self.assertIn("nothing changed", result.stderr)
        self.assertEqual(before, (self.versions(), self.rows("SELECT xmin, * FROM pipeline.run"),
                                  self.rows("SELECT xmin, * FROM pipeline.reject"),
                                  self.rows("SELECT xmin, * FROM payroll.discrepancy"),
                                  self.rows("SELECT xmin, * FROM payroll.source_sync")))

    def test_a_new_night_with_equal_data_writes_no_fact(self):
        self.stage([(company(), entities())])
        self.must()
        before = self.versions()
        self.stage([(company(), entities())])
        self.assertFalse(self.must()["changed"])
        self.assertEqual(self.versions(), before)

    def test_only_what_differs_is_written(self):
        self.stage([(company(), entities())])
        self.must()
        data = entities()
        data["contributions"] = [contribution("l1", 11710, 7026), contribution("l3", 11710, 7027)]
        data["invoice_controls"] = [control(23420)]
        data["employees"][0]["last_name"] = "Other"
        data["members"] = data["members"][:1]
        before = self.psql("SELECT xmin FROM payroll.contribution WHERE line_id = 'l1'")
        self.stage([(company(), data)])
        changes = self.must()["changes"]
        self.assertEqual({name: change for name, change in changes.items() if any(change.values())}, {
            "contributions": {"inserted": 1, "updated": 0, "deleted": 1},
            "invoice_controls": {"inserted": 0, "updated": 1, "deleted": 0},
            "employees": {"inserted": 0, "updated": 1, "deleted": 0},
            "members": {"inserted": 0, "updated": 0, "deleted": 1}})
        self.assertEqual(self.psql("SELECT xmin FROM payroll.contribution WHERE line_id = 'l1'"), before)

    def test_the_result_does_not_depend_on_what_was_there(self):
        first = entities()
        first["contributions"][0]["employer_cents"], first["contributions"][0]["employee_cents"] = 1, 11709
        first["pay_bases"].append({"employment_id": "job1", "month": "2026-03", "gross_cents": 5})
        self.stage([(company(), first), (company("beta", "404833048"), entities())])
        self.must()
        self.stage([(company(), entities()), (company("beta", "404833048"), entities())])
        self.must()
        after = self.contents()
        self.psql("SET client_min_messages = warning; TRUNCATE pipeline.run CASCADE; TRUNCATE payroll.company, payroll.contribution, payroll.discrepancy, "
                  "payroll.pay_base, payroll.invoice, payroll.invoice_control, payroll.employee, payroll.employment, "
                  "payroll.member, payroll.contract, payroll.affiliation, payroll.payroll_contract, payroll.payroll_period CASCADE")
        self.must()
        self.assertEqual(self.contents(), after)

    def test_an_older_run_laid_over_a_newer_one_is_told(self):
        both = [(company(), entities()), (company("beta", "404833048"), entities())]
        for companies in (both, both[:1]):
            self.stage(companies)
            self.assertNotIn("later extract", self.load().stderr)
        self.assertIn("1 companies: the database had a later extract of this month", self.load("--run-id", "run1").stderr)
        self.assertNotIn("later extract", self.load("--run-id", "run1").stderr)
        self.assertNotIn("later extract", self.load("--run-id", "run2").stderr)

    def test_what_a_slow_server_does_not_take_is_not_kept_in_memory(self):
        many = entities()
        many["employees"] += [{"employee_id": f"many{i}", "last_name": "N" * 200} for i in range(60_000)]
        self.stage([(company(), many)])
        self.psql("CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN NEW; END'; "
                  "CREATE TRIGGER nap BEFORE INSERT ON payroll.employee FOR EACH ROW WHEN (NEW.employee_id = 'many0') "
                  "EXECUTE FUNCTION nap()")
        process = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status, most = pathlib.Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:
            kib = re.search(r"RssAnon:\s+(\d+)", status.read_text(encoding="utf-8"))
            most = max(most, int(kib[1]) if kib else 0)
            time.sleep(0.02)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "60001")
        self.assertLess(most, (10 if ROOM == 1 else 1000) << 10)

    def test_a_row_changed_by_hand_is_put_right(self):
        self.stage([(company(), entities())])
        self.must()
        before = self.contents()
        self.psql("UPDATE payroll.contribution SET employer_cents = 1, employee_cents = 11709 WHERE line_id = 'l1'")
        self.assertEqual(self.must()["changes"]["contributions"]["updated"], 1)
        self.assertEqual(self.contents(), before)

    def test_invoices_before_the_window_stay(self):
        self.stage([(company(), entities())])
        self.must()
        self.psql("INSERT INTO payroll.invoice SELECT company_id, 'old', number, type, siren, '2025-12-01', issued_on, due_on, "
                  "currency, total_cents, line_count, status, updated_at FROM payroll.invoice")
        self.psql("INSERT INTO payroll.invoice SELECT company_id, 'withdrawn', number, type, siren, '2026-03-01', issued_on, "
                  "due_on, currency, total_cents, line_count, status, updated_at FROM payroll.invoice WHERE invoice_id = 'inv1'")
        self.must()
        self.assertEqual(self.psql("SELECT string_agg(invoice_id, ' ' ORDER BY invoice_id) FROM payroll.invoice"), "inv1 old")

    def test_the_next_month_leaves_this_one_alone(self):
        self.stage([(company(), entities())])
        self.must()
        before = self.rows("SELECT xmin, * FROM payroll.contribution ORDER BY line_id")
        may = json.loads(json.dumps(entities()).replace("2026-04", "2026-05").replace("inv1", "inv2").replace('"l1"', '"l3"')
                         .replace('"l2"', '"l4"'))
        may["employments"], may["members"] = [], []
        may["contributions"] = [dict(c, status="held", hold_code="base_missing") for c in may["contributions"]]
        may["invoice_controls"] = [dict(control(23420, held=23420), invoice_id="inv2", payroll_month="2026-05",
                                        billing_month="2026-05")]
        self.stage([(company(), may)], period="2026-05")
        self.must(period="2026-05")
        self.assertEqual(self.rows("SELECT xmin, * FROM payroll.contribution WHERE payroll_month = '2026-04-01' ORDER BY line_id"),
                         before)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "4")
        self.assertEqual(self.psql("SELECT employment_id FROM payroll.employment"), "job1")   # April still names it


class Refusals(Case):
    def staged_refused(self, data, *texts):
        self.stage([(company(), data)])
        self.refused(65, *texts)
        for table in FACTS:
            self.assertEqual(self.psql(f"SELECT count(*) FROM payroll.{table}"), "0", table)
        self.assertEqual(self.psql("SELECT count(*) FROM pipeline.run"), "0")

    def test_shares_that_do_not_add_up(self):
        data = entities()
        data["contributions"][0]["employee_cents"] += 1
        self.staged_refused(data, "contribution_sum_check")

    def test_shares_that_do_not_add_up_on_a_second_night(self):
        self.stage([(company(), entities())])
        self.must()
        before = self.versions()
        data = entities()
        data["contributions"][0]["employee_cents"] += 1
        self.stage([(company(), data)])
        self.refused(65, "company acme: line l1: employer 7026 + employee 4685 cents are not the amount 11710")
        self.assertEqual(self.versions(), before)

    def test_lines_of_another_company(self):
        data = entities()
        data["pay_bases"][0] = {**data["pay_bases"][0], "company_id": "beta"}
        self.staged_refused(data, "pay_bases-0000.ndjson: company acme, its line 1 is another company's")

    def test_a_control_that_says_another_sum(self):
        data = entities()
        data["invoice_controls"] = [control(23420, held=11709)]
        self.staged_refused(data, "company acme: invoice inv1: 11710 cents ready and 11710 held")

    def test_a_contribution_without_a_control(self):
        data = entities()
        data["invoice_controls"] = []
        self.staged_refused(data, "invoice inv1")

    def test_ready_for_somebody_unmatched(self):
        data = entities()
        data["members"][0].update(employee_id=None, matched_by="none")
        self.staged_refused(data, "line l1: ready, but member mbr1 is not matched")

    def test_ready_for_somebody_exempt(self):
        data = entities()
        data["coverage"] = [{"payroll_month": PERIOD, "employment_id": "job1", "employee_id": "emp1", "reason": "exempt"}]
        self.staged_refused(data, "employment job1 is exempt")

    def test_ready_in_portability(self):
        data = entities()
        data["affiliations"][0]["status"] = "portability"
        self.staged_refused(data, "member mbr1 is in portability")

    def test_another_payroll_month(self):
        data = entities()
        data["contributions"][0]["payroll_month"] = "2026-03"
        result = self.load_staged(data)
        self.assertIn(result.status, (65, 70), result.stderr)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "0")

    def load_staged(self, data):
        self.stage([(company(), data)])
        return self.load()

    def test_an_empty_feed_is_refused_unless_allowed(self):
        self.stage([(company(), entities()), (company("beta", "404833048"), entities())])
        self.must()
        nothing = {name: [] for name in entities()}
        self.stage([(company(), nothing), (company("beta", "404833048"), nothing)])
        self.refused(65, "company acme: ", "company beta: ", "--allow-empty")
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "4")
        self.must("--allow-empty")
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "0")
        self.must()

    def test_a_failed_company_keeps_its_facts(self):
        self.stage([(company(), entities()), (company("beta", "404833048"), entities())])
        self.must()
        before = self.versions()
        failed = company(status="failed", sources=[
            {"source": "alan", "outcome": "failed", "attempted_at": "2026-04-28T05:00:00Z", "error": "401"}])
        self.stage([(failed, {}), (company("beta", "404833048"), entities())])
        report = self.must(status=3)
        self.assertEqual(report["companies"], {"ok": 1, "failed": 1, "closed": 0, "unchanged": 1})
        self.assertEqual(self.versions(), before)
        self.assertEqual(self.rows("SELECT source, outcome, synced_at, error FROM payroll.source_sync WHERE company_id = 'acme'"), [
            {"source": "alan", "outcome": "failed", "synced_at": "2026-04-27T05:00:00+00:00", "error": "401"}])

    def test_a_closed_month_never_changes(self):
        self.stage([(company(), entities()), (company("beta", "404833048"), entities())])
        self.must()
        self.psql(f"SELECT payroll.close_reported(ARRAY['acme'], ARRAY[date '{MONTH}'], 'payslips are out')")
        before = self.psql("SELECT xmin, c FROM payroll.contribution c WHERE company_id = 'acme' ORDER BY 2")
        data = entities()
        data["contributions"] = data["contributions"][:1]
        data["invoice_controls"] = [control(11710)]
        data["invoices"][0]["total_cents"] = 11710
        self.stage([(company(), data), (company("beta", "404833048"), data)])
        report = self.must()
        self.assertEqual(report["rows_of_closed_months"], 2)
        self.assertEqual(report["companies"]["closed"], 1)
        self.assertEqual(self.psql("SELECT xmin, c FROM payroll.contribution c WHERE company_id = 'acme' ORDER BY 2"), before)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution WHERE company_id = 'beta'"), "1")

    def test_values_stay_out_of_messages(self):
        data = entities()
        data["employees"].append(dict(data["employees"][0]))   # the key is there twice; the row holds a number
        self.staged_refused(data, "employee_pkey")

    def test_schema_of_another_version(self):
        self.stage([(company(), entities())])
        self.psql("DELETE FROM pipeline.migration WHERE version = (SELECT max(version) FROM pipeline.migration)")
        self.refused(78, "load --migrate")
        self.psql("UPDATE pipeline.migration SET sha256 = repeat('0', 64) WHERE version = 1")
        self.refused(78, "0001_")
        self.refused(78, "0001_", args=["--migrate"])

    def test_no_schema(self):
        self.stage([(company(), entities())])
        self.refused(78, "load --migrate", PGDATABASE="postgres")

    def test_nothing_staged(self):
        self.refused(66, "transform")

    def test_database_away(self):
        self.stage([(company(), entities())])
        self.refused(69, "127.0.0.1", DATABASE_URL="postgresql://u:s3cret@127.0.0.1:1/x")

    def test_refused_rights(self):
        self.stage([(company(), entities())])
        self.psql("DO $$BEGIN CREATE ROLE load_test_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
        self.refused(77, PGUSER="load_test_reader")

    def test_a_bad_url_is_not_repeated(self):
        self.stage([(company(), entities())])
        for url in ("postgresql://u:s3@cret@localhost/x", "postgresql://u:s3cret@localhost:port/x", "host=x s3cret"):
            result = self.refused(78, "database", DATABASE_URL=url)
            self.assertNotIn("s3", result.stderr)
            self.assertNotIn("cret", result.stderr)


class Discrepancies(Case):
    def state(self):
        return self.rows("SELECT status, payroll_month, delta_cents, first_seen_run, last_seen_run, resolved_by_run, "
                         "(SELECT json_agg(event ORDER BY event_id) FROM payroll.discrepancy_event e "
                         " WHERE (e.company_id, e.discrepancy_id) = (d.company_id, d.id)) AS events "
                         "FROM payroll.discrepancy d ORDER BY id")

    def night(self, *found, period=PERIOD):
        data = {**entities(), "discrepancies": list(found)}
        if period != PERIOD:
            data = json.loads(json.dumps(data).replace(PERIOD, period))
            data["discrepancies"] = list(found)
        self.stage([(company(), data)], period=period)
        return self.must(period=period)["discrepancies"]

    def test_opened_seen_again_resolved_returned(self):
        self.assertEqual(self.night(discrepancy())["opened"], 1)
        self.assertEqual(self.night(discrepancy(delta_cents=2))["changed"], 1)
        self.assertEqual(self.night()["resolved"], 1)
        self.assertEqual(self.night()["resolved"], 0)
        self.assertEqual(self.state()[0]["resolved_by_run"], "run3")
        self.assertEqual(self.night(discrepancy())["returned"], 1)
        self.assertEqual(self.state(), [
            {"status": "open", "payroll_month": MONTH, "delta_cents": 1, "first_seen_run": "run1", "last_seen_run": "run5",
             "resolved_by_run": None, "events": ["opened", "resolved", "returned"]}])

    def test_accepted_stays_until_its_amounts_change(self):
        self.night(discrepancy())
        self.psql("SELECT payroll.accept_discrepancy(id, 'fine') FROM payroll.discrepancy")
        self.assertEqual(self.night(discrepancy(expected="x"))["reopened"], 0)
        self.assertEqual(self.state()[0]["status"], "accepted")
        self.assertEqual(self.night(discrepancy(delta_cents=2))["reopened"], 1)
        self.assertEqual(self.state()[0]["status"], "open")
        self.assertEqual(self.state()[0]["events"], ["opened", "accepted", "reopened"])

    def test_accepted_and_in_progress_resolve_themselves(self):
        self.night(discrepancy(), discrepancy("rate_mismatch"))
        self.psql("SELECT payroll.accept_discrepancy(id, 'fine') FROM payroll.discrepancy WHERE code = 'price_mismatch'")
        self.psql("SELECT payroll.progress_discrepancy(id, 'asked') FROM payroll.discrepancy WHERE code = 'rate_mismatch'")
        self.assertEqual(self.night(discrepancy("rate_mismatch"))["resolved"], 1)
        self.assertEqual([row["status"] for row in self.state()], ["resolved", "in_progress"])
        self.assertEqual(self.night()["resolved"], 1)

    def test_the_next_month_resolves_standing_conditions_only(self):
        standing = discrepancy("nir_missing", contract_id=None, cover_month=None, expected_cents=None, actual_cents=None,
                               delta_cents=None)
        self.night(discrepancy(), standing, discrepancy("siren_mismatch", cover_month=None, invoice_id="inv1"))
        self.assertEqual(self.night(period="2026-05")["resolved"], 1)
        self.assertEqual(self.psql("SELECT string_agg(code || ' ' || status, ', ' ORDER BY code) FROM payroll.discrepancy"),
                         "nir_missing resolved, price_mismatch open, siren_mismatch open")

    def test_what_a_closed_month_left_is_resolved_by_the_next(self):
        self.night(discrepancy(), discrepancy("siren_mismatch", cover_month=None, invoice_id="inv1"))
        self.psql(f"SELECT payroll.close_reported(ARRAY['acme'], ARRAY[date '{MONTH}'], 'payslips are out')")
        self.assertEqual(self.night(discrepancy(), period="2026-05")["resolved"], 1)
        self.assertEqual([(row["status"], row["payroll_month"]) for row in self.state()],
                         [("open", MONTH), ("resolved", MONTH)])

    def test_an_earlier_month_does_not_undo_a_later_one(self):
        standing = discrepancy("nir_missing", contract_id=None, cover_month=None)
        self.night(standing)
        self.night(dict(standing, payroll_month="2026-05", delta_cents=7), period="2026-05")
        self.night(standing)
        self.night()
        state = self.state()[0]
        self.assertEqual((state["status"], state["payroll_month"], state["delta_cents"]), ("open", "2026-05-01", 7))

    def seen(self):
        """When each discrepancy of the inbox was last seen, by its code."""
        return {row["code"]: row["last_seen_at"][11:16] for row in self.rows(
            "SELECT code, last_seen_at AT TIME ZONE 'UTC' AS last_seen_at FROM report.discrepancy_inbox")}

    def written(self):
        return self.psql("SELECT xmin, d FROM payroll.discrepancy AS d ORDER BY id")

    def test_seen_again_as_it_was_is_not_written(self):
        found = discrepancy(), discrepancy("rate_mismatch")
        self.night(*found)
        self.psql("SELECT payroll.progress_discrepancy(id, 'asked') FROM payroll.discrepancy WHERE code = 'rate_mismatch'")
        before = self.written()
        for last in ("06:02", "06:03"):
            self.night(*found)
            self.assertEqual(self.seen(), {"price_mismatch": last, "rate_mismatch": last})
            self.assertEqual(self.written(), before)
        self.assertEqual(self.night(found[0], discrepancy("rate_mismatch", delta_cents=2))["changed"], 1)
        self.assertEqual(self.seen(), {"price_mismatch": "06:04", "rate_mismatch": "06:04"})
        self.assertEqual([row["last_seen_run"] for row in self.state()], ["run1", "run4"])

    def test_resolved_it_tells_the_run_that_last_saw_it(self):
        self.night(discrepancy())
        self.night(discrepancy())
        self.night()
        self.assertEqual(self.rows("SELECT last_seen_run, last_seen_at = timestamptz '2026-04-27 06:02Z' AS then, "
                                   "resolved_by_run FROM payroll.discrepancy"),
                         [{"last_seen_run": "run2", "then": True, "resolved_by_run": "run3"}])
        self.night(discrepancy("rate_mismatch"))
        self.assertEqual(self.seen(), {"rate_mismatch": "06:04"})

    def test_who_is_not_loaded_was_not_seen(self):
        both = (company(), entities()), (company("beta", "404833048"), entities())
        for number in range(2):
            self.stage(both)
            self.must(*(["--company", "beta"] if number else []))
        self.stage([(company(status="failed"), {}), both[1]])
        self.must(status=3)
        self.assertEqual(self.psql("SELECT string_agg(company_id || to_char(last_seen_at AT TIME ZONE 'UTC', ' HH24:MI'), "
                                   "', ' ORDER BY company_id) FROM report.discrepancy_inbox"), "acme 06:01, beta 06:03")

    def test_a_later_month_has_its_own_sight(self):
        standing = discrepancy("nir_missing", contract_id=None, cover_month=None)
        self.night(standing, discrepancy())
        self.night(standing, discrepancy())
        self.night({**standing, "payroll_month": "2026-05"}, period="2026-05")
        self.night({**standing, "payroll_month": "2026-05"}, period="2026-05")
        self.assertEqual(self.seen(), {"nir_missing": "06:04", "price_mismatch": "06:02"})
        self.night(standing, discrepancy())
        self.assertEqual(self.seen(), {"nir_missing": "06:04", "price_mismatch": "06:05"})

    def test_an_older_run_does_not_take_back_what_a_newer_one_saw(self):
        self.night(discrepancy(), discrepancy("rate_mismatch"))
        self.night(discrepancy())
        self.night(discrepancy())
        self.must("--run-id", "run1")
        self.assertEqual(self.seen(), {"price_mismatch": "06:03", "rate_mismatch": "06:01"})
        before = self.written()
        self.must("--run-id", "run1")
        self.assertEqual(self.written(), before)
        self.assertEqual([row["last_seen_run"] for row in self.state()], ["run3", "run1"])
        self.must("--run-id", "run3")
        self.assertEqual(self.seen(), {"price_mismatch": "06:03"})


class Rejects(Case):
    REJECT = {"stage": "extract", "entity": "invoices", "company_id": "acme", "reason": "bad_date", "faults": ["a\\", "b\"\n"],
              "source": "http://x", "line": 3, "raw": "{\"nir\":\"%s\"}\\" % NIR}

    def test_rejects_are_replaced(self):
        self.stage([(company(), entities())], rejects=[self.REJECT, {**self.REJECT, "company_id": None, "line": None}], run_id="r")
        self.must(status=3)
        self.assertEqual(self.rows("SELECT company_id, faults, raw, line FROM pipeline.reject ORDER BY company_id"), [
            {"company_id": "acme", "faults": ["a\\", "b\"\n"], "raw": self.REJECT["raw"], "line": 3},
            {"company_id": None, "faults": ["a\\", "b\"\n"], "raw": self.REJECT["raw"], "line": None}])
        self.assertEqual(self.psql("SELECT status FROM pipeline.run"), "partial")
        self.stage([(company(), entities())], rejects=[{**self.REJECT, "line": 4}], run_id="r")
        self.must(status=3)
        self.assertEqual(self.psql("SELECT line FROM pipeline.reject"), "4")

    def test_rejects_that_changed_or_are_none(self):
        self.stage([(company(), entities())], rejects=[{**self.REJECT, "reason": "worse"}], run_id="r")
        self.refused(65, "rejects.ndjson:1: reason: expected one of malformed_json")
        self.stage([(company(), entities())], rejects=[self.REJECT], run_id="r")
        path = next(self.path.rglob("rejects.ndjson"))
        path.write_bytes(path.read_bytes().replace(b'"line":3', b'"line":4'))
        self.refused(65, "rejects.ndjson: expected XXH128")
        self.assertEqual(self.psql("SELECT count(*) FROM pipeline.run"), "0")


if __name__ == "__main__":
    unittest.main()
