"""Whom extract talks to: certificates, protocols, proxies."""
import pathlib
import ssl
import tempfile
import unittest

from fetching import BAD_DATA, CONFIG, REFUSED, UNAVAILABLE, FetchTest
from misbehaving_server import answer, certificate, page, status


class Tls(FetchTest):
    SECRET = "s3cr3t-for-the-true-server"

    def setUp(self):
        super().setUp()
        self.serve_as("localhost")
        self.source["auth"] = {"kind": "bearer", "token": self.SECRET}

    def serve_as(self, host, newest_tls=ssl.TLSVersion.TLSv1_3, **validity):
        """A server with a certificate for host, which is reached under its right name; trusted once ca_file says so."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "tls"
        key, self.crt = certificate(folder, host, **validity)
        self.server = self.serve(key, newest_tls)
        self.server.otherwise = answer(page(["e1"]))
        self.source["base_url"] = self.server.url.replace("127.0.0.1", "localhost")

    def refuses(self, status, *says):
        """Before anything was asked: no credential has left."""
        result = self.fails(status, "feed: company acme: employees: GET " + self.source["base_url"], *says)
        self.assertEqual(self.server.requests, [])
        self.assertNotIn(self.SECRET, result.stderr)

    def test_self_signed_is_refused(self):
        self.refuses(REFUSED, "self-signed certificate")

    def test_own_authority(self):
        self.source["ca_file"] = self.crt
        self.succeeds()
        self.assertEqual(self.asked()[0].headers["Authorization"], "Bearer " + self.SECRET)

    def test_wrong_host_name_is_refused(self):
        for host in ("elsewhere.example", "localhost.evil.example"):
            self.serve_as(host)
            self.source["ca_file"] = self.crt
            self.refuses(REFUSED, "localhost")

    def test_wrong_address_is_refused(self):
        self.source.update(base_url=self.server.url, ca_file=self.crt)
        self.refuses(REFUSED, "127.0.0.1")

    def test_expired_is_refused(self):
        self.serve_as("localhost", ends="20210101000000Z")
        self.source["ca_file"] = self.crt
        self.refuses(REFUSED, "certificate has expired")

    def test_not_yet_valid_is_refused(self):
        self.serve_as("localhost", begins="20480101000000Z")
        self.source["ca_file"] = self.crt
        self.refuses(REFUSED, "certificate is not yet valid")

    def test_tls_that_is_too_old_is_refused(self):
        self.serve_as("localhost", ssl.TLSVersion.TLSv1_1)
        self.source.update(ca_file=self.crt, retries=0)
        self.refuses(UNAVAILABLE, "protocol")

    def test_no_such_authority(self):
        self.source["ca_file"] = str(self.folder / "none.pem")
        self.fails(CONFIG)

    def test_nothing_turns_the_check_off(self):
        self.source["insecure_http"] = True
        self.refuses(REFUSED, "self-signed certificate")
        trusting = self.folder / ".curlrc"
        trusting.write_text("insecure\n", encoding="utf-8")
        result = self.extract(HOME=str(self.folder), CURL_HOME=str(self.folder), CURL_CA_BUNDLE=self.crt)
        self.assertEqual((result.status, self.server.requests), (REFUSED, []), result.stderr)
        keys = ("verify", "insecure", "insecure_https", "ssl_verify", "verify_peer")
        self.source.update(dict.fromkeys(keys, False))
        self.fails(CONFIG, *(f"unknown key {key};" for key in keys))

    def test_a_plain_server_behind_https(self):
        plain = self.serve()
        self.source.update(base_url=plain.url.replace("http://127.0.0.1", "https://localhost"), retries=0)
        self.fails(UNAVAILABLE, "SSL")
        self.assertEqual(plain.requests, [])

    def test_a_redirect_to_plain_http_is_not_followed(self):
        plain = self.serve()
        plain.otherwise = answer(page(["e1"]))
        self.source["ca_file"] = self.crt
        self.server.otherwise = status(302, Location=plain.url + "/acme/employees")
        self.fails(CONFIG, f"HTTP 302, a redirect to {plain.url}/acme/employees, which is not followed")
        self.assertEqual(plain.requests, [])

    def test_a_link_to_plain_http_is_not_followed(self):
        plain = self.serve()
        self.source["ca_file"] = self.crt
        self.entities["employees"]["paging"] = {"kind": "link", "next": "next", "cap": 5}
        port = self.server.server_port
        for link in (plain.url + "/acme/employees?2", f"http://localhost:{port}/acme/employees?2"):
            self.server.otherwise = answer(page(["e1"], next=link))
            self.fails(BAD_DATA, "the link to the next page leaves the server")
        self.assertEqual(plain.requests, [])


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
