"""Configurations, arguments, ids and staging folders that lead astray: refused with file and line or the name of the
option, and never a file read or written anywhere else."""
import shutil
import unittest

import hostile
from harness import BIN, PERIOD

OK, USAGE, DATA, NO_INPUT, CANT_CREATE, IO, REFUSED, CONFIG = 0, 64, 65, 66, 73, 74, 77, 78
COMPANY = 'companies: [{ id: acme, siren: "404833048" }]\n'
GOOD = b"version: 1\n" + COMPANY.encode()
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 10)) for c in range(ord("b"), ord("m")))


NO_CONFIGURATION = [
    ("control characters", GOOD + b"a: \0\n"),
    ("NUL character in a value", GOOD + b'a: "\\0"\n'),
    ("NUL character in a key", GOOD + b'"version\\0": 1\n'),
    ("UTF-8", GOOD + b"a: \xff\n"),
    ("UTF-8", GOOD + b"a: \xc0\xaf\n"),
    ("UTF-8", GOOD + b"a: \xed\xa0\x80\n"),
    ("given twice", GOOD + b"version: 1\n"),
    ("given twice", GOOD + b'"versi\\u006fn": 1\n'),
    ("tags are not accepted", GOOD + b"a: !!python/object x\n"),
    ("a second document", GOOD + b"---\n" + GOOD),
    ("a whole number", GOOD + b"staging: {keep_runs: 99999999999999999999}\n"),
    ("expected 1", GOOD.replace(b"1", b"1e0", 1)),
    ("expected a map", b"[]\n"),
    ("expected a map", b""),
]
IDS = ["..", ".", ".hidden", "-x", "a/b", "../a", "/etc", "a\\\\b", "a b", "a\\nb", "é", "", "x" * 65, "a;b", "a'b",
       "a\\u202eb", "${HOME}", "CON:", "%2e%2e", "a\\0"]

REST = "a: { kind: rest, base_url: https://a, entities: %s }"
STAFF = REST % "{ employees: { path: '/{company_id}', fields: { employee_id: i, first_name: f, last_name: l%s }%s } }"
TERMS = REST % "{ contracts: { path: '/{company_id}', fields: { terms: { at: t, fields: %s } } } }"
CSV = "a: { use: csv, entity: pay_bases, path: x.csv, %s }"
# What stands where a description expects something of another shape.
SHAPES = [
    ("a: a map with use: expected", "a: alan"),
    ("use: the name of a description, or a path", "a: { use: [alan] }"),
    ("use: the name of a description, or a path", "a: { use: '' }"),
    ("at most 64 bytes expected in the name", "a" * 65 + ": { use: csv }"),
    ("entities: expected a map, found a list", REST % "[{ path: /x }]"),
    ("entities: at least one entity expected", REST % "{}"),
    ("employees: a map expected", REST % "{ employees: /x }"),
    ("kind: expected text of 1 to 64 bytes", REST % "{ employees: { path: /x, paging: [[x]] } }"),
    ("values: expected a map, found a list", STAFF % (", nir: { values: [x] }", "")),
    ("x: text expected", STAFF % (", nir: { values: { x: [y] } }", "")),
    ("at: text expected", STAFF % (", nir: [[x]]", "")),
    ("query: expected a map, found a list", STAFF % ("", ", query: [x]")),
    ("x: text expected", STAFF % ("", ", query: { x: [y] }")),
    ("merge: names of fields of employee", STAFF % ("", ", merge: [[nir]]")),
    ("next: text expected", STAFF % ("", ", paging: { kind: link, next: [[x]] }")),
    ("fields: expected a map, found a list", TERMS % "[x]"),
    ("fields: expected a map", CSV % "fields: x"),
    ("separator: expected text", CSV % "separator: ''"),
    ("separator: a single character or tab expected", CSV % "separator: '\"'"),
    ("kind: one of rest, csv expected", CSV % "kind: xml"),
]


class Configurations(hostile.HostileTest):
    def refused(self, says, *pieces, stage="transform"):
        with open(self.config, "wb") as out:
            for piece in pieces:
                text, times = piece if isinstance(piece, tuple) else (piece, 1)
                out.write(text * times)
        hostile.check(self, self.run_stage(stage), CONFIG, "pipeline.yaml:", *([says] if says else []))

    def test_deep_nesting(self):
        deep = hostile.LEVELS
        self.refused("nested too deeply", b"a: ", (b"[", deep), (b"]", deep))
        self.refused("nested too deeply", b"a: ", (b"{b: ", deep), (b"}", deep))
        self.refused("nested too deeply", b"a: ", (b"[\n", deep))
        self.refused("nested too deeply", (b"- ", 1000), b"x\n")

    def test_aliases(self):
        self.refused("too many values by way of aliases", BOMB)
        self.refused("alias of an anchor that is not complete", b"a: &a [*a]\n")
        self.refused("too many anchors", b"a: [", b",".join(b"&a%d x" % n for n in range(2000)), b"]\n")
        self.refused("", b"a: &a [", (b"x,", 100_000), b"]\nb: [", (b"*a,", 100), b"]\n")

    def test_long_and_many(self):
        self.refused("unknown key a", GOOD, b"a: \"", (b"x", hostile.LONG), b"\"\n")
        self.refused("unset variable", GOOD, b"staging: { dir: \"", (b"${U}", 1_000_000), b"\" }\n")
        self.refused("larger than 64 MiB", (b"# 345678901234567890123456789012345678901\n", 1_700_000))
        self.refused("dir: expected text of 1 to 4096", GOOD, b"staging: { dir: ", (b"d", 5000), b" }\n")

    def test_files_that_are_too_large(self):
        large = self.path / "large.yaml"
        with open(large, "wb") as out:
            out.truncate((64 << 20) + 1)
        for says, text in ((f"{large} is too large for a description", COMPANY + f"sources: {{ a: {{ use: {large} }} }}\n"),
                           (f"{large}: larger than 64 MiB", f"companies_file: {large}\n")):
            self.config.write_text("version: 1\n" + text, encoding="ascii")
            hostile.check(self, self.run_stage("extract"), CONFIG, says)

    def test_what_is_no_yaml(self):
        for says, text in NO_CONFIGURATION:
            with self.subTest(says, text=text[-40:]):
                self.refused(says, text)

    def test_descriptions_of_another_shape(self):
        for says, source in SHAPES:
            with self.subTest(source):
                self.refused(says, GOOD, b"sources:\n  ", source.encode(), b"\n", stage="extract")

    def test_byte_order_mark_and_line_ends(self):
        for text in (b"\xef\xbb\xbf" + GOOD, GOOD.replace(b"\n", b"\r\n")):
            self.config.write_bytes(text)
            hostile.check(self, self.run_stage("transform"), NO_INPUT, "no complete extract output")

    def test_ids_of_companies(self):
        for text in IDS:
            with self.subTest(text):
                self.refused("", f'version: 1\ncompanies: [{{ id: "{text}", siren: "404833048" }}]\n'.encode())
        for key in ("alan_company_id", "payroll_company_id"):
            for text in ("..", "."):
                site = f'{key}: "{text}"'
                if key.startswith("payroll"):
                    site = f'establishments: [{{ siret: "40483304800022", {site} }}]'
                self.refused("expected an id, found a step of a path",
                             f'version: 1\ncompanies: [{{ id: a, siren: "404833048", {site} }}]\n'.encode())

    def test_ids_in_paths_of_files(self):
        """What a file name is made of may not leave its folder."""
        (self.path / "secret.csv").write_text("employment_id;month;gross\nj1;2026-04;1\n", encoding="utf-8")
        for key, text in [("alan_company_id", "../secret"), ("alan_company_id", "/etc/passwd"),
                          ("payroll_company_id", "x/../../secret")]:
            own, site = (f'{key}: "{text}"', "") if key.startswith("a") else ("name: x", f', {key}: "{text}"')
            with self.subTest(text):
                self.refused(f"{key}: a slash is in it", f"""version: 1
sources: {{ bases: {{ use: csv, entity: pay_bases, path: "imports/{{{key}}}.csv" }} }}
companies: [{{ id: acme, siren: "404833048", {own}, establishments: [{{ siret: "40483304800022"{site} }}] }}]
""".encode(), stage="extract")

    def test_invalid_text_from_the_environment(self):
        self.config.write_text("version: 1\n" + COMPANY.replace("siren", 'name: "${NAME}", siren'), encoding="utf-8")
        for name in ("a\nb", "a\x1b[31m"):
            hostile.check(self, self.run_stage("transform", NAME=name), CONFIG, "control character is in variable NAME")


class Arguments(hostile.HostileTest):
    def setUp(self):
        super().setUp()
        self.config.write_bytes(GOOD)

    def test_run_ids(self):
        for stage in ("extract", "transform", "load"):
            for text in ["", ".", "..", "../x", "a/b", "/abs", ".x", "-x", "x" * 65, "a b", "a\nb", "é", "a;b", "\\", "%s"]:
                with self.subTest(text, stage=stage):
                    hostile.check(self, self.run_stage(stage, f"--run-id={text}"), USAGE,
                                  "--run-id: expected 1 to 64 letters")
        self.assertEqual(sorted(path.name for path in self.path.iterdir()), ["pipeline.yaml"])

    def test_companies(self):
        for text in ["", "..", "../acme", "a/b", "x" * 65, "acme\n", "é", "'; --"]:
            with self.subTest(text):
                hostile.check(self, self.run_stage("transform", f"--company={text}"), USAGE,
                              "--company: expected a company id")
        hostile.check(self, self.run_stage("transform", "--company", "other"), USAGE, "no such company")

    def test_folders_and_files(self):
        source = "sources: { s: { use: csv, entity: pay_bases, path: x.csv, optional: true } }\n"
        self.config.write_text("version: 1\n" + source + COMPANY, encoding="utf-8")
        for text, status, says in [
            ("", USAGE, "--staging: expected 1 to 4096 bytes"), ("x" * 4097, USAGE, "--staging"),
            ("x" * 300, CANT_CREATE, "x" * 300), ("/proc/nowhere", CANT_CREATE, "/proc/nowhere"),
            ("pipeline.yaml", CANT_CREATE, "pipeline.yaml"), ("/dev/null/x", CANT_CREATE, "/dev/null"),
        ]:
            with self.subTest(text[:20]):
                hostile.check(self, self.run_stage("extract", f"--staging={text}"), status, says)
        for text in ["", "/", "/dev/zero", "/dev/stdin", "x" * 5000, "nowhere.yaml", str(self.path)]:
            with self.subTest(text[:20]):
                result = hostile.run([BIN / "transform", f"--config={text}"], cwd=self.path, env=self.env)
                hostile.check(self, result, USAGE if len(text) in (0, 5000) else CONFIG)


class Links(hostile.HostileTest):
    """Symbolic links planted in the staging directory: nothing is written or deleted where they lead."""

    def setUp(self):
        super().setUp()
        self.config.write_text('version: 1\nstaging: { dir: staging, keep_runs: 1 }\nsources: { s: { use: csv, '
                               'entity: employees, path: "{company_id}.csv" } }\n' + COMPANY, encoding="utf-8")
        (self.path / "acme.csv").write_text("employee_id;last_name\ne1;n\n", encoding="utf-8")
        self.outside = self.path / "outside"
        self.outside.mkdir(mode=0o700)
        (self.outside / "precious").write_text("precious", encoding="utf-8")
        self.run_folder = self.path / "staging" / PERIOD / "r1"

    def plant(self, name, target):
        path = self.run_folder / name
        for level in (self.path / "staging", self.path / "staging" / PERIOD, self.run_folder, path.parent):
            level.mkdir(mode=0o700, exist_ok=True)
        path.symlink_to(target)

    def extract(self, *statuses, run_id="r1"):
        result = self.run_stage("extract", "--run-id", run_id)
        self.assertIn(result.status, statuses, result.stderr)
        hostile.check(self, result, result.status)
        self.assertEqual([path.name for path in self.outside.iterdir()], ["precious"])
        self.assertEqual((self.outside / "precious").read_text(encoding="utf-8"), "precious")
        return result

    def test_files(self):
        precious = self.outside / "precious"
        for name in ["extract/manifest.json", "extract/manifest.json.tmp", "extract/companies.ndjson.tmp",
                     "extract/part-0000.done", "extract/employees-0000.ndjson", "extract/employees-0000.ndjson.tmp",
                     "extract/rejects.ndjson", "raw/acme.spool"]:
            with self.subTest(name):
                self.plant(name, precious)
                self.extract(OK, CANT_CREATE, IO)
            shutil.rmtree(self.path / "staging")

    def test_purging_follows_no_link(self):
        self.extract(OK)
        (self.path / "staging" / PERIOD / "r0").symlink_to(self.outside)
        for number in range(2, 5):
            self.extract(OK, run_id=f"r{number}")

    def test_a_manifest_that_is_a_link_does_not_count(self):
        self.extract(OK)
        folder = self.run_folder / "extract"
        (folder / "manifest.json").rename(self.path / "elsewhere.json")
        (folder / "manifest.json").symlink_to(self.path / "elsewhere.json")
        hostile.check(self, self.run_stage("transform"), NO_INPUT, "no complete extract output")


if __name__ == "__main__":
    unittest.main()
