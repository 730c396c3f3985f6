"""What was fetched is kept: spools continued after a kill, pages that have not changed."""
import signal
import stat
import subprocess
import time
import unittest

from fetching import TRY_AGAIN, FetchTest
from harness import PATIENCE
from misbehaving_server import after, answer, page, status, tagged


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
        process = subprocess.Popen(self.command(), cwd=self.folder, env=self.env, stdout=subprocess.PIPE,
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
        self.assertLess(seconds, 2 * PATIENCE)


if __name__ == "__main__":
    unittest.main()
