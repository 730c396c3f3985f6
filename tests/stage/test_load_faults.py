"""load when things go wrong around it: locks, signals, lost connections, two at once, other schemas."""
import json
import signal
import subprocess
import threading
import time
import unittest

from harness import create_database
from loading import Case, company, entities
from pgproxy import Proxy


class Interruptions(Case):
    def blocker(self):
        """Another load of the same company, as far as the database can tell."""
        process = subprocess.Popen(["psql", "-Xq"], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write("BEGIN; SELECT 'locked' FROM payroll.company FOR UPDATE;\n")
        process.stdin.flush()
        while "locked" not in process.stdout.readline():
            pass
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.stdin.close()
        process.wait()
        process.stdout.close()

    def test_a_second_load_waits_and_then_gives_up(self):
        self.stage([(company(), entities())])
        self.must()
        self.blocker()
        result = self.refused(75, "lock", PGOPTIONS="-c lock_timeout=300ms")
        self.assertEqual(result.report["status"], "failed")

    def test_a_second_load_goes_on_when_the_first_is_done(self):
        self.stage([(company(), entities())])
        self.must()
        blocker = self.blocker()
        threading.Timer(0.5, blocker.stdin.write, ["COMMIT;\n"]).start()
        threading.Timer(0.6, blocker.stdin.flush).start()
        self.must()

    def test_a_signal_cancels_and_rolls_back(self):
        self.stage([(company(), entities())])
        self.must()
        self.blocker()
        process = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while self.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'alan-load' "
                        "AND datname = current_database()") == "0":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 75)
        self.assertEqual(json.loads(out)["status"], "failed")
        self.assertEqual(self.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'alan-load' "
                                   "AND datname = current_database()"), "0")

    def test_a_server_that_goes_away_is_told_from_a_fault(self):
        self.stage([(company(), entities())])
        self.must()
        self.blocker()
        process = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while "t" not in self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                   "AND application_name = 'alan-load' AND datname = current_database()"):
            time.sleep(0.05)
        self.assertIn("load/company_lock.sql", process.communicate(timeout=20)[1])
        self.assertEqual(process.returncode, 75)

    def test_a_check_that_cannot_be_made_is_what_is_told(self):
        """Not what follows from it: that the transaction is aborted."""
        self.stage([(company(), entities())])
        for name in ("loaded", "portability"):
            self.psql("CREATE OR REPLACE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN "
                      f"IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity ~ '[.]{name}$') "
                      "THEN RAISE numeric_value_out_of_range; END IF; END$$; "
                      "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE VIEW') "
                      "EXECUTE FUNCTION public.refuse()")
            with self.subTest(name):
                self.refused(65, f"load/{name}.sql: a value was refused (SQLSTATE 22003)")
            self.psql("DROP EVENT TRIGGER refuse")
        self.must()

    def test_a_server_that_comes_late_is_waited_for(self):
        self.stage([(company(), entities())])
        proxy = Proxy(self.env)
        process = subprocess.Popen(self.command(), env={**self.env, "PGHOST": proxy.folder}, stdout=subprocess.DEVNULL)
        time.sleep(0.6)
        with proxy:
            self.assertEqual(process.wait(timeout=30), 0)

    def test_killed_and_run_again_gives_the_same(self):
        self.stage([(company(), entities())])
        self.must()
        wanted = self.contents()
        self.psql("SET client_min_messages = warning; TRUNCATE pipeline.run CASCADE; TRUNCATE payroll.contribution, payroll.discrepancy CASCADE")
        self.blocker_then_kill()
        self.must()
        self.assertEqual(self.contents(), wanted)

    def blocker_then_kill(self):
        blocker = self.blocker()
        process = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        process.kill()
        process.wait()
        self.end(blocker)


class Migrations(Case):
    def test_again_changes_nothing(self):
        before = self.rows("SELECT * FROM pipeline.migration ORDER BY version")
        report = self.must("--migrate")
        self.assertEqual((report["migrations"], report["codes_changed"]), ([], 0))
        self.assertEqual(self.rows("SELECT * FROM pipeline.migration ORDER BY version"), before)

    def test_the_catalogue_is_put_right(self):
        self.psql("UPDATE payroll.discrepancy_code SET severity = 'info', title_fr = '' WHERE code = 'nir_mismatch'")
        self.assertEqual(self.must("--migrate")["codes_changed"], 1)
        self.assertEqual(self.psql("SELECT severity FROM payroll.discrepancy_code WHERE code = 'nir_mismatch'"), "error")

    def test_two_at_once(self):
        create_database(self.base_env, self.database + "_b")
        self.addCleanup(subprocess.run, ["dropdb", "--force", self.database + "_b"], env=self.base_env, check=True)
        env = {**self.env, "PGDATABASE": self.database + "_b"}
        both = [subprocess.Popen(self.command("--migrate"), env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                for _ in range(2)]
        reports = [json.loads(process.communicate(timeout=60)[0]) for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0])
        self.assertEqual(sorted(bool(report["migrations"]) for report in reports), [False, True])

    def test_a_loader_needs_no_more_than_its_role(self):
        self.psql("DO $$BEGIN CREATE ROLE load_test_loader LOGIN IN ROLE payroll_loader; "
                  "EXCEPTION WHEN duplicate_object THEN NULL; END$$")
        self.stage([(company(), entities())])
        self.must(PGUSER="load_test_loader")
        self.stage([(company(), {**entities(), "discrepancies": []})])
        self.assertEqual(self.must(PGUSER="load_test_loader")["discrepancies"]["resolved"], 1)


if __name__ == "__main__":
    unittest.main()
