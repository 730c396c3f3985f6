"""One company's list fails in the middle, in every way that a network and a server know, while its neighbours are well.
A fault that passes leaves no trace in what is staged; one that lasts fails that company alone, with a message that
names the source, the company, the URL and the reason, and the same command later stages what a clean run does."""
import concurrent.futures
import email.utils
import json
import re
import time
import typing
import unittest

import tally
from fetching import BAD_DATA, CONFIG, OK, PARTIAL, REFUSED, TRY_AGAIN, UNAVAILABLE, FetchTest
from misbehaving_server import (answer, bomb, cut_short, huge, length_too_small, nothing, page, raw,
                                reset_in_body, slowly, status)

SECRET = "s3cr3t-of-everybody"
PAGES, BAD_PAGE = 3, 2
HEAD = b"HTTP/1.1 200 OK\r\n"


class Fault(typing.NamedTuple):
    lasting: typing.Callable                       # what answers on the bad page
    status: int                                    # of a run that asks nobody but this company
    says: str                                      # why, a regular expression
    once: typing.Optional[typing.Callable] = None  # where an answer that passes is another one
    passes: bool = True                            # when it happens once


def content(company, n, **more):
    """Page n of a company's list. The feed says what time it is, so that two runs stage the same bytes."""
    following = {"next": str(n + 1) if n < PAGES else None, "total": 2 * PAGES, "as_of": "2026-04-27T05:00:00Z"}
    return page([f"{company}-{n}-a", f"{company}-{n}-b"], **{**following, **more})


def by_company(broken):
    """An answer made of the true page."""
    return lambda handler, request: broken(content(request.path.split("/")[1], BAD_PAGE))(handler, request)


def changed(**more):
    """The true page with another end."""
    return by_company(lambda body: answer({**body, **more}))


def date_in(seconds):
    return lambda handler, request: email.utils.formatdate(time.time() + seconds, usegmt=True)


def told_when(code, seconds):
    return lambda handler, request: status(code, Retry_After=date_in(seconds)(handler, request))(handler, request)


ANSWERS = {
    "slow-down-seconds": Fault(status(429, Retry_After="3600"), TRY_AGAIN, "HTTP 429", status(429, Retry_After="1")),
    "slow-down-date": Fault(told_when(429, 3600), TRY_AGAIN, "HTTP 429", told_when(429, 2)),
    "error-500": Fault(status(500), UNAVAILABLE, "HTTP 500 after 2 attempts: status 500"),
    "error-502": Fault(answer(b"<html>Bad Gateway</html>", 502), UNAVAILABLE, "HTTP 502 after 2 attempts"),
    "error-503": Fault(status(503), UNAVAILABLE, "HTTP 503 after 2 attempts"),
    "error-503-date": Fault(told_when(503, 3600), UNAVAILABLE, "HTTP 503", told_when(503, 2)),
}

BODIES = {
    "truncated": Fault(by_company(cut_short), UNAVAILABLE, r"\d+ bytes remaining to read after 2 attempts"),
    "length-too-small": Fault(by_company(length_too_small), BAD_DATA, "malformed_json"),
    "reset": Fault(by_company(reset_in_body), UNAVAILABLE, "after 2 attempts"),
    "hung-up": Fault(nothing, UNAVAILABLE, "Empty reply from server after 2 attempts"),
    "chunk-cut": Fault(raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\n{\"data\": ["), UNAVAILABLE,
                       "after 2 attempts"),
    "chunk-garbage": Fault(raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), UNAVAILABLE, "after 2 attempts"),
    "gzip-garbage": Fault(answer(b"\x1f\x8b\x08 no deflate", Content_Encoding="gzip"), UNAVAILABLE, "after 2 attempts"),
}

MASSES = {
    "drip": Fault(by_company(lambda body: slowly(body, 40, 0.1)), UNAVAILABLE, r"timed out.* after 2 attempts"),
    "silence": Fault(lambda h, r: time.sleep(3), UNAVAILABLE, r"timed out.* after 2 attempts"),
    "gzip-bomb": Fault(bomb(50_000_000), BAD_DATA, "body of more than 1000000 bytes", passes=False),
    "huge": Fault(huge(100 << 20), BAD_DATA, "body of more than 1000000 bytes", passes=False),
    "giant-header": Fault(raw(HEAD, b"X-Giant: " + b"x" * (8 << 20), b"\r\n\r\n{}"), TRY_AGAIN,
                          "a header line of more than 100 kB", passes=False),
    "header-flood": Fault(raw(HEAD, *[b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(20000)], b"\r\n{}"),
                          UNAVAILABLE, "Too large response headers.* after 2 attempts"),
}

LISTS = {
    "repeated-cursor": Fault(changed(next="2"), BAD_DATA, "endless list: page 2 leads back to page 2", passes=False),
    "endless": Fault(lambda h, r: changed(next=str(int(r.query["cursor"]) + 1))(h, r), BAD_DATA, "more than 20 pages",
                     passes=False),
    "shrinks": Fault(changed(total=7), BAD_DATA, "the announced total went from 6 to 7 while it was read"),
    "ends-early": Fault(changed(next=None), BAD_DATA, "incomplete list: 6 records announced, 4 received"),
    "no-json": Fault(answer(b"<html>please log in</html>"), BAD_DATA, "malformed_json"),
    "elsewhere": Fault(lambda h, r: status(302, Location="https://elsewhere.invalid/x?token=" + SECRET)(h, r), CONFIG,
                       "HTTP 302, a redirect to https://elsewhere.invalid/x, which is not followed", passes=False),
    "revoked": Fault(status(401), REFUSED, "HTTP 401", passes=False),
}


class Faults:
    """The faults of one table; each is a company, between two that are well."""

    def setUp(self):
        super().setUp()
        self.companies = ["acme", *self.table, "zenith"]
        self.entities["employees"]["paging"] = {"kind": "cursor", "param": "cursor", "next": "next", "cap": 20,
                                                "total": "total", "as_of": "as_of"}
        self.source.update(timeout_ms=1500, deadline_ms=30000, retries=1, max_body_bytes=1_000_000,
                           auth={"kind": "bearer", "token": SECRET})
        self.server.otherwise = self.answer
        self.left = {}   # company: how many of its answers will be bad

    def answer(self, handler, request):
        company, n = request.path.split("/")[1], int(request.query.get("cursor", 1))
        if n >= BAD_PAGE and self.left.get(company, 0) > 0:
            self.left[company] -= 1
            fault = self.table[company]
            (fault.once or fault.lasting if self.passing else fault.lasting)(handler, request)
        else:
            answer(content(company, n))(handler, request)

    def run_with(self, passing, left, *args, staging="faulty"):
        self.passing, self.left = passing, dict(left)
        result = self.extract("--staging", str(self.folder / staging), "--run-id", "r", *args)
        self.assertNotIn(SECRET, result.stderr + json.dumps(result.report))
        self.assertEqual({r.headers["Authorization"] for r in self.server.requests}, {"Bearer " + SECRET})
        return result

    def companies_of(self, staging):
        index = self.staged(staging)["companies.ndjson"].decode().splitlines()
        return {one["company_id"]: one["status"] for one in map(json.loads, index)}

    def test_that_pass(self):
        table = {name: fault for name, fault in self.table.items() if fault.passes}
        companies = [arg for name in ("acme", *table, "zenith") for arg in ("--company", name)]
        self.assertEqual(self.run_with(True, {}, *companies, staging="clean").status, OK)
        result = self.run_with(True, dict.fromkeys(table, 1), *companies)
        self.assertEqual(result.status, OK, result.stderr)
        self.assertEqual(set(self.left.values()), {0})
        self.assertEqual(self.staged("faulty"), self.staged("clean"))
        tally.count("network faults that pass", len(table))

    def reason(self, name, stderr):
        where = re.escape(f"{self.server.url}/{name}/employees")
        return next((line for line in stderr.splitlines()
                     if re.search(rf"company {name}: .*{where}.*{self.table[name].says}", line)), None)

    def test_that_last(self):
        """All at once. What cannot be read as JSON is told as a reject, and stops the run by its own rule."""
        self.assertEqual(self.run_with(False, {}, staging="clean").status, OK)
        table = [name for name, fault in self.table.items() if fault.says != "malformed_json"]
        companies = [arg for name in ("acme", *table, "zenith") for arg in ("--company", name)]
        result = self.run_with(False, dict.fromkeys(table, 1000), *companies)
        self.assertEqual(result.status, PARTIAL, result.stderr)
        self.assertEqual(self.companies_of("faulty"), {"acme": "ok", **dict.fromkeys(table, "failed"), "zenith": "ok"})
        for name in table:
            self.assertTrue(self.reason(name, result.stderr), f"{name}: {result.stderr}")
        well = [json.loads(line)["employee_id"] for line in self.staged("faulty")["employees-0000.ndjson"].splitlines()]
        self.assertEqual(well, [f"{c}-{n}-{x}" for c in ("acme", "zenith") for n in range(1, PAGES + 1) for x in "ab"])
        self.assertEqual(self.run_with(False, {}).status, OK)
        self.assertEqual(self.staged("faulty"), self.staged("clean"))

    def test_alone(self):
        """The exit status of each."""
        self.configure()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.passing, self.left = False, dict.fromkeys(self.table, 1000)
            outcomes = dict(zip(self.table, pool.map(self.alone, self.table)))
        for name, result in outcomes.items():
            with self.subTest(fault=name):
                self.assertEqual(result.status, self.table[name].status, result.stderr)
                self.assertRegex(result.stderr, self.table[name].says)
                self.assertNotIn(SECRET, result.stderr + json.dumps(result.report))
                self.assertEqual(result.report["status"], "failed")
        tally.count("network faults that last", len(self.table))

    def alone(self, name):
        staging = str(self.folder / f"alone-{name}")
        return self.extract("--staging", staging, "--company", name, config=self.folder / "pipeline.yaml")


class Answers(Faults, FetchTest):
    table = ANSWERS


class Bodies(Faults, FetchTest):
    table = BODIES


class Masses(Faults, FetchTest):
    table = MASSES


class Lists(Faults, FetchTest):
    table = LISTS


if __name__ == "__main__":
    unittest.main()
