"""extract on pages and files that mean no good: it says where and what, ends with a status of the contract, and takes
neither more memory nor more time than a page of that size may."""
import json
import unittest

import hostile
import tally
from harness import PERIOD

OK, PARTIAL, DATA = 0, 3, 65
CONFIG = """version: 1
staging: {{ dir: "{0}/staging" }}
rules: {{ reject_limit: 1000000000 }}
sources:
  feed: {{ use: "{0}/feed.yaml" }}
  bases: {{ use: csv, entity: pay_bases, path: "{0}/{{company_id}}.csv", optional: true }}
companies: [{{ id: acme, siren: "404833048" }}]
"""
FEED = """kind: rest
side: payroll
base_url: "file://{0}"
entities:
  employees:
    path: "/{{company_id}}.json"
    records: data
    fields: {{ employee_id: id, last_name: name, birth_date: born }}
  employments:
    path: "/{{company_id}}-jobs.json"
    records: data
    fields: {{ employment_id: job, employee_id: id, siret: siret, starts_on: from }}
"""
GOOD = {"id": "e1", "name": "Zoé"}


NO_JSON = [
    ("a NUL behind", "nothing behind", b'{"data":[]}\0'),
    ("a NUL in a string", "control", b'{"data":[{"id":"e\0","name":"n"}]}'),
    ("a NUL in a key", "control", b'{"data":[{"id":"e","na\0me":"n"}]}'),
    ("a byte order mark", "a value", b'\xef\xbb\xbf{"data":[]}'),
    ("invalid UTF-8", "UTF-8", b'{"data":[{"id":"e1","name":"\xff"}]}'),
    ("UTF-8 cut short", "UTF-8", b'{"data":[{"id":"e1","name":"\xc3"}]}'),
    ("an overlong slash", "UTF-8", b'{"data":[{"id":"\xc0\xaf","name":"n"}]}'),
    ("an overlong NUL", "UTF-8", b'{"data":[{"id":"\xe0\x80\x80","name":"n"}]}'),
    ("a surrogate in UTF-8", "UTF-8", b'{"data":[{"id":"\xed\xa0\x80","name":"n"}]}'),
    ("beyond Unicode", "UTF-8", b'{"data":[{"id":"\xf4\x90\x80\x80","name":"n"}]}'),
    ("half a pair", "surrogates in pairs", b'{"data":[{"id":"\\ud800","name":"n"}]}'),
    ("the other half", "surrogates in pairs", b'{"data":[{"id":"\\udc00","name":"n"}]}'),
    ("two first halves", "surrogates in pairs", b'{"data":[{"id":"\\ud800\\ud800","name":"n"}]}'),
    ("NaN", "a value", b'{"data":[{"id":NaN,"name":"n"}]}'),
    ("a comment", "a value", b'/**/{"data":[]}'),
    ("single quotes", "a key", b"{'data':[]}"),
    ("nothing", "a value", b""),
    ("two documents", "nothing behind", b'{"data":[]}{"data":[]}'),
]
HEAD = b"employment_id;month;gross\n"
NO_CSV = [
    ("a NUL", "line 2: not text", HEAD, b"j1;2026-04;1\0\n"),
    ("UTF-16", "line 1: not text", b"\xff\xfee\0m\0"),
    ("an unclosed quote", "line 2: not CSV", HEAD, b'"j1;2026-04;1\n', (b"x\n", 100000)),
    ("a quote inside", "line 2: not CSV", HEAD, b'j"1;2026-04;1\n'),
    ("lone carriage returns", "a carriage return", HEAD.replace(b"\n", b"\r"), b"j1;2026-04;1\r"),
    ("a carriage return, then quotes", "a carriage return", HEAD, b'j1;2026-04;1\r"j2\n";2026-04;1\n'),
    ("too many cells", "line 1: too many cells", (b";", 1_000_000)),
    ("a column twice", "column 3 \"gross\" is there twice", b"gross;month;gross;employment_id\n"),
    ("nothing", "the file is empty", b""),
    ("a byte order mark alone", "the file is empty", b"\xef\xbb\xbf"),
]
AMOUNTS = [
    ("92233720368547758,07", 2**63 - 1), ("92233720368547758,08", "bad_amount"), ("1e400", "bad_amount"),
    ("1e2", "bad_amount"), ("-0", 0), ("0000012,30", 1230), ("12,345", "bad_amount"), ("12,3400", 1234),
    ("1 234,50", 123450), ("10 20", "bad_amount"), ("1\u202f234,50\u00a0€", 123450), ("=1+1", "bad_amount"),
    ("١٢", "bad_amount"), ("9" * 1000, "bad_amount"), ("0," + "0" * 5000, 0), ("NaN", "bad_amount"),
    ("-1", "out_of_range"),
]


class Pages(hostile.HostileTest):
    def setUp(self):
        super().setUp()
        self.config.write_text(CONFIG.format(self.path), encoding="utf-8")
        (self.path / "feed.yaml").write_text(FEED.format(self.path), encoding="utf-8")
        self.write("acme.json", b'{"data":[]}')
        self.write("acme-jobs.json", b'{"data":[]}')

    def people(self, job="j1"):
        """One employee with one employment, for pay in a CSV file."""
        self.write("acme.json", b'{"data":[{"id":"e1","name":"n"}]}')
        self.write("acme-jobs.json", json.dumps({"data": [{"job": job, "id": "e1", "siret": "40483304800022",
                                                           "from": "2020-01-01"}]}).encode())

    def write(self, name, *pieces):
        """Bytes, or (bytes, how often); large files are never held in memory here, where they would be measured."""
        with open(self.path / name, "wb") as out:
            for piece in pieces:
                text, times = piece if isinstance(piece, tuple) else (piece, 1)
                for _ in range(times // 10000):
                    out.write(text * 10000)
                out.write(text * (times % 10000))

    def extract(self, status, *says):
        result = self.run_stage("extract")
        hostile.check(self, result, status, *says)
        return result

    def staged(self, entity):
        name = f"{entity}.ndjson" if entity == "rejects" else f"{entity}-*.ndjson"
        files = sorted(self.path.glob(f"staging/*/*/extract*/{name}"))
        return [json.loads(line) for line in files[-1].read_text("utf-8").splitlines()] if files else []

    def page(self, status, reason, fault, *pieces):
        """A page that is one reject as a whole, or a record of it that is."""
        self.write("acme.json", *pieces)
        self.extract(status, *([fault] if fault else []))
        rejects = self.staged("rejects")
        self.assertEqual(rejects[0]["reason"], reason)
        self.assertIn(fault, " ".join(rejects[0]["faults"]))
        self.assertTrue(rejects[0]["source"].endswith("acme.json"))
        self.assertLessEqual(len(rejects[0]["raw"].encode()), 65536)
        return rejects

    def record(self, reason, fault, **fields):
        text = json.dumps({**GOOD, **fields}, ensure_ascii=False).encode()
        rejects = self.page(PARTIAL, reason, fault, b'{"data":[' + text + b"]}")
        self.assertEqual([reject["line"] for reject in rejects], [1])

    def test_deep_nesting(self):
        deep = hostile.LEVELS
        self.page(DATA, "malformed_json", "512 levels", (b"[", deep), (b"]", deep))
        self.page(DATA, "malformed_json", "512 levels", (b'{"data":', deep))
        self.page(DATA, "malformed_json", "512 levels", b'{"data":[{"id":"e1","x":', (b"[{\"a\":", deep))

    def test_long_strings(self):
        long = (b"1", hostile.LONG)
        self.page(PARTIAL, "too_long", "last_name: 10000000 bytes", b'{"data":[{"id":"e1","name":"', long, b'"}]}')
        self.page(PARTIAL, "too_long", "employee_id: 10000000", b'{"data":[{"name":"n","id":"', long, b'"}]}')
        self.page(PARTIAL, "bad_date", "birth_date", b'{"data":[{"id":"e","name":"n","born":"', long, b'"}]}')
        self.write("acme.json", b'{"data":[{"id":"e1","name":"n","', long, b'":"', long, b'"}]}')
        self.extract(OK)
        self.assertEqual([e["last_name"] for e in self.staged("employees")], ["n"])

    def test_many_values(self):
        self.page(DATA, "malformed_json", "4194304 values", b'{"data":[', (b"0,", 30_000_000), b"0]}")
        self.page(DATA, "duplicate_key", "every key once", b'{"data":[{"a":0', (b',"aaaaaaaa":0', 1_000_000), b"}]}")

    def test_many_rejects(self):
        rejects = self.page(DATA, "missing_field", "missing", b'{"data":[', (b"{},", 1_000_000), b"{}]}")
        self.assertEqual(len(rejects), 100_001)
        self.assertIn("100000 records rejected: the rest is not read", rejects[-1]["faults"])

    def test_what_is_no_json(self):
        for name, fault, body in NO_JSON:
            with self.subTest(name):
                self.page(DATA, "malformed_json", fault, body)

    def test_duplicate_keys(self):
        for body in (b'{"data":[],"data":[]}', b'{"data":[{"id":"e1","name":"a","id":"e2"}]}',
                     b'{"data":[{"id":"e1","name":"a","\\u006eame":"b"}]}'):
            with self.subTest(body):
                self.page(DATA, "duplicate_key", "every key once", body)

    def test_nul_in_a_text(self):
        self.record("wrong_type", "last_name: text without NUL characters", name="a\0b")
        self.record("wrong_type", "employee_id: text without NUL characters", id="\0")

    def test_values_of_other_types(self):
        for name in ([], {"a": 1}, 1.5, True):
            self.record("wrong_type", "last_name", name=name)
        for born in ("2026-02-30", "0001-01-01", "30/02/2026", "2026-01-01T12:00:00Z"):
            self.record("bad_date", "birth_date", born=born)
        self.page(PARTIAL, "wrong_type", "last_name", b'{"data":[{"id":"e1","name":1e400}]}')
        self.page(PARTIAL, "not_an_object", "an object expected", b'{"data":[[],1,"x",null]}')

    def test_white_space_and_line_ends(self):
        self.write("acme.json", b'\r\n\t {\r\n"data" :\t[ {"id":"e1" ,\r\n"name":"n"}\r\n] }\r\n')
        self.extract(OK)
        self.assertEqual([e["employee_id"] for e in self.staged("employees")], ["e1"])

    def test_texts_arrive_as_they_are(self):
        texts = hostile.TEXTS
        people = {f"{text}#{i}": text for i, text in enumerate(texts)}
        for as_escapes in (False, True):
            records = [{"id": key, "name": text} for key, text in people.items()]
            self.write("acme.json", json.dumps({"data": records}, ensure_ascii=as_escapes).encode())
            self.extract(OK)
            self.assertEqual({e["employee_id"]: e["last_name"] for e in self.staged("employees")}, people)
        tally.count("hostile inputs", 2 * len(texts) - 2)

    # ---- money ----

    def gross(self, text):
        """What a cell of gross pay becomes: cents, or the reason why nothing."""
        self.people()
        self.write("acme.csv", f"employment_id;month;gross\nj1;{PERIOD};\"{text}\"\n".encode())
        result = self.run_stage("extract")
        tally.count("hostile inputs", 1)
        if result.status == OK:
            base, = self.staged("pay_bases")
            return base["gross_cents"]
        self.assertEqual(result.status, PARTIAL, result.stderr)
        reject, = self.staged("rejects")
        self.assertEqual((reject["line"], reject["source"]), (2, str(self.path / "acme.csv")))
        return reject["reason"]

    def test_numbers_at_the_edges(self):
        for text, expected in AMOUNTS:
            with self.subTest(text[:30]):
                self.assertEqual(self.gross(text), expected)

    # ---- files ----

    def file(self, status, fault, *pieces):
        self.people()
        self.write("acme.csv", *pieces)
        self.extract(status, fault)
        return self.staged("rejects")

    def test_csv_files(self):
        for name, fault, *body in NO_CSV:
            with self.subTest(name):
                self.file(DATA, fault, *body)

    def test_long_cells(self):
        reject, = self.file(PARTIAL, "too_long", HEAD, (b"j", hostile.LONG), b";2026-04;1\n")
        self.assertEqual((reject["line"], len(reject["raw"])), (2, 65536))
        rejects = self.file(DATA, "the rest is not read", HEAD, (b"j1;2026-04\n", 200_000))
        self.assertEqual(len(rejects), 100_001)

    def test_windows_1252_and_line_ends(self):
        self.people(job="é€")
        self.write("acme.csv", b"employment_id;month;gross\r\n\r\n\xe9\x80;2026-04;1\r\n;;\r\n")
        self.extract(OK)
        self.assertEqual([b["employment_id"] for b in self.staged("pay_bases")], ["é€"])


if __name__ == "__main__":
    unittest.main()
