"""What the payroll manager decides in the database is honoured by the next night."""
import unittest

from harness import Pipeline

KELLER = "transports-keller"


class Decisions(unittest.TestCase):
    def setUp(self):
        self.pipeline = Pipeline()
        self.addCleanup(self.pipeline.close)
        self.pipeline.run()

    def one(self, sql):
        row, = self.pipeline.query(sql)
        return row

    def test_a_link_frees_the_held_lines(self):
        member = self.one(f"""SELECT member_id, candidates -> 0 ->> 'employee_id' AS employee_id, held_cents
                              FROM payroll.discrepancy WHERE code = 'member_not_in_payroll'""")
        self.assertEqual(member["held_cents"], 11710)
        self.pipeline.psql(f"""SELECT payroll.link_member('{KELLER}', '{member["member_id"]}',
                                                          '{member["employee_id"]}', 'same person, her maiden name is misspelt at Alan')""")
        self.pipeline.run()
        self.assertEqual(self.pipeline.query(f"""
            SELECT c.status, c.employer_cents, c.employee_cents, m.employee_id
            FROM payroll.contribution c JOIN payroll.employment m USING (company_id, employment_id)
            WHERE c.member_id = '{member["member_id"]}'"""), [
                {"status": "ready", "employer_cents": 7026, "employee_cents": 4684,
                 "employee_id": member["employee_id"]}])
        self.assertEqual(self.pipeline.query(f"""
            SELECT DISTINCT status FROM payroll.discrepancy
            WHERE company_id = '{KELLER}' AND (member_id = '{member["member_id"]}' AND code = 'member_not_in_payroll'
                OR employee_id = '{member["employee_id"]}' AND code = 'employee_not_at_insurer')"""),
            [{"status": "resolved"}])

    def test_a_dispense_covers_somebody_without_contract(self):
        romain = self.one("""
            SELECT employee_id, employment_id FROM payroll.discrepancy WHERE code = 'no_contract_assigned'""")
        self.pipeline.psql(f"""SELECT payroll.record_dispense('{KELLER}', '{romain["employee_id"]}', 'individual',
                               '2026-01-01', '2026-12-31', 'attestation.pdf', 'own contract until December')""")
        self.pipeline.run()
        self.assertEqual(self.one("SELECT status FROM payroll.discrepancy WHERE code = 'no_contract_assigned'"),
                         {"status": "resolved"})
        self.assertEqual(self.one(f"""SELECT reason, ground, until FROM report.uncovered_employee
                                      WHERE employment_id = '{romain["employment_id"]}'"""),
                         {"reason": "exempt", "ground": "individual", "until": "2026-12-31"})

    def test_accepted_and_awaited_discrepancies_keep_their_state(self):
        accepted, awaited = (self.one(f"SELECT id FROM payroll.discrepancy WHERE code = '{code}'")["id"]
                             for code in ("price_mismatch", "invoice_total_mismatch"))
        self.pipeline.psql(f"SELECT payroll.accept_discrepancy({accepted}, 'agreed by phone')")
        self.pipeline.psql(f"SELECT payroll.progress_discrepancy({awaited}, 'Alan will send a credit note')")
        self.pipeline.run()
        self.assertEqual(self.pipeline.query(f"""
            SELECT status FROM payroll.discrepancy WHERE id IN ({accepted}, {awaited}) ORDER BY status"""),
            [{"status": "accepted"}, {"status": "in_progress"}])
        self.pipeline.psql(f"SELECT payroll.reopen_discrepancy({accepted}, 'after all not')")
        self.assertEqual(self.one(f"SELECT status FROM payroll.discrepancy WHERE id = {accepted}"), {"status": "open"})

    def test_what_alan_puts_right_closes_itself(self):
        def correct(alan):
            for invoice in alan["invoices"]:
                invoice["total_cents"] = sum(line["amount_cents"] for line in alan["invoice_lines"]
                                             if line["invoice_id"] == invoice["id"])

        self.pipeline.edit("alan/cmp_transports_keller.json", correct)
        self.pipeline.run(as_of="2026-04-28T06:00:00Z")
        self.assertEqual(self.one("SELECT status FROM payroll.discrepancy WHERE code = 'invoice_total_mismatch'"),
                         {"status": "resolved"})


if __name__ == "__main__":
    unittest.main()
