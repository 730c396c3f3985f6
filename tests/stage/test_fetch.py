"""Fetching by the real executable from servers that misbehave on purpose: what it asks, believes and says."""
import email.utils
import json
import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time
import unittest

from harness import BIN, PERIOD, cluster_environment
from misbehaving_server import (Server, after, answer, bomb, certificate, cut_short, length_too_small, nothing, page,
                                reset_in_body, slowly, status, tagged)

# Exit statuses.
OK, PARTIAL, BAD_DATA, NO_INPUT, UNAVAILABLE, TRY_AGAIN, REFUSED, CONFIG = 0, 3, 65, 66, 69, 75, 77, 78

ENVIRONMENT = {}

CURSOR = {"kind": "cursor", "param": "cursor", "next": "next", "cap": 20, "total": "total"}


def setUpModule():
    """An empty database for all tests: extract reads what people decided from it, and nobody did."""
    database = f"fetch_{os.getpid()}"
    usual = cluster_environment().items()
    ENVIRONMENT.update({key: value for key, value in usual if not key.lower().endswith("_proxy")}, PGDATABASE=database)
    subprocess.run(["createdb", database], env=ENVIRONMENT, check=True)
    unittest.addModuleCleanup(subprocess.run, ["dropdb", "--force", database], env=ENVIRONMENT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "pipeline.yaml"
        settings = {"version": 1, "companies": [{"id": "none", "siren": siren(1)}]}
        config.write_text(json.dumps(settings), encoding="utf-8")
        subprocess.run([BIN / "load", "--migrate", "--quiet", "--config", config], env=ENVIRONMENT, check=True,
                       stdout=subprocess.DEVNULL)


def siren(n):
    """A valid company number."""
    digits = f"{n:08d}"
    total = sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(digits))
    return digits + str(-total % 10)


class Result:
    def __init__(self, process, seconds):
        self.status, self.stderr, self.seconds = process.returncode, process.stderr, seconds
        lines = process.stdout.splitlines()
        self.report = json.loads(lines[-1]) if lines else {}


class FetchTest(unittest.TestCase):
    """One source `feed` with a list of employees per company, unless a test says otherwise."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="fetch-test-")))
        self.server = self.serve()
        self.companies = ["acme"]
        self.entities = {"employees": {}}
        self.more_sources = {}
        self.source = {"base_url": self.server.url, "timeout_ms": 5000, "deadline_ms": 20000, "retries": 2}

    def enterContext(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def serve(self, tls=None):
        server = Server(tls)
        self.addCleanup(server.stop)
        return server

    def path(self, company="acme", name="employees"):
        return f"/{company}/{name}"

    def script(self, *answers, company="acme", name="employees"):
        self.server.routes[self.path(company, name)] = list(answers)

    def asked(self, company="acme", name="employees"):
        return self.server.to(self.path(company, name))

    def configure(self):
        entities = {
            name: {"entity": "employees", "path": "/{company_id}/" + name, "records": "data",
                   "fields": {"employee_id": "id", "last_name": "name"}, "paging": CURSOR, **more}
            for name, more in self.entities.items()}
        for name in entities:
            if name == "employees":
                del entities[name]["entity"]
        description = self.folder / "feed.yaml"
        description.write_text(json.dumps({"kind": "rest", "side": "payroll", "entities": entities}), encoding="utf-8")
        config = self.folder / "pipeline.yaml"
        config.write_text(json.dumps({
            "version": 1, "staging": {"dir": str(self.folder / "staging"), "archive_raw": True},
            "sources": {"feed": {"use": str(description), **self.source}, **self.more_sources},
            "companies": [{"id": c, "siren": siren(10000000 + i)} for i, c in enumerate(self.companies)],
        }), encoding="utf-8")
        return config

    def command(self, *args, jobs=4):
        return [str(BIN / "extract"), "--config", str(self.configure()), "--period", PERIOD, "--jobs", str(jobs), *args]

    def extract(self, *args, jobs=4, **env):
        begun = time.monotonic()
        process = subprocess.run(self.command(*args, jobs=jobs), cwd=self.folder, env={**ENVIRONMENT, **env},
                                 capture_output=True, text=True, timeout=120)
        return Result(process, time.monotonic() - begun)

    def succeeds(self, *args, **more):
        result = self.extract(*args, **more)
        self.assertEqual(result.status, OK, result.stderr)
        return result

    def fails(self, expected, *says, **more):
        result = self.extract(**more)
        self.assertEqual(result.status, expected, result.stderr)
        for text in says:
            self.assertIn(text, result.stderr)
        return result

    def spools(self):
        return sorted((self.folder / "staging" / PERIOD).rglob("*.spool"))

    def frames(self, company="acme"):
        """(page number, ids) of every frame of a company's newest spool."""
        path = max((p for p in self.spools() if p.name == f"{company}.spool"), key=lambda p: p.stat().st_mtime_ns)
        data, frames = path.read_bytes(), []
        while data:
            line, data = data.split(b"\n", 1)
            head = json.loads(line)
            body, data = data[:head["bytes"]], data[head["bytes"] + 1:]
            frames.append((head["page"], [r["id"] for r in json.loads(body)["data"]] if body else None))
        return frames


class Retries(FetchTest):
    def test_errors_of_the_server_are_asked_again(self):
        for code in (408, 429, 500, 502, 503, 504):
            with self.subTest(status=code):
                self.setUp()
                self.script(status(code), answer(page(["e1"])))
                self.succeeds()
                self.assertEqual(len(self.asked()), 2)

    def test_broken_transfers_are_asked_again(self):
        whole = page(["e1", "e2", "e3"])
        for broken in (cut_short(whole), length_too_small(whole), reset_in_body(whole), nothing):
            with self.subTest(broken=broken.__qualname__):
                self.setUp()
                self.script(broken, answer(whole))
                self.succeeds()
                self.assertEqual(len(self.asked()), 2)
                self.assertEqual(self.frames(), [(1, ["e1", "e2", "e3"])])

    def test_retry_after_in_seconds(self):
        self.script(status(429, Retry_After="2"), answer(page(["e1"])))
        self.succeeds()
        first, second = self.asked()
        self.assertGreaterEqual(second.at - first.at, 2)
        self.assertLess(second.at - first.at, 4)

    def test_retry_after_as_a_date(self):
        self.server.routes[self.path()] = [
            lambda h, r: status(503, Retry_After=email.utils.formatdate(time.time() + 3, usegmt=True))(h, r),
            answer(page(["e1"]))]
        self.succeeds()
        first, second = self.asked()
        self.assertGreaterEqual(second.at - first.at, 1.5) # a date has whole seconds
        self.assertLess(second.at - first.at, 5)

    def test_rate_limit_beyond_the_deadline_is_for_later(self):
        self.script(status(429, Retry_After="3600"))
        result = self.fails(TRY_AGAIN, "HTTP 429", "company acme")
        self.assertEqual(result.report["retry_after_s"], 3600)
        self.assertLess(result.seconds, 5)

    def test_outage_beyond_the_deadline(self):
        self.script(status(503, Retry_After="3600"))
        self.fails(UNAVAILABLE, "HTTP 503")
        self.assertEqual(len(self.asked()), 1)

    def test_attempts_are_counted(self):
        self.script(answer({"title": "Broken", "detail": "database down"}, 500))
        self.fails(UNAVAILABLE, "feed: company acme: employees", self.server.url + self.path(),
                   "HTTP 500 after 3 attempts: Broken: database down")
        self.assertEqual(len(self.asked()), 3)

    def test_slow_drip_runs_into_the_timeout(self):
        self.source["timeout_ms"] = 700
        self.script(slowly(page(["e1"]), 40, 0.1), answer(page(["e1"])))
        self.succeeds()
        self.assertEqual(len(self.asked()), 2)

    def test_deadline_bounds_all_attempts(self):
        self.source.update(timeout_ms=1000, deadline_ms=2500, retries=100)
        self.script(after(5, answer(page(["e1"]))))
        result = self.fails(UNAVAILABLE, "feed: company acme")
        self.assertLess(result.seconds, 6)

    def test_nobody_listens(self):
        gone = Server()
        gone.stop()
        self.source.update(base_url=gone.url, retries=1)
        self.fails(UNAVAILABLE, "after 2 attempts")

    def test_rate_limit_costs_no_attempts(self):
        self.source["retries"] = 0
        self.script(*[status(429)] * 5, answer(page(["e1"])))
        self.succeeds()
        self.assertEqual(len(self.asked()), 6)

    def test_one_429_pauses_the_whole_source(self):
        self.companies = [f"c{i}" for i in range(6)]
        for company in self.companies:
            self.script(answer(page([company])), company=company)
        self.script(status(429, Retry_After="2"), answer(page(["c0"])), company="c0")
        self.succeeds(jobs=1)
        first = self.asked("c0")[0].at
        self.assertTrue(all(r.at - first >= 2 for r in self.server.requests[1:]))


class Refusals(FetchTest):
    def test_other_companies_go_on(self):
        self.companies = ["acme", "revoked", "zenith"]
        self.script(answer(page(["e1"])))
        self.script(answer({"error": "forbidden", "details": "scope missing"}, 403), company="revoked")
        self.script(answer(page(["e2"])), company="zenith")
        result = self.fails(PARTIAL, "feed: company revoked: employees", "HTTP 403: forbidden: scope missing")
        self.assertEqual(len(self.asked("revoked")), 1)
        self.assertEqual(result.report["companies"], {"ok": 2, "failed": 1})

    def test_kinds(self):
        for code, expected in ((401, REFUSED), (403, REFUSED), (404, CONFIG), (400, CONFIG), (422, CONFIG)):
            with self.subTest(status=code):
                self.setUp()
                self.script(status(code))
                self.fails(expected, f"HTTP {code}")
                self.assertEqual(len(self.asked()), 1)

    def test_absent_and_optional(self):
        self.source["optional"] = True
        self.script(status(404))
        self.succeeds()
        self.assertEqual(self.frames(), [(1, None)])

    def test_down_host_is_not_asked_for_every_company(self):
        self.companies = [f"c{i}" for i in range(200)]
        self.source["retries"] = 1
        self.server.otherwise = status(503)
        result = self.fails(UNAVAILABLE, "not asked, for 8 companies failed one after the other")
        self.assertLess(len(self.server.requests), 60)
        self.assertLess(result.seconds, 15)

    def test_numbers_of_people_are_not_repeated(self):
        self.script(answer({"detail": "nobody has 1 85 01 75 123 456 09"}, 400))
        result = self.fails(CONFIG, "nobody has * ")
        self.assertNotIn("123 456", result.stderr)


class Credentials(FetchTest):
    SECRET = "s3cr3t-key-of-acme"

    def test_bearer_and_header(self):
        for auth, name, value in (
                ({"kind": "bearer", "token": self.SECRET}, "Authorization", f"Bearer {self.SECRET}"),
                ({"kind": "header", "header": "X-Api-Key", "token": self.SECRET}, "X-Api-Key", self.SECRET)):
            with self.subTest(kind=auth["kind"]):
                self.setUp()
                self.source["auth"] = auth
                self.script(answer({"title": "no", "detail": f"{self.SECRET} is not known"}, 403))
                result = self.fails(REFUSED)
                request = self.asked()[0]
                self.assertEqual(request.headers[name], value)
                self.assertNotIn(self.SECRET, request.url)
                self.assertNotIn(self.SECRET, result.stderr)
                for path in self.folder.rglob("*"):
                    if path.is_file() and path.name != "pipeline.yaml":
                        self.assertNotIn(self.SECRET.encode(), path.read_bytes(), path)

    def test_redirect_takes_the_credential_nowhere(self):
        elsewhere = self.serve()
        elsewhere.otherwise = answer(page(["e1"]))
        self.source["auth"] = {"kind": "bearer", "token": self.SECRET}
        for code in (301, 302, 307, 308):
            self.script(status(code, Location=elsewhere.url + "/acme/employees"))
            self.fails(CONFIG, f"HTTP {code}, a redirect to {elsewhere.url}/acme/employees, which is not followed")
        self.assertEqual(elsewhere.requests, [])

    def token_source(self, **more):
        self.source["auth"] = {"kind": "client_credentials", "token_url": self.server.url + "/oauth/token",
                               "client_id": "me", "client_secret": self.SECRET, **more}

    def test_one_token_for_everybody(self):
        self.companies = [f"c{i}" for i in range(10)]
        self.server.otherwise = answer(page(["e1"]))
        self.server.routes["/oauth/token"] = [after(0.3, answer({"access_token": "t1", "expires_in": 3600}))]
        self.token_source(scope="read")
        self.succeeds(jobs=8)
        token, *others = self.server.requests
        form = f"grant_type=client_credentials&client_id=me&client_secret={self.SECRET}&scope=read"
        self.assertEqual((token.method, token.body), ("POST", form.encode()))
        self.assertEqual([r.headers["Authorization"] for r in others], ["Bearer t1"] * 10)

    def test_token_expires_on_the_way(self):
        tokens = iter(range(1, 100))
        valid = {}

        def grant(handler, request):
            token = f"t{next(tokens)}"
            valid[token] = time.monotonic() + 0.6
            answer({"access_token": token, "expires_in": 3600})(handler, request)

        def guarded(handler, request):
            token = request.headers["Authorization"].removeprefix("Bearer ")
            n = int(request.query.get("cursor", 1))
            time.sleep(0.2)
            if valid.get(token, 0) < time.monotonic():
                status(401)(handler, request)
            else:
                answer(page([f"e{n}"], next=str(n + 1) if n < 8 else None))(handler, request)

        self.server.routes.update({"/oauth/token": [grant], self.path(): [guarded]})
        self.token_source()
        self.succeeds()
        self.assertEqual([ids for _, ids in self.frames()], [[f"e{n}"] for n in range(1, 9)])
        self.assertGreaterEqual(len(valid), 3)

    def test_announced_expiry_is_kept(self):
        self.script(*[after(0.4, answer(page([f"e{n}"], next=f"c{n}"))) for n in range(4)], answer(page(["last"])))
        self.server.routes["/oauth/token"] = [answer({"access_token": f"t{n}", "expires_in": 2}) for n in range(9)]
        self.token_source()
        self.succeeds()
        self.assertEqual(sorted({r.headers["Authorization"] for r in self.asked()}), ["Bearer t0", "Bearer t1"])

    def test_fresh_token_refused_as_well(self):
        self.script(status(401))
        self.server.routes["/oauth/token"] = [answer({"access_token": f"t{n}"}) for n in range(9)]
        self.token_source()
        self.fails(REFUSED, "HTTP 401")
        self.assertEqual(len(self.asked()), 2)

    def test_client_refused(self):
        self.companies = ["acme", "zenith"]
        self.server.routes["/oauth/token"] = [answer({"error": "invalid_client"}, 401)]
        self.token_source()
        result = self.fails(REFUSED, "/oauth/token: HTTP 401: invalid_client")
        self.assertEqual([r.path for r in self.server.requests], ["/oauth/token"])
        self.assertNotIn(self.SECRET, result.stderr)


class Tls(FetchTest):
    def setUp(self):
        super().setUp()
        key, self.crt = certificate(str(self.folder / "localhost.pem"), "localhost")
        self.server = self.serve(key)
        self.server.otherwise = answer(page(["e1"]))
        self.by_name = self.server.url.replace("127.0.0.1", "localhost")

    def test_self_signed_is_refused(self):
        self.source["base_url"] = self.by_name
        self.fails(REFUSED, "certificate")
        self.assertEqual(self.server.requests, [])

    def test_own_authority(self):
        self.source.update(base_url=self.by_name, ca_file=self.crt)
        self.succeeds()

    def test_wrong_host_name_is_refused(self):
        self.source.update(base_url=self.server.url, ca_file=self.crt)
        self.fails(REFUSED, "127.0.0.1")
        self.assertEqual(self.server.requests, [])

    def test_no_such_authority(self):
        self.source.update(base_url=self.by_name, ca_file=str(self.folder / "none.pem"))
        self.fails(CONFIG)


class Protocols(FetchTest):
    def test_http_beyond_loopback_is_refused(self):
        for url in ("http://192.0.2.1", "http://127.0.0.1.nip.example", "ftp://127.0.0.1"):
            self.source["base_url"] = url
            self.fails(CONFIG)

    def test_proxy_of_the_environment_is_not_told_what_stays_here(self):
        proxy = self.serve()
        self.script(answer(page(["e1"])))
        self.succeeds(http_proxy=proxy.url, ALL_PROXY=proxy.url)
        self.assertEqual(proxy.requests, [])

    def test_files_as_a_rest_source(self):
        feed = self.folder / "feed" / "acme"
        feed.mkdir(parents=True)
        (feed / "employees").write_text(json.dumps(page(["e1", "e2"], total=2)), encoding="utf-8")
        self.source["base_url"] = f"file://{self.folder}/feed"
        self.succeeds()
        self.assertEqual(self.frames(), [(1, ["e1", "e2"])])

    def test_link_may_not_lead_to_a_file(self):
        self.entities["employees"]["paging"] = {"kind": "link", "next": "next", "cap": 5}
        self.script(answer(page(["e1"], next="file:///etc/passwd")))
        self.fails(BAD_DATA, "leaves the server")


class Files(FetchTest):
    """A CSV file per company."""

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


class Paging(FetchTest):
    def paging(self, **more):
        self.entities["employees"]["paging"] = {"cap": 20, **more}

    def test_cursor(self):
        self.script(answer(page(["e1", "e2"], next="a b&c", total=3)), answer(page(["e3"], next=None, total=3)))
        self.succeeds()
        self.assertEqual(self.frames(), [(1, ["e1", "e2"]), (2, ["e3"])])
        self.assertEqual(self.asked()[1].query, {"cursor": "a b&c"})

    def test_page_numbers(self):
        self.paging(kind="page", param="page", size_param="size", size=2, first_page=1)
        self.script(answer(page(["e1", "e2"])), answer(page(["e3", "e4"])), answer(page(["e5"])))
        self.succeeds()
        self.assertEqual([r.query for r in self.asked()], [{"page": str(n), "size": "2"} for n in (1, 2, 3)])

    def test_links_in_headers(self):
        self.paging(kind="link")
        self.script(answer(page(["e1"]), Link=f'</acme/employees?after=e1>; rel="next", </x>; rel="last"'),
                    answer(page(["e2"]), Link=f'<{self.server.url}/acme/employees?after=e2>; rel=next'),
                    answer(page(["e3"])))
        self.succeeds()
        self.assertEqual([r.query for r in self.asked()], [{}, {"after": "e1"}, {"after": "e2"}])

    def test_link_to_another_host(self):
        elsewhere = self.serve()
        self.paging(kind="link", next="next")
        self.script(answer(page(["e1"], next=elsewhere.url + "/acme/employees?2")))
        self.fails(BAD_DATA, "leaves the server")
        self.assertEqual(elsewhere.requests, [])

    def test_repeated_cursor(self):
        self.script(answer(page(["e1"], next="a")), answer(page(["e2"], next="b")), answer(page(["e3"], next="a")))
        self.fails(BAD_DATA, "endless list: page 3 leads to a, where it has already been")

    def test_cap(self):
        self.server.routes[self.path()] = \
            lambda h, r: answer(page(["e"], next=str(int(r.query.get("cursor", 1)) + 1)))(h, r)
        self.fails(BAD_DATA, "more than 20 pages")
        self.assertEqual(len(self.asked()), 20)

    def test_page_number_that_is_ignored(self):
        self.paging(kind="page", param="page")
        self.script(answer(page(["e1", "e2"])))
        self.fails(BAD_DATA, "page 2 repeats")

    def test_total_differs(self):
        self.script(answer(page(["e1", "e2"], total=3)))
        self.fails(BAD_DATA, "incomplete list: 3 records announced, 2 received")
        self.assertEqual(len(self.asked()), 2) # once more, for lists change while they are read

    def test_list_that_shrinks_while_it_is_read(self):
        self.script(answer(page(["e1", "e2"], next="a", total=4)), answer(page(["e4"], total=3)),
                    answer(page(["e1", "e2"], next="a", total=3)), answer(page(["e4"], total=3)))
        self.succeeds()
        self.assertEqual(len(self.asked()), 4)

    def test_body_beyond_the_limit(self):
        self.source["max_body_bytes"] = 100000
        self.script(answer(page([f"e{n}" for n in range(10000)])))
        self.fails(BAD_DATA, "body of more than 100000 bytes")
        self.assertEqual(len(self.asked()), 1)

    def test_gzip_bomb(self):
        self.source["max_body_bytes"] = 1000000
        self.script(bomb(50000000))
        self.fails(BAD_DATA, "body of more than 1000000 bytes")

    def test_compression_is_offered(self):
        self.script(answer(page(["e1"])))
        self.succeeds()
        self.assertIn("gzip", self.asked()[0].headers["Accept-Encoding"])
        self.assertRegex(self.asked()[0].headers["User-Agent"], r"^alan-etl/\d")

    def test_page_that_is_no_json_is_asked_for_twice(self):
        self.script(answer(b"<html>gateway</html>"), answer(page(["e1"])))
        self.succeeds()
        self.assertEqual(len(self.asked()), 2)


class Spool(FetchTest):
    def test_private(self):
        self.script(answer(page(["e1"])))
        self.succeeds()
        spool, = self.spools()
        self.assertEqual(stat.S_IMODE(spool.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(spool.parent.stat().st_mode), 0o700)

    def test_entity_tags(self):
        self.script(tagged(page(["e1"], next="a"), '"one"'), tagged(page(["e2"]), '"two"'))
        self.server.routes[self.path()] = lambda h, r: (
            tagged(page(["e2"]), '"two"') if r.query else tagged(page(["e1"], next="a"), '"one"'))(h, r)
        self.succeeds("--run-id", "first")
        self.succeeds("--run-id", "second")
        self.assertEqual([r.headers.get("If-None-Match") for r in self.asked()], [None, None, '"one"', '"two"'])
        self.assertEqual(self.frames(), [(1, ["e1"]), (2, ["e2"])])

    def begin_and_stop(self, send, after_requests):
        """Runs extract until the server has seen so many requests, then ends it."""
        process = subprocess.Popen(self.command(), cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while len(self.server.requests) < after_requests and process.poll() is None:
            time.sleep(0.01)
        begun = time.monotonic()
        process.send_signal(send)
        _, stderr = process.communicate(timeout=30)
        return process.returncode, time.monotonic() - begun, stderr

    def test_goes_on_after_a_kill(self):
        def numbered(handler, request):
            n = int(request.query.get("cursor", 1))
            time.sleep(0.1)
            answer(page([f"e{n}"], next=str(n + 1) if n < 10 else None, total=10))(handler, request)
        self.server.routes[self.path()] = numbered
        self.begin_and_stop(signal.SIGKILL, 5)
        self.assertEqual(len(self.frames()), 4)
        with open(self.spools()[0], "ab") as spool:
            spool.write(b'{"request":0,"page":5,"url":"torn')
        self.succeeds()
        self.assertEqual([r.query.get("cursor") for r in self.asked()],
                         [None, "2", "3", "4", "5", "5", "6", "7", "8", "9", "10"])
        self.assertEqual([ids for _, ids in self.frames()], [[f"e{n}"] for n in range(1, 11)])

    def test_cursor_that_has_lapsed_meanwhile(self):
        lapsed = []

        def numbered(handler, request):
            n = int(request.query.get("cursor", "0-1").split("-")[1])
            if lapsed and request.query.get("cursor", "1").startswith("0"):
                status(410)(handler, request)
                return
            time.sleep(0.1)
            answer(page([f"e{n}"], next=f"{len(lapsed)}-{n + 1}" if n < 5 else None))(handler, request)
        self.server.routes[self.path()] = numbered
        self.begin_and_stop(signal.SIGKILL, 3)
        lapsed.append(True)
        self.succeeds()
        self.assertEqual([ids for _, ids in self.frames()][-5:], [[f"e{n}"] for n in range(1, 6)])

    def test_sigterm_ends_it_soon(self):
        self.script(after(20, answer(page(["e1"]))))
        code, seconds, stderr = self.begin_and_stop(signal.SIGTERM, 1)
        self.assertEqual(code, TRY_AGAIN, stderr)
        self.assertLess(seconds, 2)


class Many(FetchTest):
    def test_two_hundred_companies_share_few_connections(self):
        self.companies = [f"c{i:03d}" for i in range(200)]
        self.entities = {name: {} for name in ("employees", "leavers", "others")}
        self.server.otherwise = lambda h, r: after(0.005, answer(page([r.path.replace("/", "-")])))(h, r)
        result = self.succeeds(jobs=16)
        self.assertEqual(len(self.server.requests), 600)
        self.assertEqual(len({r.path for r in self.server.requests}), 600)
        self.assertLessEqual(self.server.connections, 16)
        self.assertLessEqual(self.server.most_active, 16)
        self.assertGreaterEqual(self.server.most_active, 8)
        self.assertLess(result.seconds, 20)

    def test_connections_to_two_hosts_are_kept(self):
        self.companies = [f"c{i:03d}" for i in range(100)]
        other = self.serve()
        self.server.otherwise = lambda h, r: answer(page([r.path.replace("/", "-")]))(h, r)
        other.otherwise = lambda h, r: answer(page([r.path.replace("/", "-") + "-other"]))(h, r)
        self.more_sources = {"other": {"use": str(self.folder / "feed.yaml"), **self.source, "base_url": other.url}}
        self.succeeds(jobs=4)
        self.assertEqual((len(self.server.requests), len(other.requests)), (100, 100))
        self.assertLessEqual(self.server.connections, 4)
        self.assertLessEqual(other.connections, 4)

    def test_parallel_transfers_of_one_source_are_bounded(self):
        self.companies = [f"c{i}" for i in range(20)]
        self.source["max_parallel"] = 3
        self.server.otherwise = after(0.05, answer(page(["e"])))
        self.succeeds(jobs=16)
        self.assertEqual(self.server.most_active, 3)

    def test_requests_per_second(self):
        self.companies = [f"c{i}" for i in range(31)]
        self.source["requests_per_second"] = 20
        self.server.otherwise = answer(page(["e"]))
        self.succeeds(jobs=16)
        times = sorted(r.at for r in self.server.requests)
        self.assertGreaterEqual(times[-1] - times[0], 1.4)
        self.assertLess(times[-1] - times[0], 3)


class Check(FetchTest):
    def test_every_finding_is_told(self):
        self.companies = ["acme", "zenith"]
        self.entities = {"employees": {"paging": {**CURSOR, "size_param": "limit", "size": 50}}, "leavers": {}}
        self.script(answer(page(["e1"], next="a", total=40)))
        self.script(status(403), name="leavers")
        self.script(status(404), company="zenith")
        self.script(answer(b"<html>"), company="zenith", name="leavers")
        result = self.fails(CONFIG, "feed: company acme: employees: ok, 1 of 40 read", "company acme: leavers: GET",
                            "HTTP 403", "company zenith: employees: GET", "HTTP 404", "company zenith: leavers: GET",
                            "expected JSON", check=True)
        self.assertEqual(self.asked()[0].query, {"limit": "1"})
        self.assertEqual(len(self.asked()), 1, "one page is enough")
        self.assertEqual(self.spools(), [])
        self.assertNotIn("ok, 0", result.stderr)

    def extract(self, *args, check=False, **more):
        return super().extract(*args, *(["--check"] if check else []), **more)


if __name__ == "__main__":
    unittest.main()
