"""load against a server in trouble, on a cluster that is crashed, filled up and configured otherwise: the exit status
of the contract, a message that names what happened, and a rerun that ends where one clean run does."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import tally
from harness import own_cluster, start_cluster
from loading import Case, company, contribution, control, entities
from losing import OK, TRY_AGAIN, Lost
from pgproxy import Cut, Proxy

CANNOT_CREATE, REFUSED, CONFIG = 73, 77, 78


class OwnCluster(Case):
    @staticmethod
    def cluster():
        return own_cluster()[1]

    @property
    def home(self):
        """The cluster's own folder, as its owner sees it."""
        return (own_cluster()[0] / "pg").resolve()

    def as_owner(self, *command, **more):
        """Runs a command as the user that the server runs as."""
        owner = self.home.owner()
        prefix = ("runuser", "-u", owner, "--") if os.getuid() == 0 else ()
        return subprocess.run([*prefix, *command], check=True, cwd="/", **more)


class Crash(Lost, OwnCluster):
    """pg_ctl stop -m immediate, and a start that has to recover."""

    def crash(self):
        """What pg_ctl -m immediate sends, and its wait."""
        pid = int((self.home / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        os.kill(pid, signal.SIGQUIT)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.02)

    def crash_and_restart(self):
        self.crash()
        self.restart()

    def restart(self):
        start_cluster(own_cluster()[0])

    def meanwhile(self, what):
        self.meanwhile_thread = threading.Thread(target=what)
        self.meanwhile_thread.start()

    def heal(self):
        self.meanwhile_thread.join()

    def at_once(self, message):
        self.meanwhile(self.crash_and_restart)
        self.heal()

    def check(self, when, action, status):
        self.prepare(2)
        self.addCleanup(self.restart)
        result = self.lose(when, action)
        self.assertEqual(result.status, status, result.stderr)
        tally.count("faults injected", 1)

    def test_in_merge(self):
        self.check(lambda m: m.says("DELETE FROM payroll.contribution"), self.at_once, TRY_AGAIN)

    def test_behind_commit(self):
        """The server has committed and falls over before load hears of it; load finds out once it is back."""
        def fall_over():
            while self.psql("SELECT 1 FROM pipeline.run WHERE run_id = 'run2'") != "1":
                time.sleep(0.02)
            self.crash_and_restart()

        def pass_on(message):
            self.meanwhile(fall_over)
            raise Cut(passed=True)

        self.check(lambda m: m.says("COMMIT;"), pass_on, OK)


class DiskFull(OwnCluster):
    """The database lies in a tablespace with room for little more than itself: a small tmpfs where this user may mount
    one; elsewhere a trigger says what the server would."""
    LINES = 6000

    def big(self):
        data = entities()
        data["contributions"] = [contribution(f"line-{n:06}", 11710, 7026) for n in range(self.LINES)]
        data["invoice_controls"] = [control(11710 * self.LINES, line_count=self.LINES)]
        data["invoices"][0].update(total_cents=11710 * self.LINES, line_count=self.LINES)
        return data

    def mount(self, size, how="mode=0700"):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},{how}", "none", self.small],
                              stderr=subprocess.DEVNULL).returncode == 0

    def limit(self):
        """Puts the database on a disk that is as good as full; gives back what makes room."""
        self.small = self.home / "small"
        self.as_owner("mkdir", "-p", self.small)
        owner = self.small.stat()
        if not self.mount("64m", f"mode=0700,uid={owner.st_uid},gid={owner.st_gid}"):
            return self.limit_by_trigger()
        self.addCleanup(subprocess.run, ["umount", self.small], check=True)
        admin = {**self.env, "PGDATABASE": "postgres"}

        def sql(text):
            subprocess.run(["psql", "-Xq", "-c", text], env=admin, check=True)
        sql(f"CREATE TABLESPACE small LOCATION '{self.small}'")
        self.addCleanup(sql, "DROP TABLESPACE small")
        sql(f"ALTER DATABASE {self.database} SET TABLESPACE small")
        self.addCleanup(subprocess.run, ["dropdb", "--force", self.database], env=admin, check=True)
        used = shutil.disk_usage(self.small).used
        self.assertTrue(self.mount(used + (512 << 10), "remount"))
        self.how = "disk full on a small tmpfs"
        return lambda: self.assertTrue(self.mount("256m", "remount"))

    def limit_by_trigger(self):
        self.psql("CREATE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION "
                  "'could not extend file: No space left on device' USING ERRCODE = '53100'; END$$")
        self.psql("CREATE TRIGGER full_up BEFORE INSERT ON payroll.contribution EXECUTE FUNCTION full_up()")
        self.how = "disk full as a trigger says it"
        return lambda: self.psql("DROP FUNCTION full_up CASCADE")

    def test_disk_full(self):
        self.stage([(company(), entities())])
        self.must()
        before = self.every_row()
        make_room = self.limit()
        self.stage([(company(), self.big())])
        for _ in range(2):
            result = self.refused(CANNOT_CREATE, "No space left on device", "SQLSTATE 53100")
            self.assertEqual(result.report["status"], "failed")
            self.assertEqual(self.every_row(), before)
        make_room()
        self.assertTrue(self.must()["changed"])
        self.assertEqual(self.psql("SELECT count(*), sum(amount_cents) FROM payroll.contribution"),
                         f"{self.LINES}|{self.LINES * 11710}")
        self.assertFalse(self.must()["changed"])
        tally.count(self.how, 2)


class SecondNight(OwnCluster):
    """A run that is to change what an earlier one loaded."""

    def setUp(self):
        super().setUp()
        self.stage([(company(), entities())])
        self.must()
        self.stage([(company(), {**entities(), "discrepancies": []})])
        self.before = self.every_version()


class ReadOnly(SecondNight):
    def refused_everywhere(self, *says, **env):
        for args in ([], ["--migrate"], ["--close"], ["--reopen", "--note", "x"]):
            with self.subTest(args=args):
                self.refused(CONFIG, "SQLSTATE 25006", *says, args=args, **env)
        tally.count("faults injected", 4)

    def test_read_only_by_default(self):
        self.psql(f"ALTER DATABASE {self.database} SET default_transaction_read_only = on")
        self.refused_everywhere("read-only transaction")
        self.psql("SET transaction_read_only = off;"
                  f"ALTER DATABASE {self.database} RESET default_transaction_read_only")
        self.assertEqual(self.every_version(), self.before)
        self.assertEqual(self.must()["discrepancies"]["resolved"], 1)

    def standby(self):
        """A hot standby of the cluster, with everything that has been committed."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="standby-"))
        self.addCleanup(shutil.rmtree, folder)
        self.as_owner_writable(folder)
        data, sockets = folder / "data", folder / "run"
        self.as_owner("mkdir", sockets)
        bin_dir = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.as_owner(bin_dir / "pg_basebackup", "-h", self.env["PGHOST"], "-p", self.env["PGPORT"], "-U", "postgres",
                      "-D", data, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
        options = f"-c unix_socket_directories={sockets}"
        self.as_owner(bin_dir / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start",
                      stdout=subprocess.DEVNULL)
        self.addCleanup(self.as_owner, bin_dir / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop",
                        stdout=subprocess.DEVNULL)
        return str(sockets)

    def as_owner_writable(self, folder):
        if os.getuid() == 0:
            shutil.chown(folder, self.home.owner())

    def test_standby(self):
        self.refused_everywhere(PGHOST=self.standby())
        self.assertEqual(self.every_version(), self.before)


class Admission(OwnCluster):
    """Who may connect, and how many."""

    def setUp(self):
        super().setUp()
        self.stage([(company(), entities())])
        self.psql("DO $$BEGIN CREATE ROLE only_one LOGIN CONNECTION LIMIT 1 PASSWORD 'right' IN ROLE payroll_loader; "
                  "EXCEPTION WHEN duplicate_object THEN NULL; END$$")

    def test_too_many_connections(self):
        other = subprocess.Popen(["psql", "-Xq"], env={**self.env, "PGUSER": "only_one"}, stdin=subprocess.PIPE)
        while self.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'only_one'") == "0":
            time.sleep(0.05)
        self.refused(TRY_AGAIN, "too many connections", PGUSER="only_one")
        threading.Timer(1, other.stdin.close).start()
        self.must(PGUSER="only_one")
        other.wait()
        tally.count("faults injected", 2)

    def test_password_refused(self):
        rules = self.home / "data" / "pg_hba.conf"
        text = rules.read_text(encoding="utf-8")
        for rule, says in (("local all only_one scram-sha-256", "password authentication failed"),
                           ("local all only_one reject", "pg_hba.conf rejects connection")):
            rules.write_text(f"{rule}\n{text}", encoding="utf-8")
            self.psql("SELECT pg_reload_conf()")
            time.sleep(0.3)
            result = self.refused(REFUSED, says, PGUSER="only_one", PGPASSWORD="wr0ng-secret")
            self.assertNotIn("wr0ng-secret", result.stderr)
            url = f"postgresql://only_one:wr0ng-secret@/{self.database}?host={self.env['PGHOST']}"
            result = self.refused(REFUSED, says, DATABASE_URL=url)
            self.assertNotIn("wr0ng-secret", result.stderr)
        rules.write_text(f"local all only_one scram-sha-256\n{text}", encoding="utf-8")
        self.psql("SELECT pg_reload_conf()")
        time.sleep(0.3)
        self.must(PGUSER="only_one", PGPASSWORD="right")
        rules.write_text(text, encoding="utf-8")
        self.psql("SELECT pg_reload_conf()")
        tally.count("faults injected", 4)

    def test_unknown_names(self):
        self.refused(CONFIG, 'database "nowhere" does not exist', PGDATABASE="nowhere")
        self.refused(REFUSED, 'role "nobody-knows" does not exist', PGUSER="nobody-knows")
        tally.count("faults injected", 2)


class Partition(OwnCluster):
    """A month's first contributions go straight into its partition where the role may, else by way of the table."""
    ROLE = "fills_partitions"
    NOTE = """
        SELECT payroll.ensure_partition('2026-04-01');
        CREATE TABLE public.named (name text);
        GRANT INSERT ON public.named TO PUBLIC;
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO public.named VALUES (TG_TABLE_NAME); RETURN NULL; END$$;
        CREATE TRIGGER note AFTER INSERT ON payroll.contribution EXECUTE FUNCTION public.note();
        CREATE TRIGGER note AFTER INSERT ON payroll.contribution_2026_04 EXECUTE FUNCTION public.note();
        """

    def named(self):
        """Which table load has named."""
        self.must(PGUSER=self.ROLE)
        self.assertEqual(self.psql("SELECT count(*), sum(amount_cents) FROM payroll.contribution"), "2|23420")
        return self.psql("DELETE FROM payroll.contribution; DELETE FROM pipeline.company_load; "
                         "DELETE FROM public.named RETURNING name")

    def test_which_is_named(self):
        self.psql(f"CREATE ROLE {self.ROLE} LOGIN IN ROLE payroll_loader")
        self.psql(self.NOTE)
        self.stage([(company(), entities())])
        self.assertEqual(self.named(), "contribution_2026_04")
        self.psql("REVOKE INSERT ON payroll.contribution_2026_04 FROM payroll_loader")
        self.assertEqual(self.named(), "contribution")
        self.must("--migrate")
        self.assertEqual(self.named(), "contribution_2026_04")


class Timeouts(SecondNight):
    def test_statement_timeout(self):
        with subprocess.Popen(["psql", "-Xq"], env=self.env, stdin=subprocess.PIPE, text=True) as other:
            other.stdin.write("BEGIN; LOCK payroll.company IN ACCESS EXCLUSIVE MODE;\n")
            other.stdin.flush()
            while self.psql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'") == "0":
                time.sleep(0.05)
            self.refused(TRY_AGAIN, "statement timeout", PGOPTIONS="-c statement_timeout=500ms")
        self.assertEqual(self.every_version(), self.before)
        self.must()
        tally.count("faults injected", 1)

    def test_idle_in_transaction(self):
        """load was held up, by a slow disk say, and the server has ended its transaction."""
        with Proxy(self.env, lambda m: m.says("ANALYZE this_company"), lambda m: time.sleep(1.5)) as proxy:
            self.refused(TRY_AGAIN, "idle-in-transaction timeout", PGHOST=proxy.folder,
                         PGOPTIONS="-c idle_in_transaction_session_timeout=300ms")
        self.assertEqual(self.every_version(), self.before)
        self.must()
        tally.count("faults injected", 1)


if __name__ == "__main__":
    unittest.main()
