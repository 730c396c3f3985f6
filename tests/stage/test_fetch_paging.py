"""Lists in pages: how extract walks through them, and what is no list it believes."""
import unittest

from fetching import BAD_DATA, FetchTest
from misbehaving_server import answer, page


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


if __name__ == "__main__":
    unittest.main()
