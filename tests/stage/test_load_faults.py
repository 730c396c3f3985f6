"""load when things go wrong around it: locks, signals, lost connections, two at once, other schemas."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from loading import Case, company, entities


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

    def test_a_server_that_comes_late_is_waited_for(self):
        self.stage([(company(), entities())])
        folder = self.path / "late"
        process = subprocess.Popen(self.command(), env={**self.env, "PGHOST": str(folder)}, stdout=subprocess.DEVNULL)
        time.sleep(0.6)
        with Proxy(f"{self.env['PGHOST']}/.s.PGSQL.{self.env['PGPORT']}", folder, survives=None):
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

    def test_connection_lost_at_commit(self):
        """A proxy passes everything on and cuts the line once COMMIT has gone through."""
        self.stage([(company(), entities())])
        for survives in (True, False):
            with Proxy(f"{self.env['PGHOST']}/.s.PGSQL.{self.env['PGPORT']}", self.path / f"proxy{survives}", survives) as proxy:
                result = self.load(PGHOST=str(proxy.folder))
            if survives:
                self.assertEqual(result.status, 0, result.stderr)
                self.assertIn("lost at COMMIT", result.stderr)
                self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "2")
                self.psql("SET client_min_messages = warning; TRUNCATE pipeline.run CASCADE; TRUNCATE payroll.contribution, payroll.discrepancy CASCADE")
            else:
                self.assertEqual(result.status, 75, result.stderr)
                self.assertEqual(self.psql("SELECT count(*) FROM payroll.contribution"), "0")


class Proxy:
    """Between load and the server. Cuts the first connection at COMMIT: after the server has done it (survives true), or instead
    of passing it on (false); None: passes everything on."""

    def __init__(self, server, folder, survives):
        self.server, self.folder, self.survives, self.cut = server, folder, survives, False
        folder.mkdir()

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / os.path.basename(self.server)))
        self.listener.listen()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self.back, args=(server, client), daemon=True).start()

    def forward(self, client, server):
        while data := client.recv(1 << 16):
            if data.startswith(b"Q") and b"COMMIT;" in data[:16] and not self.cut and self.survives is not None:
                self.cut = True
                if self.survives:
                    server.sendall(data)
                    time.sleep(0.5)
                client.shutdown(socket.SHUT_RDWR)
                server.shutdown(socket.SHUT_RDWR)
                return
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def back(self, server, client):
        first = not self.cut
        try:
            while data := server.recv(1 << 16):
                if self.cut and first:
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


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
        subprocess.run(["createdb", self.database + "_b"], env=self.base_env, check=True)
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
