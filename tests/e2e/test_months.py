"""Six payroll months, night after night, of two companies to which everything happens late that can. Each night is
compared row by row with a reckoning of its own (months_oracle.py), and payslips with figures worked out by hand."""
import collections
import json
import unittest

import months_story
import months_world
from harness import Pipeline
from months_oracle import Side
from months_world import GLASSWORKS, OFFICE

import companies

MONTHS = [f"2026-{month:02d}" for month in range(1, 7)]

# Who gets what on each payslip of health: (employer, employee) from January to June. 117.11 is split 70.27 + 46.84,
# 123.45 as 74.07 + 49.38, 120.05 as 72.03 + 48.02; the rise of 6.34 as 3.80 + 2.54.
USUAL = [(7027, 4684)] * 3 + [(7407 + 2 * 380, 4938 + 2 * 254), (2 * 7203 - 7407, 2 * 4802 - 4938), (7203, 4802)]
PAYSLIPS = {
    "Lasserre": USUAL,
    "Costa": [(0, 0), (0, 0), (3 * 7027, 3 * 4684)] + USUAL[3:],                     # Alan told in March of January
    "Duval": [(0, 0), (0, 0), (3 * 7027, 3 * 4684)] + USUAL[3:],                     # payroll told in March of January
    "Faure": USUAL[:3] + [(380 - 7027, 254 - 4684), (0, 0), (0, 0)],                 # left in February, told in April
    "Gallo": USUAL[:3] + [(2 * 380, 2 * 254), (0, 0), (0, 0)],                       # portability, billed in April
    "Hubert": [(9253, 6168 + 1275)] * 3 + [                                          # an option credited in April
        (9253, 6168 + 1275 - 2 * 1275), (2 * 9540 - 9253, 2 * 6360 - 6168 + 1275), (9540, 6360 + 1275)],
    "Imbert": [(0, 0), (0, 0), (2 * 7027, 2 * 4684)] + USUAL[3:],                    # matched after February's close
    "Jourdan": [(2 * 7027, 2 * 4684)] * 2 + [(-7027, -4684)] + USUAL[3:],            # had Kermorvan's by a wrong link
    "Kermorvan": [(0, 0), (0, 0), (3 * 7027, 3 * 4684)] + USUAL[3:],
    "Marchal": [(7027, 4684)] * 2 + [(0, 0), (380, 254), (0, 0), (0, 0)],            # exempt from March, billed for it
    # 98.77 by halves is 49.39 + 49.38, by 60/40 59.26 + 39.51; told in May of March
    "Rossi": [(4939, 4938)] * 4 + [(5926 + 2 * 987, 3951 - 2 * 987), (5926, 3951)],
    "Quéré": [(4939, 4938)] * 4 + [(5926 + 2 * 987, 3951 - 2 * 987), (5926, 3951)],   # another employment since March
    "Naudin": [(4939, 4938)] * 3 + [(4939 - 50, 4938 - 50),                          # 97.77 = 48.89 + 48.88 for March
                                    (5926 + 987 + 5866 - 4889, 3951 - 987 + 3911 - 4888), (5926, 3951)],
    "Sarr": [(0, 0), (0, 0), (4939 + 2293, 4938 + 2293)]                             # 13 days of February
            + [(4939, 4938), (5926 + 2 * 987, 3951 - 2 * 987), (5926, 3951)],
    "Tanguy": [(4939, 4938)] * 4 + [(2 * 987, -2 * 987), (2294, 1529)],              # left on 12 May, billed beyond
}

# The months that are closed after a night, and what keeps them from it until somebody agrees: cents by code.
CLOSES = {
    "2026-01-29": [(GLASSWORKS, "2026-01", {"member_not_in_payroll": 11711}), (OFFICE, "2026-01", {})],
    "2026-02-26": [(GLASSWORKS, "2026-02", {"member_not_in_payroll": 3 * 11711}),
                   (OFFICE, "2026-02", {"member_not_in_payroll": 4586})],
    "2026-03-26": [(GLASSWORKS, "2026-03", {"exempt_but_billed": 11711}), (OFFICE, "2026-03", {})],
    "2026-04-28": [(OFFICE, "2026-04", {})],
    "2026-05-02": [(GLASSWORKS, "2026-04", {"portability_billed": 12345, "billed_after_exit": 2 * 12345})],
    "2026-05-29": [(GLASSWORKS, "2026-05", {})],
    # credits of lines that have left the window stand alone
    "2026-06-29": [(GLASSWORKS, "2026-06", {"billed_after_exit": -11711, "exempt_but_billed": -11711}),
                   (OFFICE, "2026-06", {})],
}

REASONS = {   # among those that report.month_variance gives
    ("Costa", "2026-03"): "hire", ("Duval", "2026-03"): "released", ("Imbert", "2026-03"): "released",
    ("Jourdan", "2026-03"): "reversal", ("Kermorvan", "2026-03"): "regularisation", ("Marchal", "2026-03"): "held",
    ("Faure", "2026-04"): "reversal", ("Gallo", "2026-04"): "exit", ("Hubert", "2026-04"): "regularisation",
    ("Lasserre", "2026-04"): "price", ("Lasserre", "2026-05"): "contract", ("Rossi", "2026-05"): "share",
    ("Quéré", "2026-04"): "reversal", ("Naudin", "2026-04"): "reversal", ("Tanguy", "2026-05"): "held"}

MONTH = "to_char(payroll_month, 'YYYY-MM')"
FACTS = {   # name: columns, rows
    "rows": (f"company_id, {MONTH}, invoice_id, line_id, employment_id, cover_from, status, amount_cents, "
             "employer_cents, employee_cents, base_cents, kind, hold_code", "payroll.contribution"),
    "controls": (f"company_id, {MONTH}, invoice_id, lines_cents, allocated_cents, posted_cents, held_cents",
                 "payroll.invoice_control"),
    "periods": (f"company_id, {MONTH}, status, digest", "payroll.period"),
    "verified": ("payroll.verify_period(company_id, payroll_month)", "payroll.period WHERE status = 'closed'"),
    "told": ("company_id, employment_id, contract_id, cover_month, actual_cents", """payroll.discrepancy AS d
        WHERE code = 'period_closed' AND status <> 'resolved' AND NOT EXISTS (
            SELECT FROM payroll.period AS p
            WHERE p.company_id = d.company_id AND p.payroll_month = d.payroll_month AND p.status = 'closed')"""),
    "strangers": ("line_id", """payroll.contribution AS c
        LEFT JOIN payroll.employment AS e USING (company_id, employment_id)
        LEFT JOIN payroll.member AS m USING (company_id, member_id)
        LEFT JOIN payroll.period AS p USING (company_id, payroll_month)
        WHERE c.status = 'ready' AND c.member_id IS NOT NULL AND p.status IS DISTINCT FROM 'closed'
            AND (m.employee_id IS DISTINCT FROM e.employee_id OR m.matched_by = 'none')"""),
    "shown": (f"company_id, {MONTH}, held_cents", "report.period_status"),
    "named": (f"company_id, {MONTH}, code, held", """(
        SELECT company_id, payroll_month, code, sum(held_cents) AS held
        FROM payroll.discrepancy WHERE status <> 'resolved'
        GROUP BY company_id, payroll_month, code HAVING sum(held_cents) <> 0) AS d"""),
    "rejects": ("reject_id", """report.reject
        WHERE run_id = (SELECT run_id FROM report.run_history ORDER BY finished_at DESC LIMIT 1)"""),
}


class World(Pipeline):
    keys = ("GLASSWORKS", "OFFICE")

    def build(self):
        self.world = months_world.World()
        return [side.company for side in self.world.sides]

    def configuration(self):
        return self.world.configuration()


class SixMonths(unittest.TestCase):
    """One test a night, in their order; those after one that failed are left out."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pipeline = World()
        cls.addClassCleanup(cls.pipeline.close)
        cls.world = cls.pipeline.world
        cls.sides = {side.company.id: Side(side) for side in cls.world.sides}
        cls.digests, cls.closed_rows, cls.broken = {}, {}, None

    def setUp(self):
        if self.broken:
            self.skipTest(f"the night of {self.broken} failed")

    # ---- nights ----

    def night(self, on, periods, change):
        type(self).broken = on
        closed = months_story.CLOSED_BY_PAYROLL.get(on)
        if closed:   # as the night before left it
            self.sides[closed[0]].close(closed[1])
        self.set_stage(on, periods, change)
        for period in periods:
            self.run_once(period, on)
            if closed:
                self.remember(*closed)
                self.run_once(period, on)   # the first one did not know yet that its month is closed
            self.check(period)
            before = self.versions()
            self.run_once(period, on)
            self.assertEqual(self.versions(), before)
            self.check(period)
        for company_id, month, held in CLOSES.get(on, []):
            self.close(company_id, month, held)
        type(self).broken = None

    def set_stage(self, on, periods, change):
        change(self.world)
        for side in self.sides.values():
            side.open_periods = [period for period in periods if period not in side.closed]
            side.source.company.alan["as_of"] = f"{on}T20:00:00Z"
        companies.write(self.pipeline.path / "data", self.pipeline.companies)
        self.pipeline.config.write_text(self.world.configuration(), encoding="utf-8")
        for call in self.world.calls:
            self.pipeline.psql("SET ROLE payroll_manager; " + call)
        self.world.calls.clear()

    def run_once(self, period, on):
        wanted = 3 if self.world.rejects else 0
        for name, args in (("extract", ["--as-of", f"{on}T22:00:00Z"]), ("transform", []), ("load", [])):
            result = self.pipeline.stage(name, *args, period=period)
            self.assertEqual(result.status, wanted, f"{name}: {result.stderr}")

    def versions(self):
        """Per table of facts, its row versions: a row written again, even with the same values, has another xmin."""
        if not hasattr(self, "tables"):
            self.tables = [row["table_name"] for row in self.pipeline.query("""
                SELECT table_name FROM information_schema.tables
                WHERE table_schema = 'payroll' AND table_type = 'BASE TABLE'
                    AND table_name NOT IN ('source_sync', 'discrepancy')""")]
        text = self.pipeline.psql(" UNION ALL ".join(
            f"SELECT '{table} ' || coalesce(string_agg(xmin::text, ' ' ORDER BY xmin::text), '') FROM payroll.{table}"
            for table in self.tables))
        return dict(line.partition(" ")[::2] for line in text.splitlines())

    # ---- what must hold every night ----

    def facts(self):
        facts = json.loads(self.pipeline.psql("SELECT json_build_object({})".format(", ".join(
            f"'{name}', (SELECT coalesce(json_agg(json_build_array({columns})), '[]') FROM {rows})"
            for name, (columns, rows) in FACTS.items()))))
        facts["rows"] = [Contribution(*row) for row in facts["rows"]]
        return facts

    def check(self, period):
        facts = self.facts()
        for company_id, side in self.sides.items():
            self.check_rows(side, period, [row for row in facts["rows"] if row.company == company_id])
            if period in side.open_periods:
                self.check_invoices(side, company_id, period, facts)
                self.check_told(side, company_id, period, facts)
                self.check_held(company_id, period, facts)
        for row in facts["rows"]:
            self.assertEqual(row.employer + row.employee, row.amount, row)
        self.assertEqual(facts["strangers"], [])
        self.assertEqual(len(facts["rejects"]), self.world.rejects)
        self.check_closed(facts)

    def check_rows(self, side, period, rows):
        """The open month, row by row; and each line that it reads has been given or is held to the cent."""
        self.assertEqual({(row.line, row.employment, row.cover_from, row.status):
                          (row.amount, row.employer, row.base, row.kind, row.hold)
                          for row in rows if row.month == period},
                         {key: tuple(row) for key, row in side.month(period).items()})
        if period in side.closed:
            return
        sums = collections.Counter()
        for row in rows:
            if row.status == "ready" and row.month in side.closed or row.month == period:
                sums[row.line] += row.amount
        for line, invoice in side.lines_that_count(period):
            wanted = 0 if invoice["status"] == "cancelled" else line["amount_cents"]
            self.assertEqual(sums[line["id"]], wanted, line["id"])

    def check_invoices(self, side, company_id, period, facts):
        wanted = collections.Counter()
        for line, invoice in side.lines_that_count(period):
            wanted[invoice["id"]] += 0 if invoice["status"] == "cancelled" else line["amount_cents"]
        controls = {row[2]: row[3:] for row in facts["controls"] if row[:2] == [company_id, period]}
        self.assertEqual({invoice: row[0] for invoice, row in controls.items()}, dict(wanted))
        given, held = collections.Counter(), collections.Counter()
        for row in facts["rows"]:
            if row.company != company_id or row.month != period and row.month not in side.closed:
                continue
            if row.status == "ready":
                given[row.invoice] += row.amount
            elif row.month == period:
                held[row.invoice] += row.amount
        for invoice, (lines, allocated, posted, held_back) in controls.items():
            self.assertEqual((lines, allocated + posted, held_back),
                             (given[invoice] + held[invoice], given[invoice], held[invoice]), invoice)

    def check_told(self, side, company_id, period, facts):
        """period_closed tells of every change of a closed month."""
        told = {(employment, contract, cover): cents for company, employment, contract, cover, cents in facts["told"]
                if company == company_id}
        if len(side.open_periods) == 1:
            self.assertEqual(told, side.corrections(period))

    def check_held(self, company_id, period, facts):
        """Every held cent stands in the month's status and under the discrepancies that hold it."""
        held = collections.Counter()
        for row in facts["rows"]:
            if (row.company, row.month, row.status) == (company_id, period, "held"):
                held[row.hold] += row.amount
        self.assertEqual(sum(held.values()), sum(row[2] for row in facts["shown"] if row[:2] == [company_id, period]))
        if len(self.sides[company_id].open_periods) == 1:
            self.assertEqual({code: cents for code, cents in held.items() if cents},
                             {row[2]: row[3] for row in facts["named"] if row[:2] == [company_id, period]})

    def check_closed(self, facts):
        self.assertEqual([row for row in facts["verified"] if row != ["ok"]], [])
        closed = {(company, month): digest for company, month, status, digest in facts["periods"] if status == "closed"}
        for key, digest in self.digests.items():
            self.assertEqual(closed[key], digest, key)
            self.assertEqual(self.rows_of(facts, *key), self.closed_rows[key], key)

    # ---- the close ----

    def close(self, company_id, month, held):
        """Closes a month; held: what keeps it from being closed, by code in cents, until somebody agrees to it."""
        blocking = self.pipeline.query(f"SELECT * FROM payroll.holding('{company_id}', '{month}-01')")
        sums = collections.Counter()
        for row in blocking:
            sums[row["code"]] += row["held_cents"]
        self.assertEqual(dict(sums), held, (company_id, month))
        if held:
            self.assertEqual(self.close_once(company_id, month).status, 65)
        for row in blocking:
            self.pipeline.psql("SET ROLE payroll_manager; "
                               f"SELECT payroll.accept_discrepancy({row['id']}, 'the firm bears it')")
        done = self.close_once(company_id, month)
        self.assertEqual(done.status, 0, done.stderr)
        self.sides[company_id].close(month)
        self.remember(company_id, month)

    def close_once(self, company_id, month):
        return self.pipeline.stage("load", "--close", "--company", company_id, "--note", "payslips are out",
                                   period=month)

    def remember(self, company_id, month):
        """What the month must look like from now on."""
        facts = self.facts()
        self.digests[company_id, month], = (digest for company, of, status, digest in facts["periods"]
                                            if (company, of, status) == (company_id, month, "closed"))
        self.closed_rows[company_id, month] = self.rows_of(facts, company_id, month)

    @staticmethod
    def rows_of(facts, company_id, month):
        return sorted(map(str, (row for row in facts["rows"] if (row.company, row.month) == (company_id, month))))

    # ---- afterwards ----

    def test_after_all_payslips_are_as_worked_out_by_hand(self):
        rows = self.pipeline.query("""
            SELECT last_name, to_char(payroll_month, 'YYYY-MM') AS month, sum(employer_cents) AS employer,
                   sum(employee_cents) AS employee
            FROM report.payroll_ready WHERE product = 'health' GROUP BY 1, 2""")
        found = {(row["last_name"], row["month"]): (row["employer"], row["employee"]) for row in rows}
        self.assertEqual({name: [found.get((name, month), (0, 0)) for month in MONTHS] for name in PAYSLIPS}, PAYSLIPS)

    def test_after_all_each_line_was_given_or_never(self):
        """Over all payroll months: what it says, or nothing where it was cancelled or held until it was credited."""
        given = {row["line_id"]: row["given"] for row in self.pipeline.query("""
            SELECT line_id, sum(amount_cents) AS given FROM payroll.closed_row WHERE status = 'ready' GROUP BY 1""")}
        credited = collections.Counter()
        for side in self.world.sides:
            cancelled = {x["id"] for x in side.company.alan["invoices"] if x["status"] == "cancelled"}
            for line in side.company.alan["invoice_lines"]:
                never = self.never_given(side, line)
                if never:
                    credited[never] += line["amount_cents"]
                wanted = 0 if never or line["invoice_id"] in cancelled else line["amount_cents"]
                self.assertEqual(given.get(line["id"], 0), wanted, line["id"])
        self.assertEqual(credited, {"Emma Faure": 0, "Farid Gallo": 0, "Léa Marchal": 0, "Théo Tanguy": 0})

    @staticmethod
    def never_given(side, line):
        name = next((x.name for x in side.company.people if x.member_id == line["member_id"]), None)
        month, last = line["cover_from"][:7], line["cover_to"][8:]
        since = {"Emma Faure": month >= "2026-03", "Farid Gallo": month >= "2026-04", "Léa Marchal": month == "2026-03",
                 "Théo Tanguy": month == "2026-05" and last == "31" and line["contract_id"].startswith("ct_sante")}
        return name if since.get(name) else None

    def test_after_all_the_ledger_adds_up(self):
        rows = self.pipeline.query("""
            SELECT l.*, w.amount AS whole, w.employer AS whole_employer
            FROM (SELECT DISTINCT ON (company_id, employee_id, contract_id) *
                  FROM report.employee_ledger
                  ORDER BY company_id, employee_id, contract_id, payroll_month DESC, cover_from DESC,
                           billing_month DESC, line_id DESC, employment_id DESC) AS l
            LEFT JOIN (SELECT company_id, employee_id, contract_id, sum(amount_cents) AS amount,
                              sum(employer_cents) AS employer
                       FROM report.payroll_ready GROUP BY 1, 2, 3) AS w USING (company_id, employee_id, contract_id)""")
        self.assertGreater(len(rows), 40)
        self.assertEqual([row for row in rows if (row["balance_cents"], row["employer_balance_cents"])
                          != (row["whole"], row["whole_employer"])], [])
        kinds = self.pipeline.query("""
            SELECT last_name, kind, sum(amount_cents) AS cents FROM report.employee_ledger
            WHERE payroll_month = '2026-03-01' AND line_id IN (
                SELECT line_id FROM report.employee_ledger WHERE kind = 'reversal' AND payroll_month = '2026-03-01')
            GROUP BY 1, 2 ORDER BY 1""")
        self.assertEqual([tuple(row.values()) for row in kinds],
                         [("Jourdan", "reversal", -2 * 11711), ("Kermorvan", "regularisation", 2 * 11711)])

    def test_after_all_the_variance_says_why(self):
        rows = self.pipeline.query("""
            SELECT company_id, last_name, to_char(payroll_month, 'YYYY-MM') AS month, reasons, change_cents
            FROM report.month_variance""")
        found = {(row["last_name"], row["month"]): row for row in rows}
        for key, reason in REASONS.items():
            self.assertIn(reason, found[key]["reasons"], key)
        for name in list(PAYSLIPS)[:10]:   # of the glassworks, which has no provident contract
            sums = [sum(shares) for shares in PAYSLIPS[name]]
            changes = {month: now - before for month, before, now in zip(MONTHS[1:], sums, sums[1:]) if now != before}
            self.assertEqual({month: row["change_cents"] for (who, month), row in found.items()
                              if who == name and row["change_cents"]}, changes, name)

    def test_after_all_the_siren_is_that_of_the_month(self):
        rows = self.pipeline.query(f"""
            SELECT DISTINCT to_char(payroll_month, 'YYYY-MM') AS month, siren FROM report.payroll_ready
            WHERE company_id = '{OFFICE}'""")
        self.assertEqual({row["month"]: row["siren"] for row in rows}, {
            month: months_world.FORMER_SIREN if month < "2026-04" else months_world.NEW_SIREN for month in MONTHS})
        self.assertEqual(len(rows), len(MONTHS))

    def test_after_all_nothing_held_is_left(self):
        states = self.pipeline.query("""
            SELECT code, status FROM payroll.discrepancy
            WHERE code IN ('siren_mismatch', 'contract_unknown', 'base_missing', 'billed_before_entry')
            GROUP BY 1, 2 ORDER BY 1""")
        self.assertEqual(states, [{"code": "base_missing", "status": "resolved"},
                                  {"code": "contract_unknown", "status": "resolved"},
                                  {"code": "siren_mismatch", "status": "resolved"}])
        self.assertEqual(self.pipeline.query("SELECT * FROM report.discrepancy_inbox WHERE held_cents <> 0"), [])


Contribution = collections.namedtuple(
    "Contribution", "company month invoice line employment cover_from status amount employer employee base kind hold")

for _on, _periods, _change in months_story.NIGHTS:
    setattr(SixMonths, f"test_{_on}_{_change.__name__}",
            lambda self, night=(_on, _periods, _change): self.night(*night))

if __name__ == "__main__":
    unittest.main()
