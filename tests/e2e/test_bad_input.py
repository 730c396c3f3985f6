"""Bad input: each kind is refused with a message that says where and what and a status that says of which
kind, and nothing is published, neither to staging nor to the database."""
import json
import unittest

from harness import AS_OF, PERIOD, Pipeline

BAKERY = "alan/cmp_boulangerie_martin.json"
PARTIAL, DATA, NO_INPUT, CONFIG = 3, 65, 66, 78


class BadInput(unittest.TestCase):
    def setUp(self):
        self.pipeline = Pipeline()
        self.addCleanup(self.pipeline.close)

    def assert_nothing_published(self, stage="extract"):
        self.assertIsNone(self.pipeline.staged(stage))
        self.assertEqual(self.pipeline.query("SELECT run_id FROM pipeline.run"), [])
        self.assertEqual(self.pipeline.query("SELECT count(*) AS n FROM payroll.contribution"), [{"n": 0}])

    def refused(self, result, status, *words):
        self.assertEqual(result.status, status, result.stderr)
        self.assertEqual(result.lines, 1, "stdout holds the JSON line alone")
        for word in words:
            self.assertIn(word, result.stderr + json.dumps(result.report))

    def rejects(self):
        files = sorted((self.pipeline.path / "staging" / PERIOD).glob("*/extract/rejects.ndjson"))
        return [json.loads(line) for line in files[-1].read_text(encoding="utf-8").splitlines()] if files else []

    def assert_reject(self, reason, entity, fault):
        """Extract refuses one record for this reason; nothing is published, and the stages after it have no input."""
        result = self.pipeline.stage("extract")
        self.refused(result, DATA, "reject")
        reject, = self.rejects()
        self.assertEqual((reject["stage"], reject["entity"], reject["reason"]), ("extract", entity, reason))
        self.assertIn(fault, " ".join(reject["faults"]))
        self.assertTrue(reject["source"])
        self.assert_nothing_published()
        self.refused(self.pipeline.stage("transform"), NO_INPUT, "extract")
        return reject

    def edit_line(self, **fields):
        def change(alan):
            line = next(line for line in alan["invoice_lines"] if line["invoice_id"].endswith(PERIOD))
            for key, value in fields.items():
                if value is KeyError:
                    del line[key]
                else:
                    line[key] = value

        self.pipeline.edit(BAKERY, change)

    def test_malformed_json_page(self):
        self.pipeline.feed.faults({"match": "cmp_boulangerie_martin/invoice_lines.*cursor", "times": 1000,
                                   "status": 200, "body": '{"data": [{"id": "lin_1", '})
        result = self.pipeline.stage("extract")
        self.refused(result, DATA, "cmp_boulangerie_martin/invoice_lines")
        self.assertIn("malformed_json", [reject["reason"] for reject in self.rejects()])
        self.assert_nothing_published()

    def test_wrong_type(self):
        self.edit_line(amount_cents=True)
        self.assert_reject("wrong_type", "invoice_lines", "amount_cents")

    def test_amount_that_is_no_amount_of_cents(self):
        self.edit_line(amount_cents=117.105)
        self.assert_reject("bad_amount", "invoice_lines", "amount_cents")

    def test_missing_field(self):
        self.edit_line(contract_id=KeyError)
        self.assert_reject("missing_field", "invoice_lines", "contract_id")

    def test_all_faults_of_a_record_are_told(self):
        self.edit_line(contract_id=KeyError, cover_from="2026-04-31")
        reject = self.assert_reject("missing_field", "invoice_lines", "contract_id")
        self.assertIn("cover_from", " ".join(reject["faults"]))

    def test_unknown_value(self):
        self.edit_line(member_type="cousin")
        reject = self.assert_reject("unknown_value", "invoice_lines", "member_type")
        self.assertIn("partner", " ".join(reject["faults"]))

    def test_duplicate_id(self):
        def change(alan):
            lines = [line for line in alan["invoice_lines"] if line["invoice_id"].endswith(PERIOD)]
            lines[1]["id"] = lines[0]["id"]

        self.pipeline.edit(BAKERY, change)
        self.assert_reject("duplicate_id", "invoice_lines", "line_id")

    def test_unknown_company(self):
        config = self.pipeline.config.read_text(encoding="utf-8")
        shared = self.pipeline.path / "bases.csv"
        shared.write_text("company_id;employment_id;month;gross\nnobody-knows;e1;2026-04;2500,00\n", encoding="utf-8")
        per_company = "${IMPORTS_DIR:-imports}/{company_id}/bases-{month}.csv"
        self.pipeline.config.write_text(config.replace(per_company, str(shared)), encoding="utf-8")
        reject = self.assert_reject("unknown_company", "pay_bases", "company_id")
        self.assertEqual((reject["source"], reject["line"]), (str(shared), 2))

    def test_missing_csv_column(self):
        path = self.pipeline.path / "data" / "imports" / "menuiserie-des-alpes" / f"bases-{PERIOD}.csv"
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(text.replace("gross", "brut"), encoding="utf-8-sig")
        result = self.pipeline.stage("extract")
        self.refused(result, DATA, "gross", f"bases-{PERIOD}.csv")
        self.assert_nothing_published()

    def test_unset_variable(self):
        self.refused(self.pipeline.stage("extract", ALAN_TOKEN=None), CONFIG, "ALAN_TOKEN", "pipeline.yaml:")
        self.assert_nothing_published()

    def test_truncated_staging_file(self):
        self.pipeline.must("extract")
        path = next(self.pipeline.staged("extract").glob("invoice_lines-*.ndjson"))
        path.write_bytes(path.read_bytes()[:-40])
        self.refused(self.pipeline.stage("transform"), DATA, path.name)
        self.assert_nothing_published("transform")

    def test_changed_staging_file(self):
        self.pipeline.must("extract")
        path = next(self.pipeline.staged("extract").glob("invoice_lines-*.ndjson"))
        path.write_bytes(path.read_bytes().replace(b'"amount_cents":11710', b'"amount_cents":11711', 1))
        self.refused(self.pipeline.stage("transform"), DATA, path.name)
        self.assert_nothing_published("transform")

    def test_manifest_that_does_not_match(self):
        self.pipeline.must("extract")
        self.pipeline.must("transform")
        path = self.pipeline.staged("transform") / "manifest.json"
        text = path.read_text(encoding="utf-8")
        self.assertIn('"cents"', text)
        manifest = json.loads(text)
        entry = next(entry for entry in manifest["files"] if entry["name"].startswith("contributions"))
        entry["cents"] += 1
        path.write_text(json.dumps(manifest), encoding="utf-8")
        self.refused(self.pipeline.stage("load"), DATA, "manifest.json", "contributions")
        self.assertEqual(self.pipeline.query("SELECT run_id FROM pipeline.run"), [])
        self.assertEqual(self.pipeline.query("SELECT count(*) AS n FROM payroll.contribution"), [{"n": 0}])

    def test_unreachable_database(self):
        self.pipeline.must("extract")
        self.pipeline.must("transform")
        nowhere = str(self.pipeline.path / "nowhere")
        result = self.pipeline.stage("load", PGHOST=nowhere)
        self.assertIn(result.status, (69, 75), result.stderr)
        self.assertIn(nowhere, result.stderr)
        self.assert_nothing_published("load")

    def test_revoked_key_leaves_the_other_companies_alone(self):
        self.pipeline.run()
        self.pipeline.edit("auth.json", lambda auth: auth["payfit_keys"].pop("payfit-sample-key-bakery"))
        self.pipeline.edit("alan/cmp_transports_keller.json", self.give_back_the_fee)
        bakery = "SELECT * FROM payroll.contribution WHERE company_id = 'boulangerie-martin' ORDER BY line_id"
        before = self.pipeline.query(bakery)
        self.assertEqual(len(before), 9)
        extract = self.pipeline.stage("extract", "--as-of", AS_OF)
        self.refused(extract, PARTIAL, "boulangerie-martin", "401")
        self.assertNotIn("payfit-sample-key", extract.stderr)
        self.assertIn(self.pipeline.stage("transform").status, (0, PARTIAL))
        self.refused(self.pipeline.stage("load"), PARTIAL)
        self.assertEqual(self.pipeline.query(bakery), before)
        self.assertEqual(self.pipeline.query("""
            SELECT status FROM payroll.discrepancy WHERE code = 'invoice_total_mismatch'"""), [{"status": "resolved"}])
        self.assertEqual(self.pipeline.query("""
            SELECT outcome FROM report.sync_status WHERE company_id = 'boulangerie-martin' AND source = 'payroll'"""),
            [{"outcome": "failed"}])

    @staticmethod
    def give_back_the_fee(alan):
        for invoice in alan["invoices"]:
            if invoice["id"].endswith("-B"):
                invoice["total_cents"] -= 1500

    def test_schema_of_another_version(self):
        self.pipeline.psql("UPDATE pipeline.migration SET version = version + 1000 WHERE version = 1")
        self.pipeline.must("extract")
        self.pipeline.must("transform")
        result = self.pipeline.stage("load")
        self.refused(result, result.status, "schema")
        self.assertNotIn(result.status, (0, 3))
        self.assert_nothing_published("load")


if __name__ == "__main__":
    unittest.main()
