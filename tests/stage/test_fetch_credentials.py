"""Keys and tokens: where they go, where they never go, and how they are renewed."""
import time
import unittest

from fetching import CONFIG, REFUSED, FetchTest
from misbehaving_server import after, answer, page, status


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


if __name__ == "__main__":
    unittest.main()
