"""Many companies: connections, transfers and requests are bounded."""
import unittest

from fetching import FetchTest
from harness import PATIENCE
from misbehaving_server import after, answer, page


class Many(FetchTest):
    def test_two_hundred_companies_share_few_connections(self):
        self.companies = [f"c{i:03d}" for i in range(200)]
        self.entities = {name: {} for name in ("employees", "leavers", "others")}
        self.server.otherwise = lambda h, r: after(0.005, answer(page([r.path.replace("/", "-")])))(h, r)
        result = self.succeeds(jobs=None)
        self.assertEqual(len(self.server.requests), 600)
        self.assertEqual(len({r.path for r in self.server.requests}), 600)
        self.assertLessEqual(self.server.connections, 16)
        self.assertLessEqual(self.server.most_active, 16)
        self.assertGreaterEqual(self.server.most_active, 8)
        self.assertLess(result.seconds, 20 * PATIENCE)

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


if __name__ == "__main__":
    unittest.main()
