"""load loses its connection: at any message, by the network, the administrator or a crash. Either all of the run is in
the database or nothing of it, the exit status says which, and the same command again ends where one clean run does."""
import random
import signal
import subprocess
import time
import unittest

import tally
from harness import PATIENCE
from loading import company, control, entities
from losing import OK, TRY_AGAIN, Lost
from pgproxy import Cut, Proxy, cut, cut_behind

class LineCut(Lost):
    def cut_everywhere(self, night):
        numbers = [message.number for message in self.prepare(night) if message.kind not in ("B", "D", "E")]
        if not tally.FULL:
            numbers = random.Random(tally.SEED + night).sample(numbers, 3)
        for number in numbers:
            with self.subTest(night=night, message=number, seed=tally.SEED):
                self.lose(lambda message, at=number: message.number == at, cut)
        tally.count("messages to PostgreSQL cut", len(numbers))

    def test_first_night(self):
        self.cut_everywhere(1)

    def test_second_night(self):
        self.cut_everywhere(2)

    def test_in_the_middle_of_copy(self):
        self.prepare(1)
        result = self.lose(lambda m: m.kind == "d" and b"inv1" in m.data, cut)
        self.assertEqual(result.status, TRY_AGAIN)
        tally.count("faults injected", 1)

    def test_commit_that_never_arrives(self):
        self.prepare(2)
        result = self.lose(lambda m: m.says("COMMIT;"), cut)
        self.assertEqual(result.status, TRY_AGAIN)
        self.assertIn("is not in the database: run load again", result.stderr)
        tally.count("faults injected", 1)

    def test_commit_whose_answer_never_arrives(self):
        self.prepare(2)
        result = self.lose(lambda m: m.says("COMMIT;"), cut_behind)
        self.assertEqual(result.status, OK)
        self.assertIn("connection lost at COMMIT: looking up whether run run2 was published", result.stderr)
        tally.count("faults injected", 1)


    def test_server_that_is_gone_from_commit_on(self):
        """It cannot be told whether the run was published; a signal ends the waiting for the server."""
        self.prepare(2)
        self.restore()

        def go_away(message):
            proxy.go_away()
            raise Cut()
        with Proxy(self.env, lambda m: m.says("COMMIT;"), go_away) as proxy:
            load = subprocess.Popen(self.command(), env={**self.env, "PGHOST": proxy.folder}, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True)
            for line in load.stderr:
                if "looking up whether run run2 was published" in line:
                    load.send_signal(signal.SIGTERM)
                    begun = time.monotonic()
            load.stderr.close()
            self.assertEqual(load.wait(), TRY_AGAIN)
        self.assertLess(time.monotonic() - begun, 2 * PATIENCE)
        self.assertIn("it is not known whether run run2 was published: run load again", line)
        self.assertEqual(self.every_row(), self.before)
        self.assertTrue(self.must()["changed"])
        self.assertEqual(self.every_row(), self.after)
        tally.count("faults injected", 1)


    def test_commit_of_a_run_that_was_there_before(self):
        """An earlier run, loaded again behind one that found the same: all there is to write is who saw it last."""
        for _ in range(2):
            self.stage([(company(), entities())])
            self.must()
        before = self.every_row()
        with Proxy(self.env, lambda m: m.says("COMMIT;"), cut) as proxy:
            result = self.load("--run-id", "run1", PGHOST=proxy.folder)
        self.assertEqual(self.every_row(), before)
        self.assertEqual(result.status, TRY_AGAIN, result.stderr)
        self.must("--run-id", "run1")
        self.assertNotEqual(self.every_row(), before)
        tally.count("faults injected", 1)


class OtherCommands(Lost):
    """What load does besides loading."""

    def test_migrate(self):
        wanted, whole = self.every_row(), self.database
        self.env["PGDATABASE"] = self.database + "_m"
        numbers = list(range(60))
        if not tally.FULL:
            numbers = random.Random(tally.SEED).sample(numbers, 3)
        for number in numbers:
            with self.subTest(message=number, seed=tally.SEED):
                subprocess.run(["dropdb", "--if-exists", self.env["PGDATABASE"]], env=self.base_env, check=True,
                               stderr=subprocess.DEVNULL)
                self.copy_database("template0", self.env["PGDATABASE"])
                with Proxy(self.env, lambda m, at=number: m.number == at, cut) as proxy:
                    result = self.load("--migrate", PGHOST=proxy.folder)
                self.assertIn(result.status, (OK, TRY_AGAIN), result.stderr)
                self.must("--migrate")
                self.assertEqual(self.every_row(), wanted)
        self.env["PGDATABASE"] = whole
        tally.count("messages to PostgreSQL cut", len(numbers))

    def test_close(self):
        """The month is closed or open, and closed once."""
        data = entities()
        data["contributions"], data["invoice_controls"] = data["contributions"][:1], [control(11710)]
        data["invoices"][0]["total_cents"] = 11710
        self.stage([(company(), data)])
        self.must()
        close = ("--close", "--company", "acme")
        for action in (cut, cut_behind):
            with Proxy(self.env, lambda m: m.says("payroll.close_period_at"), action) as proxy:
                result = self.load(*close, PGHOST=proxy.folder)
            self.assertEqual(result.status, TRY_AGAIN, result.stderr)
            self.assertEqual(len(self.must(*close)["closed"]), 1)
            self.assertEqual(self.psql("SELECT payroll.verify_period('acme', '2026-04-01')"), "ok")
            self.must("--reopen", "--company", "acme", "--note", "x")
        self.assertEqual(self.psql("SELECT string_agg(event, ' ' ORDER BY event_id) FROM payroll.period_event"),
                         "closed reopened closed reopened")
        tally.count("faults injected", 2)


class Terminated(Lost):
    """pg_terminate_backend while load sends and while it merges."""

    def terminate(self, message):
        self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alan-load' "
                  "AND datname = current_database()")
        time.sleep(0.1)

    def test_in_copy_and_in_merge(self):
        self.prepare(2)
        for when in (lambda m: m.kind == "d" and b"inv1" in m.data,
                     lambda m: m.says("DELETE FROM payroll.contribution")):
            self.assertEqual(self.lose(when, self.terminate).status, TRY_AGAIN)
        tally.count("faults injected", 2)


if __name__ == "__main__":
    unittest.main()
