"""Texts that mean something to SQL, COPY, a shell or a spreadsheet, in every text of every record: each arrives in its
table byte by byte, in the reports, and in the calls that the inbox offers, which are run. And staged lines that no stage
has written: refused with file and line."""
import json
import subprocess
import unittest

import hostile
import loading
import staging
import tally

OK, DATA = 0, 65
# Checked before they are staged: what stands there is a number by its digits, or names a company of the configuration.
CHECKED = {"company_id", "siren", "siret"}
# Whole texts; all others are ids or codes, told apart by what they begin with.
FREE = {"first_name", "last_name", "birth_name", "label", "proof", "exemption_proof", "expected", "actual", "ground",
        "name", "exemption_ground", "delegate_code", "matricule", "error"}


def cut(text, limit):
    return text.encode()[:limit].decode("utf-8", "ignore")


def hostile_record(name, record, text, number):
    """The record with the text in each of its own."""
    result = dict(record)
    for kind, field, _, argument in staging.RECORDS[name]:
        value = record.get(field)
        if kind == "LIST":
            result[field] = [hostile_record(argument, item, text, number) for item in value or []]
        elif kind == "TEXTS":
            result[field] = [cut(f"{number}{text}", int(argument)), cut(text, int(argument))]
        elif kind == "TEXT" and field in FREE:
            result[field] = cut(text, int(argument))
        elif kind == "TEXT" and field not in CHECKED and value is not None:
            result[field] = cut(f"{value}{number}{text}", int(argument))
    return result


def hostile_entities():
    """Everything that loading.entities() has, once with every text."""
    base = loading.entities()
    base["coverage"] = [{"payroll_month": loading.PERIOD, "employment_id": "job1", "employee_id": "emp1",
                         "reason": "pending", "ground": "x"}]
    base["discrepancies"] = [loading.discrepancy(
        "member_not_in_payroll", subject_type="member", subject_id="mbr2", member_id="mbr2", employee_id=None,
        employment_id=None, expected="x", actual="y", step=1, severity="error", invoice_id="inv1", line_id="l2",
        candidates=[{"employee_id": "emp1", "matricule": "m", "first_name": "f", "last_name": "l", "score": 90}])]
    # What is there once a month cannot be there once a text.
    once = {"payroll_periods": base.pop("payroll_periods")}
    return {**once, **{entity: [hostile_record(staging.ENTITIES[entity], record, text, number)
                                for number, text in enumerate(hostile.TEXTS) for record in records]
                       for entity, records in base.items()}}


def texts_of(name, record):
    return {field: record.get(field, staging.MISSING.get(kind)) for kind, field, *_ in staging.RECORDS[name]
            if kind in ("TEXT", "TEXTS")}


def in_order(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


class Texts(loading.Case):
    def setUp(self):
        super().setUp()
        self.given = hostile_entities()
        tally.count("hostile inputs", len(hostile.TEXTS))

    def load_all(self):
        self.rejects = [{"stage": "extract", "entity": "employees", "company_id": "acme", "reason": "wrong_type",
                         "faults": [text], "source": text, "line": 1, "raw": text} for text in hostile.TEXTS]
        self.stage([(loading.company(), self.given)], self.rejects)
        return self.must(status=3)

    def test_every_text_of_every_record(self):
        self.load_all()
        for entity, records in self.given.items():
            name = staging.ENTITIES[entity]
            with self.subTest(entity):
                columns = self.rows(f"SELECT * FROM payroll.{name} WHERE company_id = 'acme'")
                self.assertEqual(len(columns), len(records))
                known = set(columns[0])
                expected = [{key: value for key, value in texts_of(name, {"company_id": "acme", **record}).items()
                             if key in known}
                            for record in records]
                found = [{key: row[key] for key in expected[0]} for row in columns]
                self.assertGreater(len(expected[0]) + (entity == "payroll_periods"), 0)
                self.assertEqual(in_order(found), in_order(expected))

    def test_texts_inside_lists_and_rejects(self):
        self.load_all()
        terms = [term["option_code"] for row in self.rows("SELECT terms FROM payroll.contract") for term in row["terms"]]
        self.assertEqual(sorted(terms), sorted(term["option_code"] for contract in self.given["contracts"]
                                               for term in contract["terms"]))
        names = [candidate["last_name"] for row in self.rows("SELECT candidates FROM payroll.discrepancy")
                 for candidate in row["candidates"]]
        self.assertEqual(sorted(names), sorted(hostile.TEXTS))
        rejects = self.rows("SELECT source, faults, raw FROM pipeline.reject")
        self.assertEqual(in_order(rejects), in_order({key: reject[key] for key in ("source", "faults", "raw")}
                                                     for reject in self.rejects))

    def test_loaded_again_nothing_changes(self):
        self.load_all()
        before = self.versions()
        self.load_all()
        self.assertEqual(self.versions(), before)

    def test_no_text_makes_a_line_of_its_own(self):
        for row in self.given["coverage"]:
            row["reason"] = "exempt"  # which contradicts the contributions that are ready
        self.stage([(loading.company(), self.given)])
        result = self.refused(DATA, "is exempt", "job113a\\x0ab")
        for line in result.report["error"].splitlines():
            self.assertRegex(line, r"^company acme: line .* is exempt$|^\(and more\)$")
        self.assertNotRegex(result.stderr, "[\x00-\x09\x0b-\x1f\x7f]")

    def test_reports_show_them_and_calls_keep_them(self):
        self.load_all()
        self.assertEqual(sorted({row["last_name"] for row in self.rows("SELECT last_name FROM report.payroll_ready")}),
                         sorted(hostile.TEXTS))
        for row in self.rows("""SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.views
                                WHERE table_schema = 'report'"""):
            self.psql(f"SELECT count(*), count(t::text) FROM {row['name']} AS t")
        calls = [row["call"] for row in self.rows("SELECT call FROM report.discrepancy_inbox WHERE call IS NOT NULL")]
        self.assertEqual(len(calls), len(hostile.TEXTS))
        for call in calls:
            subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], env=self.env, check=True, text=True,
                           stdout=subprocess.DEVNULL, input=call.rstrip(";") + ";\n")
        linked = self.rows("SELECT member_id, employee_id FROM payroll.link")
        self.assertEqual(in_order(linked), in_order({"member_id": f"mbr2{n}{text}", "employee_id": f"emp1{n}{text}"}
                                                    for n, text in enumerate(hostile.TEXTS)))


class Lines(loading.Case):
    """A staged line that is not what it should be: load is refused before it touches a table."""

    def refused_line(self, line, *says, entity="employees"):
        given = loading.entities()
        given[entity] = [staging.Raw(line)]
        self.stage([(loading.company(), given)])
        result = hostile.run(self.command(), env=self.env)
        hostile.check(self, result, DATA, f"{entity}-0000.ndjson: company acme, its line 1: ", *says)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "0")

    def employee(self, **fields):
        return staging.line("employee", {"company_id": "acme", "employee_id": "e1", "last_name": "n", **fields})

    def test_lines_that_no_stage_has_written(self):
        good = self.employee()
        for says, line in [
            ("512 levels", good.replace(b'"n"', b"[" * hostile.LEVELS)),
            ("512 levels", b"[" * hostile.LEVELS + b"\n"),
            ("longer than 200 bytes", self.employee(last_name="x" * hostile.LONG)),
            ("U+0000", self.employee(last_name="a\0b")),
            ("control characters", good.replace(b'"n"', b'"a\0b"')),
            ("UTF-8", good.replace(b'"n"', b'"\xff"')),
            ("UTF-8", good.replace(b'"n"', b'"\xc0\xaf"')),
            ("UTF-8", good.replace(b'"n"', b'"\xed\xa0\x80"')),
            ("surrogates in pairs", good.replace(b'"n"', b'"\\ud800"')),
            ("given twice", good.replace(b"{", b'{"employee_id":"e2",', 1)),
            ("unknown key", good.replace(b"{", b'{"admin":true,', 1)),
            ("a value", b"\xef\xbb\xbf" + good),
            ("nothing behind", good[:-1] + b"{}\n"),
            ("expected an object", b"null\n"),
            ("expected a string", good.replace(b'"n"', b"1e400")),
            ("missing", b"{}\n"),
        ]:
            with self.subTest(says, line=line[:60]):
                self.refused_line(line, says)

    def test_numbers_at_the_edges(self):
        base = {"company_id": "acme", "employment_id": "job1", "month": loading.PERIOD, "gross_cents": 4711}
        for number, says in [
            (b"9223372036854775808", "64 bits"), (b"-9223372036854775808", "64 bits"), (b"1e400", "exponent"),
            (b"1e2", "exponent"), (b"1.0", "decimal point"), (b"9" * 100_000, "64 bits"), (b"01", "expected"),
            (b"+1", "a value"), (b"--1", "a number"), (b'"1"', "an integer number of cents"),
        ]:
            with self.subTest(number[:30]):
                line = staging.line("pay_base", base).replace(b"4711", number)
                self.refused_line(line, says, entity="pay_bases")
        for number, cents in [(b"9223372036854775807", 2**63 - 1), (b"-0", 0)]:
            self.assertEqual(self.stored(staging.line("pay_base", base).replace(b"4711", number), cents), cents)

    def stored(self, line, cents):
        given = loading.entities()
        given["pay_bases"] = [staging.Raw(line)]
        given["pay_bases"][0].cents = cents
        self.stage([(loading.company(), given)])
        self.must()
        return int(self.psql("SELECT gross_cents FROM payroll.pay_base"))


if __name__ == "__main__":
    unittest.main()
