"""The sample's month, from the feeds to the database: figures to the cent, every discrepancy, and a second night."""
import collections
import json
import unittest

from harness import PERIOD, Pipeline

MONTH = f"DATE '{PERIOD}-01'"
FACTS = "SELECT code FROM payroll.discrepancy_code WHERE severity = 'info'"


class SampleMonth(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pipeline = Pipeline()
        cls.addClassCleanup(cls.pipeline.close)
        cls.expected = json.loads((cls.pipeline.path / "data" / "expected.json").read_text(encoding="utf-8"))
        cls.report = cls.pipeline.run()

    def totals(self, company_id):
        return self.pipeline.query(f"""
            SELECT count(DISTINCT m.employee_id) AS employees, sum(c.amount_cents) AS amount_cents,
                   sum(c.employer_cents) AS employer_cents, sum(c.employee_cents) AS employee_cents,
                   coalesce(sum(c.amount_cents) FILTER (WHERE c.status = 'held'), 0) AS held_cents
            FROM payroll.contribution c LEFT JOIN payroll.employment m USING (company_id, employment_id)
            WHERE c.company_id = '{company_id}' AND c.payroll_month = {MONTH}""")[0]

    def test_company_one_to_the_cent(self):
        self.assertEqual(self.totals("boulangerie-martin"), {
            "employees": 7, "amount_cents": 100660, "employer_cents": 60396, "employee_cents": 40264, "held_cents": 0})
        rows = self.pipeline.query(f"""
            SELECT last_name, contract_reference, insurer_code, amount_cents, employer_cents, employee_cents
            FROM report.payroll_ready WHERE company_id = 'boulangerie-martin' AND payroll_month = {MONTH}
            ORDER BY last_name""")
        contract = {"contract_reference": "SANTE0000000001", "insurer_code": "AALAN1"}
        usual = {**contract, "amount_cents": 11710, "employer_cents": 7026, "employee_cents": 4684}
        self.assertEqual(rows, [
            {"last_name": "Bertin", **usual}, {"last_name": "Caron", **usual}, {"last_name": "Delorme", **usual},
            {"last_name": "Fontaine", **usual}, {"last_name": "Lefort", **usual},
            {"last_name": "Martin", **contract, "amount_cents": 18690, "employer_cents": 11214, "employee_cents": 7476},
            {"last_name": "Masson", **contract, "amount_cents": 23420, "employer_cents": 14052,
             "employee_cents": 9368}])
        self.assertEqual(self.discrepancies("boulangerie-martin"), [])

    def test_company_two_adds_up(self):
        totals = self.totals("menuiserie-des-alpes")
        invoice = self.pipeline.query(f"""
            SELECT total_cents, lines_cents, allocated_cents, held_cents, difference_cents FROM report.invoice_control
            WHERE company_id = 'menuiserie-des-alpes' AND billing_month = {MONTH}""")
        total = totals["amount_cents"]
        self.assertEqual(invoice, [{"total_cents": total, "lines_cents": total, "allocated_cents": total,
                                    "held_cents": 0, "difference_cents": 0}])
        self.assertEqual(totals["held_cents"], 0)
        self.assertEqual(self.pipeline.query(f"""
            SELECT DISTINCT code FROM payroll.discrepancy
            WHERE company_id = 'menuiserie-des-alpes' AND code NOT IN ({FACTS})"""), [])

    def test_every_line_of_company_two_is_split_as_its_contract_says(self):
        rows = self.pipeline.query(f"""
            SELECT line_id, employer_cents, employee_cents FROM payroll.contribution
            WHERE company_id = 'menuiserie-des-alpes' AND payroll_month = {MONTH}""")
        self.assertGreater(len(rows), 100)
        for side in ("employer_cents", "employee_cents"):
            wanted = self.expected[side]["menuiserie-des-alpes"]
            self.assertEqual({row["line_id"]: row[side] for row in rows},
                             {row["line_id"]: wanted[row["line_id"]] for row in rows})

    def test_company_two_pays_at_both_establishments(self):
        rows = self.pipeline.query(f"""
            SELECT nic, count(DISTINCT employee_id) AS employees FROM report.payroll_ready
            WHERE company_id = 'menuiserie-des-alpes' AND payroll_month = {MONTH} GROUP BY nic ORDER BY nic""")
        self.assertEqual(rows, [{"nic": "00028", "employees": 21}, {"nic": "00036", "employees": 18}])

    def discrepancies(self, company_id):
        return self.pipeline.query(f"""
            SELECT code, subject_type, subject_id, held_cents FROM payroll.discrepancy
            WHERE company_id = '{company_id}' AND status = 'open' ORDER BY 1, 2, 3""")

    def test_discrepancies_are_those_the_sample_plays(self):
        for company in self.pipeline.companies:
            with self.subTest(company=company.id):
                wanted = [row for row in self.expected["discrepancies"] if row["company_id"] == company.id]
                self.assertEqual(self.in_short(self.discrepancies(company.id)), self.in_short(wanted))

    @staticmethod
    def in_short(rows):
        return sorted(f"{row['code']} {row['subject_type']} {row['subject_id']} {row['held_cents']}" for row in rows)

    def test_held_money_is_explained(self):
        rows = self.pipeline.query("""
            SELECT c.company_id, c.held, d.held AS explained
            FROM (SELECT company_id, sum(amount_cents) AS held FROM payroll.contribution
                  WHERE status = 'held' GROUP BY company_id) c
            LEFT JOIN (SELECT company_id, sum(held_cents) AS held FROM payroll.discrepancy
                       GROUP BY company_id) d USING (company_id)""")
        self.assertEqual([row["company_id"] for row in rows], ["transports-keller"])
        self.assertEqual(rows[0]["held"], rows[0]["explained"])

    def test_candidates_name_the_colleague(self):
        row, = self.pipeline.query("""
            SELECT candidates FROM payroll.discrepancy WHERE code = 'member_not_in_payroll'""")
        self.assertEqual(row["candidates"][0]["last_name"], "Ferrand")

    def test_uncovered_employees_have_their_reason(self):
        rows = self.pipeline.query(f"""
            SELECT last_name, reason, ground FROM report.uncovered_employee
            WHERE company_id = 'menuiserie-des-alpes' AND payroll_month = {MONTH} ORDER BY last_name""")
        self.assertEqual([(row["last_name"], row["reason"], row["ground"]) for row in rows], [
            ("Cadiou", "exempt", "c2s"), ("Hervé", "exempt", "other_collective"),
            ("Jacquet", "exempt", "short_contract"), ("Sabatier", "pending", None), ("Weber", "exempt", "other_collective")])

    def test_numbers_of_people_stay_out_of_messages(self):
        numbers = [person.nir[:13] for company in self.pipeline.companies for person in company.people if person.nir]
        texts = json.dumps(self.pipeline.query("""
            SELECT expected, actual, candidates::text FROM payroll.discrepancy"""))
        self.assertEqual([number for number in numbers if number in texts], [])


class SecondNight(unittest.TestCase):
    def test_nothing_changes(self):
        pipeline = Pipeline()
        self.addCleanup(pipeline.close)
        pipeline.run()
        before = self.versions(pipeline)
        pipeline.run()
        after = self.versions(pipeline)
        self.assertGreater(before["contribution"], collections.Counter())
        for table in before:
            self.assertEqual(before[table], after[table], table)

    @staticmethod
    def versions(pipeline):
        """Per table of facts, the row versions: a row written again, even with the same values, has another xmin."""
        tables = [row["table_name"] for row in pipeline.query("""
            SELECT table_name FROM information_schema.tables
            WHERE table_schema = 'payroll' AND table_type = 'BASE TABLE'
                AND table_name NOT IN ('source_sync', 'discrepancy')""")]
        return {table: collections.Counter(pipeline.psql(f"SELECT xmin FROM payroll.{table}").split())
                for table in tables}


if __name__ == "__main__":
    unittest.main()
