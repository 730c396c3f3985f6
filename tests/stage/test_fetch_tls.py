"""Whom extract talks to: certificates, protocols, proxies."""
import unittest

from fetching import BAD_DATA, CONFIG, REFUSED, FetchTest
from misbehaving_server import answer, certificate, page


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

    def test_link_may_not_lead_to_a_file(self):
        self.entities["employees"]["paging"] = {"kind": "link", "next": "next", "cap": 5}
        self.script(answer(page(["e1"], next="file:///etc/passwd")))
        self.fails(BAD_DATA, "leaves the server")


if __name__ == "__main__":
    unittest.main()
