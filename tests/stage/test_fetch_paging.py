"""Lists in pages: how extract walks through them, and what is no list it believes."""
import json
import unittest

from fetching import BAD_DATA, REFUSED, UNAVAILABLE, FetchTest
from misbehaving_server import after, answer, cut_short, page, status


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
        self.script(answer(page(["e1"]), Link='</acme/employees?after=e1>; rel="next", </x>; rel="last"'),
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
        self.fails(BAD_DATA, "endless list: page 3 leads back to page 2")

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


class Tickets(FetchTest):
    """A server may put a ticket, or the number of whom the page begins with, into what leads to the next one. The server
    and the private spool know it, and nobody else: no message, report, reject nor index."""
    TICKET = "2950199126111"

    def setUp(self):
        super().setUp()
        self.source["retries"] = 0

    def leading_on(self, kind):
        """Page 1 with what leads on."""
        url = f"{self.path()}?ticket={self.TICKET}"
        self.entities["employees"]["paging"] = {"kind": kind, "next": "next", "cap": 20, "total": "total",
                                                **({"param": "cursor"} if kind == "cursor" else {})}
        if kind == "header":
            self.entities["employees"]["paging"].update(kind="link", next="nowhere")
            return answer(page(["e1"], total=2), Link=f'<{url}>; rel="next"')
        return answer(page(["e1"], total=2, next=self.TICKET if kind == "cursor" else url))

    def test_told_to_nobody(self):
        for kind in ("cursor", "link", "header"):
            first = self.leading_on(kind)
            for name, second, expected in (
                    ("refused", status(403), REFUSED), ("down", status(500), UNAVAILABLE),
                    ("late", after(2, status(200)), UNAVAILABLE), ("torn", cut_short(page(["e2"])), UNAVAILABLE),
                    ("no JSON", answer(b"<html>"), BAD_DATA), ("no list", answer({"data": 7}), BAD_DATA),
                    ("a bad record", answer({"data": [{"name": "n"}]}), BAD_DATA), ("leads back", first, BAD_DATA),
                    ("incomplete", answer(page([], total=2)), BAD_DATA)):
                with self.subTest(kind=kind, page=name):
                    self.source["timeout_ms"] = 1000
                    self.server.otherwise = lambda h, r, f=first, s=second: (s if r.query else f)(h, r)
                    self.fails_in_silence(expected, f"{self.server.url}{self.path()}, page 2")

    def fails_in_silence(self, expected, says):
        staging = self.folder / f"staging{len(self.server.requests)}"
        result = self.extract("--staging", str(staging))
        self.assertEqual(result.status, expected, result.stderr)
        self.assertTrue(self.asked()[-1].url.endswith("=" + self.TICKET))
        told = result.stderr + json.dumps(result.report) + "".join(
            path.read_text(encoding="utf-8") for path in staging.rglob("*.ndjson"))
        self.assertNotIn(self.TICKET, told)
        self.assertIn(says, told)


if __name__ == "__main__":
    unittest.main()
