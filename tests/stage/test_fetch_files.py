"""Files as sources."""
import json
import unittest

from fetching import BAD_DATA, NO_INPUT, FetchTest
from misbehaving_server import answer, page


class Csv(FetchTest):
    """A file per company, beside the usual source."""

    def setUp(self):
        super().setUp()
        path = f"{self.folder}/{{company_id}}.csv"
        self.more_sources = {"staff": {"use": "csv", "entity": "pay_bases", "path": path}}
        self.script(answer(page(["e1"])))

    def write(self, text):
        (self.folder / "acme.csv").write_text(text, encoding="utf-8")

    def test_file_is_a_page(self):
        self.write("employment_id;month;gross\ne1;2026-04;2 500,00\n")
        self.succeeds()
        self.assertIn(b"2 500,00", self.spools()[0].read_bytes())

    def test_missing(self):
        self.fails(NO_INPUT, "staff: company acme: pay_bases", f"{self.folder}/acme.csv")

    def test_missing_and_optional(self):
        self.more_sources["staff"]["optional"] = True
        self.succeeds()

    def test_too_large(self):
        self.more_sources["staff"]["max_body_bytes"] = 2000
        self.write("employment_id;month;gross\n" + "e1;2026-04;2 500,00\n" * 200)
        self.fails(BAD_DATA, "file of more than 2000 bytes")


    def test_too_many_values_in_a_cell(self):
        self.more_sources["staff"]["entity"] = "employments"
        self.write("employment_id;employee_id;siret;starts_on;health_contract_ids\n"
                   "e1;p1;40483304800022;2026-01-01;" + "|".join(f"c{n}" for n in range(300)) + "\n")
        self.fails(BAD_DATA, "health_contract_ids: at most 256 values expected")

    def test_one_amount_under_two_headers(self):
        self.write("employment_id;month;gross;gross_cents\ne1;2026-04;2 500,00;250000\n")
        self.fails(BAD_DATA, "line 1: columns gross_cents and gross, one of them expected")

    def test_siret_of_an_employment(self):
        self.more_sources["staff"]["entity"] = "employments"
        self.write("employment_id;employee_id;siret;starts_on\ne1;e1;404833048;2026-01-01\n")
        self.fails(BAD_DATA, "siret: the 14 digits of a SIRET expected")

    def test_row_of_another_company(self):
        self.write("company_id;employment_id;month;gross\nzenith;e1;2026-04;2 500,00\n")
        self.fails(BAD_DATA, "column 1, company_id: acme expected")


class Shared(FetchTest):
    """A file that holds all companies."""

    def setUp(self):
        super().setUp()
        self.file = self.folder / "bases.csv"
        self.more_sources = {"bases": {"use": "csv", "entity": "pay_bases", "path": str(self.file)}}
        self.script(answer(page(["e1"])))

    def test_missing(self):
        for args in ([], ["--check"]):
            result = self.extract(*args)
            self.assertEqual(result.status, NO_INPUT, result.stderr)
            self.assertIn(f"{self.file}: the file is missing", result.stderr)

    def test_missing_and_optional(self):
        self.more_sources["bases"]["optional"] = True
        self.succeeds()

    def test_empty(self):
        self.file.touch()
        self.fails(BAD_DATA, f"{self.file}: line 1: a header expected, the file is empty")

    def test_too_large(self):
        with open(self.file, "wb") as out:
            out.truncate((1 << 30) + 1)
        self.fails(BAD_DATA, f"{self.file}: the file is larger than 1 GiB")


class Folder(FetchTest):
    """A source of answers kept as files."""

    def test_files_as_a_rest_source(self):
        feed = self.folder / "feed" / "acme"
        feed.mkdir(parents=True)
        (feed / "employees").write_text(json.dumps(page(["e1", "e2"], total=2)), encoding="utf-8")
        self.source["base_url"] = f"file://{self.folder}/feed"
        self.succeeds()
        self.assertEqual(self.frames(), [(1, ["e1", "e2"])])


if __name__ == "__main__":
    unittest.main()
