"""Answers that are no pages: what extract asks again, for how long, and what it says when it gives up."""
import email.utils
import os
import subprocess
import time
import unittest

from fetching import BAD_DATA, CONFIG, CURSOR, PARTIAL, REFUSED, TRY_AGAIN, UNAVAILABLE, FetchTest
from harness import BIN, PATIENCE, ROOM
from misbehaving_server import (Server, after, answer, bomb, cut_short, huge, length_too_small, nothing, page, raw,
                                reset_in_body, slowly, status)


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

    def test_what_another_answer_left_on_a_connection_is_no_attempt(self):
        """One connection for all: whoever is not the first on it is met with the rest of a body that was too long."""
        self.companies, self.source["retries"] = ["acme", "zenith"], 0
        pages, used = {"1": page(["e1"], next="2"), "2": page(["e2"])}, set()

        def leave(handler, request):
            reply = answer(pages[request.query.get("cursor", "1")])
            (raw(b"rest of a body") if handler.client_address in used else reply)(handler, request)
            used.add(handler.client_address)

        self.server.otherwise = leave
        self.succeeds(jobs=1)
        self.assertEqual([self.frames(company) for company in self.companies], 2 * [[(1, ["e1"]), (2, ["e2"])]])
        self.assertEqual(len(self.server.requests), 1 + 3 * 2)

    def test_what_comes_on_a_connection_of_its_own_is(self):
        self.source["retries"] = 0
        self.script(answer(page(["e1"], next="2")), raw(b"no HTTP"))
        self.fails(UNAVAILABLE, "HTTP/0.9")
        self.assertEqual([r.query.get("cursor") for r in self.asked()], [None, "2", "2"])

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
        self.assertLess(result.seconds, 5 * PATIENCE)

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
        self.assertLess(result.seconds, 6 * PATIENCE)

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
        self.assertLess(result.seconds, 15 * PATIENCE)

    def test_numbers_of_people_are_not_repeated(self):
        self.script(answer({"detail": "nobody has 1 85 01 75 123 456 09"}, 400))
        result = self.fails(CONFIG, "nobody has * ")
        self.assertNotIn("123 456", result.stderr)


class Limits(FetchTest):
    def test_body_beyond_the_limit(self):
        self.source["max_body_bytes"] = 100000
        self.script(answer(page([f"e{n}" for n in range(10000)])))
        self.fails(BAD_DATA, "body of more than 100000 bytes")
        self.assertEqual(len(self.asked()), 1)

    def test_gzip_bomb(self):
        self.source["max_body_bytes"] = 1000000
        self.script(bomb(50000000))
        self.fails(BAD_DATA, "body of more than 1000000 bytes")

    def test_a_hundred_megabytes(self):
        """The limit that holds when none is set; and memory with it."""
        for body in (huge(100 << 20), bomb(100 << 20)):
            self.script(body)
            process = subprocess.Popen(self.command(), cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            stderr = process.stderr.read()
            process.stderr.close()
            _, process.returncode, usage = os.wait4(process.pid, 0)
            self.assertIn("body of more than 67108864 bytes", stderr)
            self.assertEqual(os.waitstatus_to_exitcode(process.returncode), BAD_DATA)
            self.assertLess(usage.ru_maxrss, (200 << 10) * ROOM)   # KiB

    def test_compression_is_offered(self):
        self.script(answer(page(["e1"])))
        self.succeeds()
        self.assertIn("gzip", self.asked()[0].headers["Accept-Encoding"])
        self.assertRegex(self.asked()[0].headers["User-Agent"], r"^alan-etl/\d")

    def test_page_that_is_no_json_is_asked_for_twice(self):
        self.script(answer(b"<html>gateway</html>"), answer(page(["e1"])))
        self.succeeds()
        self.assertEqual(len(self.asked()), 2)


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
