"""HTTP/2 against nghttpd: the lists of many companies are streams of one connection."""
import json
import re
import subprocess
import unittest

from fetching import FetchTest
from misbehaving_server import certificate, page


class Http2(FetchTest):
    def setUp(self):
        super().setUp()
        key, crt = certificate(self.folder / "certificate", "localhost")
        self.pages, self.log = self.folder / "pages", self.folder / "nghttpd.log"
        self.companies = [f"c{i:03d}" for i in range(40)]
        for company in self.companies:
            (self.pages / company).mkdir(parents=True)
            (self.pages / company / "employees").write_text(json.dumps(page([f"{company}-e1"])))
        self.source.update(base_url=f"https://localhost:{self.serve_http2(key, crt)}", ca_file=crt)

    def serve_http2(self, key, crt):
        """A port that the kernel chose is free at once again; somebody else would have to take it just now."""
        port = self.serve_nothing()
        out = self.enterContext(open(self.log, "wb"))
        server = subprocess.Popen(["nghttpd", "--verbose", "--address=127.0.0.1", f"--htdocs={self.pages}", str(port),
                                   key, crt], stdout=out, stderr=subprocess.STDOUT)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return port

    def serve_nothing(self):
        server = self.serve()
        port = server.server_port
        server.stop()
        return port

    def test_one_connection_carries_all_lists(self):
        self.source["retries"] = 5  # nghttpd may still be starting
        self.succeeds(jobs=16)
        frames = [frame for company in self.companies for frame in self.frames(company)]
        self.assertEqual(frames, [(1, [f"{company}-e1"]) for company in self.companies])
        said = self.log.read_text(encoding="utf-8", errors="replace")
        opened = set(re.findall(r"\[id=(\d+)\]", said))
        self.assertEqual(said.count(":path: /c"), 40, said[-2000:])
        self.assertLessEqual(len(opened), 2, "connections")


if __name__ == "__main__":
    unittest.main()
