"""What is written down agrees with what is there: the data dictionary with the comments of a migrated database; the
guide's outputs with what its queries answer on the sample, and its tables with the catalogue and the grounds of
dispenses; the rules with the files and cases that they name."""
import re
import subprocess
import unittest

from harness import ROOT, Pipeline

GUIDE = "sql/GUIDE.fr.md"
KELLER = "transports-keller"


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows_of(text, columns):
    """The rows of the guide's tables of so many columns, as lists of cells."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in text.splitlines() if line.startswith("| `")]
    return [row for row in rows if len(row) == columns]


def examples(text):
    """The guide's queries, each with the output printed right below it, or None."""
    return [(sql, output) for sql, output in re.findall(r"```sql\n(.*?)```\n(?:```text\n(.*?)```\n)?", text, re.DOTALL)]


def in_words(template):
    """A text of the catalogue as the guide prints it."""
    return re.sub(r"\{\w+\}", "…", template)


def trimmed(text):
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def psql(pipeline, *args):
    return subprocess.run(["psql", "-Xq", "-P", "pager=off", "-v", "ON_ERROR_STOP=1", *args], cwd=ROOT, check=True,
                          env=pipeline.env, text=True, stdout=subprocess.PIPE).stdout


class Documents(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.pipeline = Pipeline()
        cls.addClassCleanup(cls.pipeline.close)
        cls.pipeline.run()

    def psql(self, *args):
        return psql(self.pipeline, *args)

    def test_dictionary_is_that_of_the_comments(self):
        if text_of("sql/DICTIONARY.md") != self.psql("-At", "-f", "sql/dictionary.sql"):
            self.fail("sql/DICTIONARY.md is not what the comments say: run make dictionary")

    def test_rules_name_what_there_is(self):
        text = text_of("transform/RULES.md")
        paths = re.findall(r"`((?:common|transform|load|extract|sql|tests)/[\w./]+\w)`", text)
        last_cells = [line.split(" | ")[-1] for line in text.splitlines() if line.startswith("| ")]
        cases = [f"tests/cases/transform/{name}" for cell in last_cells for name in re.findall(r"`([a-z0-9-]+)`", cell)]
        self.assertGreater(len(cases), 40)
        self.assertEqual([path for path in sorted({*paths, *cases}) if not (ROOT / path).exists()], [])

    def test_guide_prints_what_its_queries_answer(self):
        printed = [(sql, output) for sql, output in examples(text_of(GUIDE)) if output]
        self.assertGreater(len(printed), 5)
        for sql, output in printed:
            with self.subTest(sql=sql):
                self.assertEqual(trimmed(self.psql("-c", sql)), trimmed(output))

    def test_guide_calls_what_there_is(self):
        for sql, output in examples(text_of(GUIDE)):
            if not output:
                with self.subTest(sql=sql):
                    self.psql("-c", "EXPLAIN " + sql)
        named = set(re.findall(r"\breport\.[a-z_]+[a-z]", text_of(GUIDE)))
        absent = [name for name in sorted(named) if self.psql(
            "-Atc", f"SELECT coalesce(to_regclass('{name}')::text, to_regproc('{name}')::text)") == "\n"]
        self.assertEqual(absent, [])
        called = set(re.findall(r"\bpayroll\.([a-z_]+)\(", text_of(GUIDE)))
        known = self.psql("-Atc", "SELECT proname FROM pg_proc WHERE pronamespace = 'payroll'::regnamespace").split()
        self.assertEqual(sorted(called - set(known)), [])

    def test_guide_copies_names_that_are_no_formulas(self):
        copy, = re.findall(r"^\\copy .*", text_of(GUIDE), re.MULTILINE)
        self.pipeline.psql("UPDATE payroll.employee SET last_name = '=' || last_name WHERE last_name = 'Bertin'")
        self.addCleanup(self.pipeline.psql, "UPDATE payroll.employee SET last_name = 'Bertin' WHERE last_name = '=Bertin'")
        told = self.psql("-c", copy.replace("'bulletins.csv'", "STDOUT")).splitlines()
        self.assertEqual(told[0], "nom,employee_cents")
        self.assertIn("'=Bertin,4684", told)

    def test_guide_has_every_discrepancy(self):
        wanted = self.pipeline.query("SELECT code, severity, title_fr, remedy_fr FROM payroll.discrepancy_code")
        rows = {row[0].strip("`"): row for row in rows_of(text_of(GUIDE), 5)}
        self.assertEqual(sorted(rows), sorted(entry["code"] for entry in wanted))
        for entry in wanted:
            code, severity, title, meaning, remedy = rows[entry["code"]]
            self.assertEqual((severity, title, remedy),
                             (entry["severity"], in_words(entry["title_fr"]), in_words(entry["remedy_fr"])), code)
            self.assertGreater(len(meaning), 40, code)

    def test_guide_has_every_ground(self):
        wanted = self.pipeline.query("SELECT ground, label_fr, needs_proof FROM payroll.dispense_ground")
        rows = [row for row in rows_of(text_of(GUIDE), 3) if row[2] in ("oui", "non")]
        self.assertEqual(sorted(rows), sorted([f"`{entry['ground']}`", entry["label_fr"],
                                               "oui" if entry["needs_proof"] else "non"] for entry in wanted))

    def test_guide_tells_the_example_as_it_goes(self):
        """Nadège's line, held in April, given in May, and to somebody else in June."""
        pipeline = Pipeline()
        self.addCleanup(pipeline.close)
        nadege, lucie = (next(person.employee_id for person in pipeline.companies[2].people if person.last_name == name)
                         for name in ("Ferrand", "Perret"))
        member = next(person.member_id for person in pipeline.companies[2].people if person.last_name == "Ferrand")

        def close(month):
            pipeline.psql(f"""
                SELECT payroll.accept_discrepancy(id, 'known') FROM report.discrepancy_inbox
                WHERE company_id = '{KELLER}' AND held_cents <> 0;
                SELECT payroll.close_period('{KELLER}', '{month}-01', 'checked')""")

        pipeline.run()
        close("2026-04")
        pipeline.psql(f"SELECT payroll.link_member('{KELLER}', '{member}', '{nadege}', 'the same person')")
        pipeline.run("2026-05", "2026-05-27T06:00:00Z")
        close("2026-05")
        pipeline.psql(f"""SELECT payroll.unlink_member('{KELLER}', '{member}', 'somebody else');
                          SELECT payroll.link_member('{KELLER}', '{member}', '{lucie}', 'seen on the card')""")
        pipeline.run("2026-06", "2026-06-27T06:00:00Z")
        for query in (
                """SELECT payroll_month, matricule, last_name, cover_month, kind, amount_cents, employer_cents,
                          employee_cents
                   FROM report.payroll_ready WHERE payroll_month > '2026-04-01' ORDER BY 1, 2""",
                """SELECT payroll_month, last_name, kind, amount_cents, balance_cents FROM report.employee_ledger
                   WHERE last_name IN ('Ferrand', 'Perret') ORDER BY last_name, payroll_month"""):
            told = psql(pipeline, "-c", query)
            self.assertIn(trimmed(told), trimmed(text_of(GUIDE)))


if __name__ == "__main__":
    unittest.main()
