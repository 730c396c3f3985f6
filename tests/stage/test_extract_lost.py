"""extract loses PostgreSQL while it reads what people decided: it reads again on a new connection, or says that it could
not; either way what is staged in the end is what a clean run stages."""
import random
import subprocess
import time
import unittest

import tally
from fetching import CURSOR, OK, TRY_AGAIN, FetchTest
from harness import PATIENCE
from misbehaving_server import answer, page
from pgproxy import Proxy, cut, cut_behind

DECISIONS = """
INSERT INTO payroll.company (company_id, siren) VALUES ('acme', '552008443');
INSERT INTO payroll.link (company_id, member_id, employee_id, note, recorded_by)
SELECT 'acme', 'member-' || n, 'employee-' || n, 'seen on paper', 'marie' FROM generate_series(1, 500) AS n;
"""


class Lost(FetchTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.psql(DECISIONS)

    @classmethod
    def psql(cls, sql):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], env=cls.env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def setUp(self):
        super().setUp()
        self.script(answer(page(["e1", "e2"], as_of="2026-04-27T05:00:00Z")))
        self.entities["employees"]["paging"] = {**CURSOR, "as_of": "as_of"}
        with Proxy(self.env) as proxy:
            self.succeeds("--run-id", "r", PGHOST=proxy.folder)
        self.messages = proxy.messages
        self.clean = self.staged()
        self.assertEqual(self.clean["links-0000.ndjson"].count(b"\n"), 500)

    def lose(self, n, when, action, times=1):
        staging = f"lost-{n}"
        args = ("--staging", str(self.folder / staging), "--run-id", "r")
        with Proxy(self.env, when, action, times) as proxy:
            result = self.extract(*args, PGHOST=proxy.folder)
        self.assertIn(result.status, (OK, TRY_AGAIN), result.stderr)
        if result.status == TRY_AGAIN:
            self.assertIn("connection to the database lost", result.stderr)
            self.succeeds(*args)
        self.assertEqual(self.staged(staging), self.clean)
        return result.status

    def test_at_any_message(self):
        numbers = [message.number for message in self.messages]
        if not tally.FULL:
            numbers = random.Random(tally.SEED).sample(numbers, 6)
        for number in numbers:
            with self.subTest(message=number, seed=tally.SEED):
                self.lose(number, lambda message, at=number: message.number == at, cut)
        tally.count("messages to PostgreSQL cut", len(numbers))

    def test_between_question_and_answer(self):
        self.assertEqual(self.lose(0, lambda m: m.says("JOIN payroll.link"), cut_behind), OK)
        tally.count("faults injected", 1)

    def test_terminated(self):
        def terminate(message):
            self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alan-extract' "
                      "AND datname = current_database()")
        self.assertEqual(self.lose(0, lambda m: m.says("JOIN payroll.dispense"), terminate), OK)
        tally.count("faults injected", 1)

    def test_again_and_again(self):
        self.assertEqual(self.lose(0, lambda m: m.says("JOIN payroll.link"), cut, times=2), TRY_AGAIN)
        tally.count("faults injected", 2)

    def test_it_is_told_while_another_company_waits_for_its_feed(self):
        def slow(handler, request):
            time.sleep(4)
            answer(page(["e3"]))(handler, request)
        self.companies = ["acme", "beta"]
        self.server.routes[self.path("beta")] = slow
        with Proxy(self.env, lambda m: m.says("JOIN payroll.link"), cut, times=2) as proxy:
            result = self.extract("--staging", str(self.folder / "two"), PGHOST=proxy.folder)
        self.assertEqual(result.status, TRY_AGAIN, result.stderr)
        self.assertLess(result.seconds, 2 * PATIENCE)


if __name__ == "__main__":
    unittest.main()
