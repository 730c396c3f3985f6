"""Nights that change a little: whatever way load takes to tell what differs, the database is the same afterwards."""
import copy
import random
import shutil
import subprocess
import unittest

import tally
from fetching import siren
from loading import MONTH, PERIOD, Case, company, contribution, control, entities

ROUNDS = 40 if tally.FULL else 6


class World:
    """A company's people from night to night; facts() is what a run brings of them."""

    def __init__(self, rng, people=5):
        self.rng, self.last = rng, 0
        self.people = [self.person() for _ in range(people)]
        self.more = {"contracts": 1, "payroll_contracts": 1}

    def person(self):
        self.last += 1
        return {"n": self.last, "name": "Nom", "cents": 10000, "employer": 6000, "gross": 300000, "held": False,
                "category": "all", "bases": 1, "matched": True}

    def change(self):
        rng = self.rng
        for _ in range(rng.randint(0, 3)):
            person = rng.choice(self.people)
            what = rng.choice(["name", "cents", "employer", "gross", "held", "category", "bases", "leave", "join",
                               "contracts", "payroll_contracts"])
            if what == "join":
                self.people.insert(rng.randrange(len(self.people)), self.person())
            elif what == "leave" and len(self.people) > 2:
                self.people.remove(person)
            elif what in self.more:
                self.more[what] = rng.randint(1, 3)
            elif what == "held":
                person["held"] = not person["held"]
            elif what in person:
                person[what] = {"name": rng.choice(["Nom", "Autre\\", "Tab\t"]), "cents": rng.randint(8000, 9000),
                                "employer": rng.randint(0, 8000), "gross": rng.randint(1, 9) * 100000,
                                "category": rng.choice(["all", "executive"]), "bases": rng.randint(0, 2)}[what]

    def facts(self):
        data = {name: [] for name in entities()}
        base = entities()
        data["invoices"] = base["invoices"]
        data["contracts"] = [dict(base["contracts"][0], contract_id=f"ctr{i + 1}")
                             for i in range(self.more["contracts"])]
        data["payroll_contracts"] = [dict(base["payroll_contracts"][0], payroll_contract_id=f"p{i}")
                                     for i in range(self.more["payroll_contracts"])]
        data["payroll_periods"] = base["payroll_periods"]
        for p in self.people:
            ids = {"employee_id": f"emp{p['n']}", "last_name": p["name"]}
            data["employees"].append(ids)
            data["employments"].append({**base["employments"][0], "employment_id": f"job{p['n']}",
                                        "employee_id": ids["employee_id"], "category": p["category"]})
            data["members"].append({"member_id": f"mbr{p['n']}", "matched_by": "nir", **ids})
            data["affiliations"].append({"affiliation_id": f"aff{p['n']}", "member_id": f"mbr{p['n']}",
                                         "contract_id": "ctr1", "status": "active", "starts_on": "2020-01-01",
                                         "last_name": p["name"]})
            for month in ("2026-04", "2026-03")[:p["bases"]]:
                data["pay_bases"].append({"employment_id": f"job{p['n']}", "month": month, "gross_cents": p["gross"]})
            held = {"status": "held", "hold_code": "base_missing"} if p["held"] else {}
            data["contributions"].append(contribution(f"l{p['n']}", p["cents"], p["employer"], f"job{p['n']}",
                                                      f"mbr{p['n']}", **held))
        total = sum(p["cents"] for p in self.people)
        data["invoice_controls"] = [control(total, held=sum(p["cents"] for p in self.people if p["held"]))]
        data["invoices"][0]["total_cents"] = total
        return data


class Nights(Case):
    def load_told(self, *args):
        """The report, and how companies were compared: (by what differs, whole)."""
        result = self.load("--log-level", "debug", *args)
        self.assertEqual(result.status, 0, result.stderr)
        found = [line.split() for line in result.stderr.splitlines() if " companies by what differs, " in line]
        if not found:
            return result.report, None
        words = found[0]
        return result.report, (int(words[words.index("companies") - 1]), int(words[words.index("whole") - 1]))

    def empty(self):
        self.psql("SET client_min_messages = warning; TRUNCATE pipeline.run, pipeline.company_load, payroll.company, "
                  "payroll.contribution, payroll.discrepancy, payroll.coverage, payroll.pay_base, payroll.invoice, "
                  "payroll.invoice_control, "
                  "payroll.employee, payroll.employment, payroll.member, payroll.contract, payroll.affiliation, "
                  "payroll.payroll_contract, payroll.payroll_period CASCADE")

    def test_every_way_gives_the_same(self):
        """By what differs, whole (the earlier run's folder is gone) and into empty tables."""
        for round_number in range(ROUNDS):
            rng = random.Random(f"{tally.SEED} {round_number}")
            worlds = [World(rng, 5 if round_number % 2 else 60), World(rng, 2)]   # few of many differ, or many of few
            nights = [[copy.deepcopy(w.facts()) for w in worlds]]
            for _ in range(2):
                for world in worlds:
                    world.change()
                nights.append([copy.deepcopy(w.facts()) for w in worlds])
            staged = [[(company(), a), (company("beta", "404833048"), b)] for a, b in nights]
            seen = []
            for way in ("differs", "whole"):
                self.empty()
                shutil.rmtree(self.path / "staging", ignore_errors=True)
                reports = []
                for night in staged:
                    if way == "whole":
                        shutil.rmtree(self.path / "staging", ignore_errors=True)
                    self.stage(night)
                    report, told = self.load_told()
                    changed = 2 - report["companies"]["unchanged"]
                    if reports and changed:
                        self.assertEqual(told, (changed, 0) if way == "differs" else (0, changed))
                    reports.append(report["changes"])
                seen.append((self.contents(), reports))
            self.assertEqual(seen[0], seen[1], f"round {round_number}")
            self.empty()
            self.must()
            direct = self.contents()
            self.assertEqual({k: v for k, v in direct.items() if k != "discrepancy"},
                             {k: v for k, v in seen[0][0].items() if k != "discrepancy"}, f"round {round_number}")
        tally.count("nights loaded in three ways", 3 * ROUNDS)

    def two_nights(self, second=None):
        """A first night loaded, a second one staged in which an amount differs; with how it must be compared."""
        self.stage([(company(), entities())])
        self.must()
        data = second or entities()
        data["pay_bases"][0]["gross_cents"] += 1
        self.stage([(company(), data)])

    def assert_gross(self, cents):
        self.assertEqual(self.psql("SELECT gross_cents FROM payroll.pay_base"), str(cents))

    def test_an_earlier_folder_that_was_altered_is_not_believed(self):
        self.two_nights()
        path = self.path / "staging" / PERIOD / "run1" / "transform"
        for file in path.glob("employees-*.ndjson"):
            file.write_bytes(file.read_bytes().replace(b"0001", b"0002"))
        self.assertEqual(self.load_told()[1], (0, 1))
        self.assert_gross(300001)

    def test_rows_changed_by_hand_are_put_right_where_a_company_changes(self):
        self.two_nights()
        self.psql("UPDATE payroll.employee SET last_name = 'by hand'")
        report, told = self.load_told()
        self.assertEqual(told, (0, 1))
        self.assertEqual(report["changes"]["employees"]["updated"], 1)
        self.assert_gross(300001)

    def test_what_is_gone_but_in_use_has_the_company_compared_whole(self):
        """March still names job1 when April's source does not: a payslip of April must not pass for it."""
        self.stage([(company(), entities())])
        self.must()
        self.psql("SELECT payroll.ensure_partition('2026-03-01')")
        self.psql("INSERT INTO payroll.contribution "
                  "SELECT (jsonb_populate_record(c, '{\"payroll_month\": \"2026-03-01\"}')).* "
                  "FROM payroll.contribution c WHERE line_id = 'l1'")
        gone = entities()
        gone["employments"] = []
        for c in gone["contributions"]:
            c.update(status="held", hold_code="base_missing")
        gone["invoice_controls"] = [control(23420, held=23420)]
        self.stage([(company(), gone)])
        self.load_told()
        self.assertEqual(self.psql("SELECT rows, kept FROM pipeline.company_load"),
                         self.psql("SELECT rows, 1 FROM pipeline.company_load"))
        ready = copy.deepcopy(gone)
        ready["contributions"][0].update(status="ready", hold_code=None)
        ready["invoice_controls"] = [control(23420, held=11710)]
        self.stage([(company(), ready)])
        self.refused(65, "employment job1 is not among the employments")
        gone["pay_bases"][0]["gross_cents"] = 5
        self.stage([(company(), gone)])
        self.assertEqual(self.load_told()[1], (0, 1))
        self.assert_gross(5)

    def test_a_check_sees_what_makes_last_night_s_line_wrong(self):
        """One thing alone differs tonight; the line that it makes wrong came last night, or comes tonight. Beside few other
        lines all are gone through; beside many, each is looked up."""
        for others in (0, 50):
            self.empty()
            self.check_sees(others)

    def check_sees(self, others):
        def first():
            data = entities()
            data["employees"].append({"employee_id": "emp2", "last_name": "Autre"})
            data["affiliations"].append({**data["affiliations"][0], "affiliation_id": "aff2", "status": "portability"})
            held = {"status": "held", "hold_code": "member_not_in_payroll"}
            data["contributions"].append(contribution("l1", 100, 50, cover_from="2026-03-01", cover_to="2026-03-31", **held))
            data["contributions"] += [contribution(f"o{i}", 1, 0, None, "mbr2", **held) for i in range(others)]
            data["invoices"][0]["total_cents"] += 100 + others
            data["invoice_controls"] = [control(23520 + others, held=11810 + others)]
            return data

        def exempt(employment_id):
            return {"payroll_month": PERIOD, "employment_id": employment_id, "employee_id": "emp1", "reason": "exempt"}

        unmatched = "line l1: ready, but member mbr1 is not matched with the employee"
        cases = {
            "an employment of somebody else": (lambda d: d["employments"][0].update(employee_id="emp2"), unmatched),
            "an employment that is gone": (lambda d: d["employments"].clear(),
                                           "line l1: ready, but employment job1 is not among the employments"),
            "a member of somebody else": (lambda d: d["members"][0].update(employee_id="emp2"), unmatched),
            "a member who is not matched any more": (
                lambda d: d["members"][0].update(employee_id=None, matched_by="none"), unmatched),
            "a member of somebody else, and the line's other month, which differs too": (
                lambda d: (d["members"][0].update(employee_id="emp2"),
                           next(c for c in d["contributions"] if c["cover_from"] == "2026-03-01")
                           .update(employer_cents=51, employee_cents=49)), unmatched),
            "a member who is gone": (lambda d: d["members"].pop(0), unmatched),
            "an exemption, the first of the month": (lambda d: d["coverage"].append(exempt("job1")),
                                                     "line l1: ready, but employment job1 is exempt"),
            "an affiliation that becomes portability": (lambda d: d["affiliations"][0].update(status="portability"),
                                                        "line l1: ready, but member mbr1 is in portability"),
            "portability left alone": (lambda d: d["affiliations"].pop(0),
                                       "line l1: ready, but member mbr1 is in portability"),
            "a line given to another employment": (
                lambda d: d["contributions"][0].update(employment_id="job9"),
                "line l1: ready, but employment job9 is not among the employments"),
            "a line for another member": (lambda d: d["contributions"][0].update(member_id="mbr2"),
                                          "line l1: ready, but member mbr2 is not matched with the employee"),
        }
        self.stage([(company(), first())])
        self.must()
        before = self.versions()
        for name, (change, fault) in cases.items():
            with self.subTest(name, others=others):
                data = first()
                change(data)
                self.stage([(company(), data)])
                result = self.load("--log-level", "debug")
                self.assertEqual(result.status, 65, result.stderr)
                self.assertIn(" 1 companies by what differs, 0 whole", result.stderr)
                self.assertIn(fault, result.stderr)
                self.assertEqual(self.versions(), before)
        data = first()
        data["coverage"].append(exempt("job8"))
        self.stage([(company(), data)])
        self.assertEqual(self.load_told()[1], (1, 0))
        data["coverage"].append(exempt("job1"))
        self.stage([(company(), data)])
        self.refused(65, "line l1: ready, but employment job1 is exempt")

    def test_what_changes_finds_room_beside_what_it_was(self):
        """So that no index is written to, in a page that the first load has filled."""
        world = World(random.Random(1), people=200)
        self.stage([(company(), world.facts())])
        self.must()
        world.people[0].update(cents=9000, employer=4000, gross=1, name="Autre")
        self.stage([(company(), world.facts())])
        self.assertEqual(self.load_told()[1], (1, 0))
        self.assertEqual(self.psql("SELECT string_agg(format('%s %s/%s', relname, n_tup_hot_upd, n_tup_upd), ', ' ORDER BY relname) "
                                   "FROM pg_stat_user_tables WHERE relname ~ '^(contribution_|affiliation|pay_base)'"),
                         "affiliation 1/1, contribution_2026_04 1/1, pay_base 1/1")

    def test_a_check_sees_a_company_that_came_whole_beside_others(self):
        """Nothing of beta differs from what somebody wrote by hand, which no load has checked."""
        beta, unmatched = company("beta", "404833048"), entities()
        unmatched["members"][0].update(employee_id=None, matched_by="none")
        self.stage([(company(), entities()), (beta, entities())])
        self.must()
        self.psql("UPDATE payroll.member SET employee_id = NULL, matched_by = 'none' "
                  "WHERE company_id = 'beta' AND member_id = 'mbr1'")
        self.stage([(company(), {**entities(), "pay_bases": []}), (beta, unmatched)])
        result = self.load("--log-level", "debug")
        self.assertIn(" 1 companies by what differs, 1 whole", result.stderr)
        self.assertEqual(result.status, 65, result.stderr)
        self.assertIn("company beta: line l1: ready, but member mbr1 is not matched", result.stderr)
        self.assertNotIn("company acme", result.stderr)

    def test_a_base_of_another_month_comes_and_goes(self):
        """Rows outside the months that are read again belong to nobody's count."""
        data = entities()
        data["pay_bases"].append({"employment_id": "job1", "month": "2025-01", "gross_cents": 7})
        self.two_nights(data)
        self.assertEqual(self.load_told()[1], (1, 0))
        self.assertEqual(self.psql("SELECT sum(gross_cents) FROM payroll.pay_base"), "300008")
        self.stage([(company(), entities())])
        self.load_told()
        self.assertEqual(self.psql("SELECT sum(gross_cents) FROM payroll.pay_base"), "300007")

    def last_seen(self):
        return self.psql("SELECT to_char(last_seen_at AT TIME ZONE 'UTC', 'HH24:MI') FROM report.discrepancy_inbox")

    def test_a_schema_that_did_not_count_what_is_kept(self):
        """Upgraded with data in it: the first change is compared whole, the next one by what differs. What was seen is
        what the rows say, until the next night."""
        self.two_nights()
        self.psql("SET client_min_messages = warning; ALTER TABLE pipeline.company_load DROP COLUMN kept; "
                  "ALTER TABLE pipeline.month_read DROP COLUMN seen_at CASCADE, DROP COLUMN seen_run; "
                  "DROP TABLE pipeline.suspended; "
                  "DELETE FROM pipeline.migration WHERE version >= 11")
        self.refused(78, "run load --migrate")
        self.must("--migrate")
        self.assertEqual(self.last_seen(), "06:01")
        self.assertEqual(self.load_told()[1], (0, 1))
        self.assertEqual(self.last_seen(), "06:02")
        self.assert_gross(300001)
        again = entities()
        again["pay_bases"][0]["gross_cents"] = 9
        self.stage([(company(), again)])
        self.assertEqual(self.load_told()[1], (1, 0))
        self.assert_gross(9)

    def test_many_companies_are_each_known(self):
        """More than are asked for at a time, of which some closed their month and some are new; in a database that sorts
        small and capital letters otherwise than by their bytes."""
        self.env["PGDATABASE"] = self.database + "_fr"
        subprocess.run(["createdb", "-T", "template0", "--locale-provider=icu", "--icu-locale=fr", self.env["PGDATABASE"]],
                       env=self.base_env, check=True)
        self.addCleanup(subprocess.run, ["dropdb", "--force", self.env["PGDATABASE"]], env=self.base_env, check=True)
        self.must("--migrate")

        def night(names, changed):
            return [(company(name, siren(number)), {"contracts": [
                {**entities()["contracts"][0], "reference": "NEW" if name in changed else "OLD"}]}) for number, name in names]

        names = list(enumerate(f"{'cC'[n % 2]}{n:04}" for n in range(1300)))
        closed, changed = [f"c{n:04}" for n in range(0, 1200, 4)], {"c0000", "C0001", "c0600", "C1199"}
        self.stage(night(names[:1200], ()))
        self.must()
        self.psql(f"SELECT payroll.close_reported(ARRAY{closed}, array_fill(date '{MONTH}', ARRAY[{len(closed)}]), 'payslips are out')")
        self.load_told()      # what is remembered of a company is of its month as it was: open
        self.stage(night(names, changed))
        report, told = self.load_told()
        self.assertEqual(told, (len(changed), 100))
        companies = report["companies"]
        self.assertEqual((companies["ok"], companies["closed"], companies["unchanged"]), (1300, len(closed), 1200 - len(changed)))
        self.assertEqual(set(self.psql("SELECT company_id FROM payroll.contract WHERE reference = 'NEW'").split()), changed)

    def test_a_company_that_closed_its_month(self):
        self.two_nights()
        self.psql(f"SELECT payroll.close_reported(ARRAY['acme'], ARRAY[date '{MONTH}'], 'payslips are out')")
        self.load_told()
        self.assert_gross(300001)
        again = entities()
        again["pay_bases"][0]["gross_cents"] = 9
        self.stage([(company(), again)])
        self.assertEqual(self.load_told()[1], (1, 0))
        self.assert_gross(9)


if __name__ == "__main__":
    unittest.main()
