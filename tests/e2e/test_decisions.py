"""What the payroll manager decides in the database is honoured by the next night."""
import json
import unittest

import hostile
from harness import Pipeline

KELLER = "transports-keller"
KELLER_AT_ALAN, KELLER_IN_PAYROLL = "alan/cmp_transports_keller.json", "payfit/55f42f8f51ee47ddabe02d31.json"
DATA = 65


def literal(text):
    return "'" + text.replace("'", "''") + "'"


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

        self.pipeline.edit(KELLER_AT_ALAN, correct)
        self.pipeline.run(as_of="2026-04-28T06:00:00Z")
        self.assertEqual(self.one("SELECT status FROM payroll.discrepancy WHERE code = 'invoice_total_mismatch'"),
                         {"status": "resolved"})


class HostileDecisions(unittest.TestCase):
    """Links and dispenses of texts that mean something to SQL, a shell, a file system or a terminal go from the
    database through all three stages as they are: whoever is linked gets what was theirs."""

    def setUp(self):
        self.pipeline = Pipeline()
        self.addCleanup(self.pipeline.close)

    def amounts(self):
        return self.pipeline.query(f"""
            SELECT matricule, sum(employer_cents) AS employer, sum(employee_cents) AS employee, count(*)
            FROM report.payroll_ready WHERE company_id = '{KELLER}' GROUP BY 1 ORDER BY 1""")

    def disguise(self):
        """Whoever is employed and known by their number gets a hostile id on either side, and no number at Alan; these
        members and employees."""
        pairs = self.pipeline.query(f"""
            SELECT member_id, employee_id FROM payroll.member AS m WHERE company_id = '{KELLER}' AND matched_by = 'nir'
                AND NOT EXISTS (SELECT FROM payroll.employment AS e WHERE e.company_id = m.company_id
                                AND e.employee_id = m.employee_id AND e.ends_on IS NOT NULL) ORDER BY 1""")
        members, employees = {}, {}
        for n, pair in enumerate(pairs):
            text = f"{n}{hostile.TEXTS[n % len(hostile.TEXTS)]}{hostile.TEXTS[-1 - n]}"
            members[pair["member_id"]], employees[pair["employee_id"]] = "m" + text, "e" + text

        def in_payroll(site):
            for person in site["collaborators"]:
                person["id"] = employees.get(person["id"], person["id"])
            for contract in site["contracts"]:
                contract["collaboratorId"] = employees.get(contract["collaboratorId"], contract["collaboratorId"])

        def at_alan(alan):
            for record in alan["affiliations"] + alan["invoice_lines"]:
                if record["member_id"] in members:
                    record.update(member_id=members[record["member_id"]], nir=None)

        self.pipeline.edit(KELLER_IN_PAYROLL, in_payroll)
        self.pipeline.edit(KELLER_AT_ALAN, at_alan)
        return list(zip(members.values(), employees.values()))

    def staged(self, entity):
        lines = (self.pipeline.staged("extract") / f"{entity}-0000.ndjson").read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def test_links(self):
        self.pipeline.run()
        before = self.amounts()
        pairs = self.disguise()
        self.assertGreater(len(pairs), 15)
        self.pipeline.run(as_of="2026-04-28T06:00:00Z")
        self.assertLess(len(self.amounts()), len(before) - 10, "their numbers are gone")
        self.pipeline.psql("; ".join(f"SELECT payroll.link_member('{KELLER}', {literal(member)}, {literal(employee)}, "
                                     f"{literal('because ' + member)})" for member, employee in pairs))
        nowhere = [(f"m-{n}{text}", f"e-{n}{text}") for n, text in enumerate(hostile.TEXTS)]
        self.pipeline.psql("INSERT INTO payroll.link (company_id, member_id, employee_id, note, recorded_by) VALUES " +
                           ", ".join(f"('{KELLER}', {literal(m)}, {literal(e)}, 'x', 'x')" for m, e in nowhere))
        self.pipeline.run(as_of="2026-04-29T06:00:00Z")
        self.assertEqual(sorted((link["member_id"], link["employee_id"]) for link in self.staged("links")),
                         sorted(pairs + nowhere))
        self.assertEqual(self.amounts(), before)

    def test_dispenses(self):
        self.pipeline.run()
        before = self.amounts()
        employee = self.pipeline.psql(
            f"SELECT min(employee_id) FROM payroll.employee WHERE company_id = '{KELLER}'").strip()
        # <…> is what the inbox leaves open.
        proofs = [text for text in hostile.TEXTS if text != "<script>"] + ["é" * 250]
        self.pipeline.psql("; ".join(
            f"SELECT payroll.record_dispense('{KELLER}', '{employee}', 'c2s', '{1950 + n}-01-01', '{1950 + n}-12-31', "
            f"{literal(proof)}, {literal('because ' + proof)})" for n, proof in enumerate(proofs)))
        self.pipeline.run(as_of="2026-04-28T06:00:00Z")
        self.assertEqual([dispense["proof"] for dispense in self.staged("dispenses")], proofs)
        self.assertEqual(self.amounts(), before)

    def test_what_no_function_writes(self):
        """Beyond the limits, by whoever owns the tables: told and not cut to something else."""
        long = "x" * 10_000
        for table, columns, values, says in (
                ("link", "member_id, employee_id", f"'{long}', 'e'", "member_id: 10000 bytes, at most 64 expected"),
                ("link", "member_id, employee_id", f"'m', '{'é' * 33}'", "employee_id: 66 bytes, at most 64 expected"),
                ("dispense", "employee_id, ground, valid_from, proof", f"'e', 'c2s', '2026-01-01', '{long}'",
                 "proof: 10000 bytes, at most 500 expected"),
                ("dispense", "employee_id, ground, valid_from", "'e', 'c2s', '99999-01-01'", "valid_from: "),
                ("link", "member_id, employee_id", "'', 'e'", "member_id: ")):
            with self.subTest(says):
                self.pipeline.psql(f"INSERT INTO payroll.{table} (company_id, {columns}, note, recorded_by) "
                                   f"VALUES ('{KELLER}', {values}, 'x', 'x')")
                result = self.pipeline.stage("extract")
                self.assertEqual(result.status, DATA, result.stderr)
                self.assertIn(f"{table}s of company {KELLER} in the database: {says}", result.stderr)
                self.assertNotIn("xxxxx", result.stderr)
                self.assertIsNone(self.pipeline.staged("extract"))
                self.pipeline.psql(f"DELETE FROM payroll.{table}")


if __name__ == "__main__":
    unittest.main()
