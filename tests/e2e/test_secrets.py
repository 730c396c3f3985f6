"""Planted secrets and social security numbers are looked for everywhere that is not made to hold them: messages in both
formats at --log-level debug, the JSON line, /proc of the processes, manifests and lock files, what payroll_reader may
read, the server's log and its list of activities. None is found, nor when sources write numbers where none belong."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.parse

import harness
import tally

TOKEN, CLIENT, CLIENT_SECRET, PASSWORD = "tok-7Hq2secretA", "client-7Hq2secretB", "tok-7Hq2secretC", "pw-7Hq2secretD"
KEYS = [f"key-7Hq2secret{n}" for n in "EFGH"]
SECRET = "7Hq2secret"
PLANTED = "1850175123456"               # in places where no number belongs
FORMS = ("1850175123456", "185017512345609", "1 85 01 75 123 456 09", "1.85.01.75.123.456", "1-85-01-75-123-456-09",
         "1\u00a085\u00a001\u00a075\u00a0123\u00a0456", "253072a07300443", "1,85017E+12")
PLANTED_NTT = "1842139073PLANTED"
BAKERY, KELLER = "alan/cmp_boulangerie_martin.json", "alan/cmp_transports_keller.json"
SITE = "payfit/55f42f8f51ee47ddabe02d31.json"
ENTITY_FILE = re.compile(r"/(invoice_lines|affiliations|employees|persons|members|rejects)-?\d*\.ndjson$|/cache/|/raw/")


def squeezed(text):
    """Without what people put between digits."""
    return re.sub(r"[\s.\u00a0\u202f_-]|%20", "", urllib.parse.unquote(text)).upper()


class World(harness.Pipeline):
    """The sample, every secret of it replaced by one that can be found again."""

    def __init__(self):
        self.said = []
        super().__init__()
        config = self.config.read_text(encoding="utf-8")
        for usual, more in (("reject_limit: ", "1000"), ("use: payfit\n", "    requests_per_second: 1000\n")):
            assert config.count(usual) == 1
            config = config.replace(usual, usual + more)
        self.config.write_text(config, encoding="utf-8")
        self.numbers = {squeezed(form)[:13] for form in FORMS} | {PLANTED_NTT}
        for company in self.companies:
            for site in company.sites:
                for person in site.data["collaborators"]:
                    self.numbers |= {squeezed(text)[:13] for text in self.strings(person) if self.is_number(text)}
        old = [site.key for company in self.companies for site in company.sites]
        self.edit("auth.json", lambda auth: auth.update(
            alan_tokens=[TOKEN], alan_clients={CLIENT: CLIENT_SECRET},
            payfit_keys={new: auth["payfit_keys"][key] for new, key in zip(KEYS, old)}))
        (self.path / "key").write_text(KEYS[1] + "\n", encoding="ascii")
        (self.path / "url").write_text(self.url() + "\n", encoding="ascii")
        self.env.update(ALAN_TOKEN=TOKEN, DATABASE_URL=self.url(), **dict(zip(self.keys, KEYS)))
        self.env["PAYFIT_KEY_JOINERY_1"] = f"file:{self.path / 'key'}"

    @staticmethod
    def is_number(text):
        return re.fullmatch(r"[1-8]\d{4}[\dAB]\w{7,9}", squeezed(text)) is not None

    def strings(self, value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [text for each in value for text in self.strings(each)]
        return [value] if isinstance(value, str) else []

    def url(self):
        host = urllib.parse.quote(self.env["PGHOST"], safe="")
        return f"postgresql://postgres:{PASSWORD}@{host}:{self.env['PGPORT']}/{self.database}"

    def stage(self, name, *args, period=harness.PERIOD, **env):
        """As told, at debug, in both formats in turn; what it says is kept."""
        chosen = ("text", "json")[len(self.said) % 2]
        result = super().stage(name, "--log-level", "debug", "--log-format", chosen, *args, period=period, **env)
        self.said.append(result.stderr + json.dumps(result.report, ensure_ascii=False))
        return result

    def restore(self):
        """The sources as they were, and no run to go on with."""
        import companies
        shutil.rmtree(self.path / "staging", ignore_errors=True)
        auth = (self.path / "data" / "auth.json").read_bytes()
        companies.write(self.path / "data", self.companies)
        (self.path / "data" / "auth.json").write_bytes(auth)

    @staticmethod
    def by_reader(*views):
        """Asks for all rows, each behind the name of its view."""
        return "SET ROLE payroll_reader; " + "; ".join(f"SELECT '{view}', t.* FROM {view} AS t" for view in views)

    def found(self, text):
        """The secrets and numbers in a text."""
        small = squeezed(text)
        return [SECRET] * (SECRET.upper() in small) + [number for number in self.numbers if number.upper() in small]


class Searched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

    def clean(self, text, where):
        for number in self.world.found(text):
            at = squeezed(text).find(number.upper())
            self.fail(f"{where}: {number} in …{squeezed(text)[max(0, at - 120):at + 40]}…")


class Night(Searched):
    """A month as it should be, and what is left of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = pathlib.Path(os.environ["TEST_SCRATCH"]) / "pg"
        cls.log = cls.log.resolve() / "server.log"
        for name, value in {"log_statement": "all", "log_min_duration_statement": "0", "log_parameter_max_length": "-1",
                            "log_parameter_max_length_on_error": "-1", "log_error_verbosity": "verbose"}.items():
            cls.world.psql(f"ALTER DATABASE {cls.world.database} SET {name} = '{value}'")
        cls.before = cls.log.stat().st_size
        cls.world.run()
        cls.world.must("load", "--close", "--company", "boulangerie-martin", "--note", "over")
        with cls.log.open("rb") as log:
            log.seek(cls.before)
            cls.logged = log.read().decode("utf-8", "replace")

    def test_there_is_something_to_be_found(self):
        self.assertGreater(len(self.world.numbers), 40)
        staged = "".join(path.read_text(encoding="utf-8") for path in (self.world.path / "staging").rglob("employees*.ndjson"))
        self.assertGreater(len(self.world.found(staged)), 40)
        self.assertEqual(self.world.found(f"x {TOKEN} 1 85 01 75 123 456 y"), [SECRET, PLANTED])

    def test_messages_and_final_lines(self):
        for text in self.world.said:
            self.clean(text, "messages")
        self.assertIn('"level":"info"', "".join(self.world.said))

    def test_staging_beside_the_records(self):
        searched = []
        for path in (self.world.path / "staging").rglob("*"):
            if path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                self.assertNotIn(SECRET, text, path)
                if not ENTITY_FILE.search(str(path)):
                    self.clean(str(path) + text, path)
                    searched.append(path.name)
        self.assertTrue({"manifest.json", "companies.ndjson", ".lock"} <= set(searched), searched)

    def test_server_log_with_every_statement(self):
        self.assertIn("LOG:  00000: statement: COPY ", self.logged)
        self.assertIn("parameters: $1", self.logged)
        self.clean(self.logged, "server log")

    def test_nothing_secret_in_the_database(self):
        dump = subprocess.run(["pg_dump", "--data-only"], env=self.world.env, check=True, capture_output=True, text=True).stdout
        self.assertGreater(len(self.world.found(dump)), 40)
        self.assertNotIn(SECRET, dump)

    def test_what_a_reader_reads(self):
        views = self.world.psql("SELECT format('report.%I', viewname) FROM pg_views WHERE schemaname = 'report'").split()
        self.assertIn("report.payroll_ready", views)
        rows = self.world.psql(self.world.by_reader(*views))
        self.assertIn("report.payroll_ready|boulangerie-martin", rows)
        self.clean(rows, "views")
        self.clean(self.world.psql("ANALYZE; " + self.world.by_reader("pg_stats")), "pg_stats")

    def test_manager_calls_leave_no_number_in_the_log(self):
        self.world.psql("SELECT payroll.record_dispense('transports-keller', (SELECT min(employee_id) FROM payroll.employee "
                        "WHERE company_id = 'transports-keller'), 'c2s', '2030-01-01', NULL, NULL, 'why')")
        with self.log.open("rb") as log:
            log.seek(self.before)
            self.clean(log.read().decode("utf-8", "replace"), "server log")


class Processes(Searched):
    """What the system shows of a process that holds numbers and keys, and what it leaves when it dies."""

    def setUp(self):
        self.world.feed.faults()

    def running(self):
        """extract at a moment when it has numbers and waits for more."""
        self.world.feed.faults({"match": "invoice_lines", "times": 99, "delay_s": 2})
        process = subprocess.Popen([harness.BIN / "extract", "--config", self.world.config, "--staging",
                                    self.world.path / "staging", "--period", harness.PERIOD], cwd=harness.ROOT,
                                   env=self.world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        while not any("collaborators" in request["path"] for request in self.world.feed.requests()):
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        return process

    def test_proc(self):
        process = self.running()
        folder = pathlib.Path("/proc") / str(process.pid)
        for task in (folder / "task").iterdir():
            self.clean((task / "comm").read_text(encoding="utf-8"), "comm")
        self.clean((folder / "cmdline").read_text(encoding="utf-8"), "cmdline")
        self.assertRegex((folder / "limits").read_text(encoding="ascii"), r"Max core file size +0 +0 ")
        self.assertEqual((folder / "environ").stat().st_uid, 0, "only root looks into a process that is not dumpable")
        if os.getuid() == 0:
            self.clean((folder / "maps").read_text(encoding="utf-8"), "maps")

    def test_no_core(self):
        process = self.running()
        process.send_signal(signal.SIGSEGV)
        _, status, _ = os.wait4(process.pid, 0)
        process.returncode = status
        self.assertEqual((os.WTERMSIG(status), os.WCOREDUMP(status)), (signal.SIGSEGV, False))

    def test_workers_and_load(self):
        for name in ("extract", "transform", "load"):
            self.world.must(name)
            traced = self.world.path / "trace"
            command = [shutil.which("strace"), "-f", "-qq", "-s", "4096", "-e", "trace=execve,prctl", "-o", traced,
                       harness.BUILT / name, "--config", self.world.config, "--staging", self.world.path / "staging",
                       "--period", harness.PERIOD]
            subprocess.run(command, cwd=harness.ROOT, env=self.world.env, check=True, capture_output=True)
            text = traced.read_text(encoding="utf-8")
            self.assertEqual(text.count("execve("), 1, "no other program is run")
            self.clean(text.replace("execve", ""), "arguments")
            self.assertIn("PR_SET_DUMPABLE, SUID_DUMP_DISABLE", text)


class Misplaced(Searched):
    """Numbers and tokens where none belong: whatever comes of it, nothing repeats them."""

    def setUp(self):
        self.world.restore()
        self.world.feed.faults()
        self.said = len(self.world.said)

    def night(self, *stages, **env):
        for name in stages or ("extract", "transform", "load"):
            self.world.stage(name, *(("--as-of", harness.AS_OF) if name == "extract" else ()), **env)

    def searched(self):
        for text in self.world.said[self.said:]:
            self.clean(text, "messages")
        self.clean(self.world.psql("TABLE pipeline.run; " + self.world.by_reader("report.reject", "report.sync_status")), "database")
        for path in (self.world.path / "staging").rglob("*"):
            if path.is_file() and path.name in ("manifest.json", "companies.ndjson", ".lock"):
                self.clean(path.read_text(encoding="utf-8"), path)

    def plant(self, file, places, stages=("extract", "transform", "load"), rejected=()):
        """A number in each field of a record of its own: all in one night, or in a night each. rejected: fields whose
        names a reader finds among the faults."""
        nights = [[place] for place in places] if tally.FULL else [places]
        for night in nights:
            self.world.restore()

            def change(data, night=night):
                for at, (records, field) in enumerate(night):
                    data[records][at % len(data[records])][field] = FORMS[(at + places.index(night[0])) % len(FORMS)]
            self.world.edit(file, change)
            self.night(*stages)
            self.searched()
            rejects = self.world.psql("SET ROLE payroll_reader; SELECT entity, faults FROM report.reject")
            for _, field in night:
                if field in rejected:
                    self.assertIn(field, rejects)
            tally.count("planted numbers", len(night))

    def test_in_fields_of_alan(self):
        fields = ("id", "member_id", "member_type", "amount_cents", "cover_from", "kind", "basis", "label", "contract_id",
                  "option_code", "invoice_id", "category", "base_cents", "adjusts_line_id")
        self.plant(KELLER, [("invoice_lines", field) for field in fields],
                   rejected=("member_type", "amount_cents", "cover_from", "base_cents"))
        self.plant(KELLER, [("affiliations", field) for field in ("id", "status", "starts_on", "partners", "exemption_ground")])
        self.plant(BAKERY, [("contracts", "reference"), ("invoices", "number"), ("contracts", "insurer_code"),
                            ("invoices", "total_cents"), ("contracts", "valid_from"), ("invoices", "siren")])
        self.plant(BAKERY, [("contracts", "id"), ("invoices", "id"), ("invoices", "status"), ("contracts", "product")])

    def test_in_fields_of_payroll(self):
        site = json.loads((self.world.path / "data" / SITE).read_text(encoding="utf-8"))
        names = {"firstName", "lastName", "birthName", "matricule"}   # a reader reads names, whatever they are
        for records in ("collaborators", "contracts"):
            self.plant(SITE, [(records, key) for key in site[records][0] if key not in names])

    def test_duplicate_ids_keys_and_loads(self):
        def twice(data):
            for line in data["invoice_lines"][-3:]:
                line["id"] = PLANTED
        self.world.edit(BAKERY, twice)
        self.night()
        self.searched()

    def test_in_answers(self):
        body = {"title": FORMS[0], "detail": f"{FORMS[2]} {FORMS[3]} {FORMS[5]} Bearer {TOKEN}", "nir": FORMS[1]}
        broken = '{"data": [{"id": "%s", "nir": "%s", "%s": 1' % (FORMS[0], FORMS[2], FORMS[4])
        number = FORMS[1]
        numbers = {**body, "detail": body["detail"].replace(TOKEN, "")}  # what repeats a credential is not told at all
        for rule in ({"status": 500, "body": body}, {"status": 400, "body": body}, {"status": 401, "body": body},
                     {"status": 400, "body": numbers}, {"status": 403, "body": json.dumps(numbers)},
                     {"status": 403, "body": f"no {TOKEN} for {FORMS[2]}"}, {"status": 404, "body": body},
                     {"status": 429, "body": body, "headers": {"Retry-After": f"x{number}"}},
                     {"status": 302, "headers": {"Location": f"https://elsewhere.example/{number}?nir={number}&key={TOKEN}"}},
                     {"status": 302, "headers": {"Location": f"/alan/v1/{number}"}},
                     {"status": 200, "body": broken}, {"status": 200, "body": broken[:-30] + '", }'},
                     {"status": 200, "body": f"<html>{FORMS[2]} {FORMS[0]}</html>"},
                     {"status": 200, "body": [FORMS[2]]}, {"status": 200, "body": {FORMS[2]: FORMS[2]}},
                     {"status": 200, "body": {"data": [FORMS[2], int(FORMS[0])], "next_cursor": None}},
                     {"status": 200, "body": {"data": [], "next_cursor": number, "as_of": FORMS[2]}},
                     {"status": 200, "body": '{"data": [{"id": "a", "id": "%s"}]}' % number},
                     {"status": 200, "body": "{}", "headers": {f"X-{number}": number, "Content-Type": f"text/{number}"}}):
            with self.subTest(rule):
                self.world.feed.faults({"match": "invoice_lines", "times": 1 if rule["status"] >= 429 else 99, **rule})
                self.night("extract")
                self.searched()
        self.world.feed.faults({"match": "collaborators", "times": 99, "status": 403, "body": f"{KEYS[0]} {FORMS[2]}"})
        self.night("extract")
        self.searched()

    def test_in_spreadsheets(self):
        path = self.world.path / "data" / "imports" / "menuiserie-des-alpes" / f"bases-{harness.PERIOD}.csv"
        good = path.read_text(encoding="utf-8-sig")
        head, *rows = good.splitlines()
        first = rows[0].split(";")
        bad = [";".join([*first[:at], form, *first[at + 1:]]) for at in range(len(first)) for form in (FORMS[2], FORMS[7])]
        path.write_text("\n".join([head, *bad, *rows]) + "\n", encoding="utf-8")
        self.night()
        self.searched()
        for text in (head + f";{FORMS[2]}\n", head + "\n" + f'"{FORMS[0]};x\n', head + "\n" + f"{FORMS[1]}\n",
                     head.replace("month", FORMS[0]) + "\n", f"{head};{head}\n{FORMS[0]}\n"):
            path.write_text(text, encoding="utf-8")
            self.night("extract")
            self.searched()

    def test_what_the_server_complains_of(self):
        """DETAIL quotes the row that a constraint refuses; other messages quote the value."""
        self.night("extract", "transform")
        for table, constraint in (("employee", "CHECK (nir IS NULL)"), ("employee", "UNIQUE (company_id)"),
                                  ("member", "CHECK (nir IS NULL)"), ("affiliation", "CHECK (nir::bigint > 0)")):
            with self.subTest(constraint):
                self.world.psql(f"TRUNCATE payroll.{table}; DELETE FROM pipeline.company_load; "
                                f"ALTER TABLE payroll.{table} ADD CONSTRAINT tap {constraint}")
                self.addCleanup(self.world.psql, f"ALTER TABLE payroll.{table} DROP CONSTRAINT IF EXISTS tap")
                self.night("load")
                self.assertIn("SQLSTATE 2", self.world.said[-1])
                self.searched()
                self.world.psql(f"ALTER TABLE payroll.{table} DROP CONSTRAINT tap")

    def test_database_urls(self):
        waited_for = [f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", f"postgresql://u:{PASSWORD}@nowhere.invalid/x"]
        for url in (*(waited_for if tally.FULL else ()),
                    f"postgresql://u:{PASSWORD}@host:{PASSWORD}/x", f"host=/nowhere password={PASSWORD} {PASSWORD}=1",
                    f"file:{self.world.path / 'url'}", f"file:{self.world.path / 'nothing'}",
                    f"postgresql://u:a@{PASSWORD}@h/x"):
            with self.subTest(url):
                self.world.stage("load", "--migrate", DATABASE_URL=url)
                self.searched()
        self.assertEqual(self.world.stage("load", "--migrate", DATABASE_URL=f"file:{self.world.path / 'url'}").status, 0)

    def test_oauth(self):
        config = self.world.config.read_text(encoding="utf-8")
        self.addCleanup(self.world.config.write_text, config, encoding="utf-8")
        client = f'auth: {{ kind: client_credentials, client_id: "${{ID}}", client_secret: "${{SECRET}}" }}'
        self.world.config.write_text(config.replace('auth: { kind: bearer, token: "${ALAN_TOKEN}" }', client), encoding="utf-8")
        for secret in (CLIENT_SECRET, CLIENT_SECRET + "wrong"):
            self.night("extract", ID=CLIENT, SECRET=secret)
            self.searched()
        for status in (200, 400, 401, 500):
            self.world.feed.faults({"match": "oauth/token", "times": 1 if status == 500 else 99, "status": status,
                                    "body": {"error": f"{CLIENT_SECRET} of {CLIENT} {FORMS[2]}", "access_token": None}})
            self.night("extract", ID=CLIENT, SECRET=CLIENT_SECRET)
            self.searched()

    def test_mistakes_in_the_configuration(self):
        config = self.world.config.read_text(encoding="utf-8")
        self.addCleanup(self.world.config.write_text, config, encoding="utf-8")
        for old, new in (('token: "${ALAN_TOKEN}"', f'token: "{TOKEN}\\u0001"'), ("kind: bearer", f"kind: {TOKEN}"),
                         ('"${PAYFIT_KEY_BAKERY}"', f'["{KEYS[0]}"]'), ('"${PAYFIT_KEY_BAKERY}"', f'"{KEYS[0]}'),
                         ('base_url: "${ALAN_API_URL}"', f'base_url: "https://u:{PASSWORD}@h/"'),
                         ('url: "${DATABASE_URL:-}"', f'url: {{ "{PASSWORD}": 1 }}'),
                         ('"${ALAN_TOKEN}"', '"${ALAN_TOKEN"'), ('"${ALAN_TOKEN}"', f'&a "{TOKEN}'),
                         ('auth: { kind: bearer, token', f'auth: {{ kind: bearer, "{TOKEN}": x, token')):
            with self.subTest(new):
                self.world.config.write_text(config.replace(old, new), encoding="utf-8")
                self.night("extract")
                if new.count(TOKEN) == 1 and ("kind: tok" in new or '": x' in new):
                    self.world.said.pop()  # the name of a kind and of a key are no place for a secret
                self.searched()


if __name__ == "__main__":
    unittest.main()
