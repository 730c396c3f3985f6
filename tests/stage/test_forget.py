"""Nights after somebody was forgotten: a feed that still tells of them brings nobody back, and fails at nothing."""
import json
import unittest

from loading import Case, company, discrepancy, entities

PERSON = {"nir": "2500175123456", "first_name": "Odette", "last_name": "Ancienne", "birth_date": "1950-01-02"}


def with_her(**change):
    """The usual facts and somebody who left in 2009."""
    facts = entities()
    facts["employees"].append({"employee_id": "old", "matricule": "OLD1", **PERSON})
    facts["employments"].append({"employment_id": "job_old", "employee_id": "old", "siret": "55200844300011",
                                 "starts_on": "2000-01-01", "ends_on": "2009-01-31", "status": "ended"})
    facts["affiliations"].append({"affiliation_id": "aff_old", "member_id": "mbr_old", "contract_id": "ctr1", "status": "ended",
                                  "starts_on": "2000-01-01", "ends_on": "2009-01-31", **PERSON})
    facts["members"].append({"member_id": "mbr_old", "employee_id": "old", "matched_by": "nir", **PERSON})
    facts["employees"][0].update(change)
    return facts


class Forgotten(Case):
    def setUp(self):
        super().setUp()
        self.stage([(company(), with_her())])
        self.must()
        self.assertTrue(self.traces())
        self.psql("SELECT payroll.forget_person('acme', 'old', 'legal period over')")
        self.assertEqual(self.traces(), [])

    def traces(self):
        return [line for line in self.every_row().splitlines() if any(
            word in line for word in ("Odette", "Ancienne", "2500175", "1950-01-02", "OLD1"))]

    def test_the_same_night_again(self):
        self.stage([(company(), with_her())])
        self.must()
        self.assertEqual(self.traces(), [])

    def test_a_night_with_other_changes(self):
        facts = with_her(first_name="Zoë")
        facts["discrepancies"].append(discrepancy("member_not_in_payroll", subject_type="member", subject_id="mbr2",
                                                  member_id="mbr2", employee_id=None, employment_id=None, candidates=[
                                                      {"employee_id": "old", "matricule": "OLD1", **{
                                                          key: PERSON[key] for key in ("first_name", "last_name", "birth_date")},
                                                       "score": 90}]))
        self.stage([(company(), facts)])
        self.must()
        self.assertEqual(self.traces(), [])
        self.assertEqual(self.psql("SELECT first_name FROM payroll.employee WHERE employee_id = 'emp1'"), "Zoë")
        self.assertEqual(self.psql("SELECT candidates FROM payroll.discrepancy WHERE code = 'member_not_in_payroll'"), "[]")
        self.assertEqual(self.psql("SELECT last_name FROM payroll.employee WHERE employee_id = 'old'"), "***")

    def test_a_first_load_after_the_tables_were_emptied(self):
        self.psql("TRUNCATE payroll.employee, payroll.member, payroll.affiliation; DELETE FROM pipeline.company_load")
        self.stage([(company(), with_her())])
        self.must()
        self.assertEqual(self.traces(), [])
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "2")

    def test_a_feed_that_no_longer_tells_of_her(self):
        self.stage([(company(), entities())])
        self.must()
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "1")
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.forgotten"), "2")
        self.stage([(company(), with_her())])
        self.must()
        self.assertEqual(self.traces(), [])

    def test_what_is_rejected_of_her_comes_without_its_text(self):
        raws = {"m": json.dumps({"member_id": "mbr_old", **PERSON}), "e": f"old;{PERSON['last_name']};1950-01-02",
                "o": '{"id": "old"}', "n": '{"member_id": "mbr_older"}', "s": "emp1;some;body"}
        rejects = [{"stage": "extract", "entity": "employees", "company_id": company_id, "reason": "bad_date",
                    "faults": ["birth_date: a date expected"], "source": source, "line": 1, "raw": raw}
                   for company_id in ("acme", None) for source, raw in raws.items()]
        self.stage([(company(), with_her())], rejects)
        self.must(status=3)
        self.assertEqual(self.traces(), [])
        asked = "SELECT reject_id, source, raw IS NULL FROM pipeline.reject ORDER BY reject_id"
        kept = self.psql(asked)
        self.assertEqual(sorted(row.partition("|")[2] for row in kept.splitlines()),
                         sorted(2 * ["m|t", "e|t", "o|t", "n|f", "s|f"]))
        self.must(status=3)
        self.assertEqual(self.psql(asked), kept)

    def test_somebody_employed_is_refused_and_stays(self):
        with self.assertRaises(Exception):
            self.psql("SELECT payroll.forget_person('acme', 'emp1', 'too early')")
        self.assertNotEqual(self.psql("SELECT last_name FROM payroll.employee WHERE employee_id = 'emp1'"), "***")


if __name__ == "__main__":
    unittest.main()
