"""The first load of a database, large enough for its tables to be filled before their indexes: what it leaves is what any
other load leaves."""
import signal
import subprocess
import unittest

from loading import LOADS, MONTH, WAITING, Case, company, entities, session

FILLED = "12 tables are filled before their indexes"
SHAPE = """
SELECT 'index', indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indrelid
WHERE relnamespace = 'payroll'::regnamespace AND indisvalid
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'payroll'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, concat(tgname, ' ', tgenabled) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1, 2, 3"""
MANY = 50_000


class FirstLoad(Case):
    def setUp(self):
        super().setUp()
        self.psql(f"SELECT payroll.ensure_partition('{MONTH}')")
        self.shape = self.psql(SHAPE)

    def stage_many(self):
        data = entities()
        data["coverages"] = [{"payroll_month": MONTH[:7], "employment_id": f"job{i}", "employee_id": f"many{i}",
                              "reason": "pending"} for i in range(3)]
        data["employees"] += [{"employee_id": f"many{i}", "last_name": "N"} for i in range(MANY)]
        return self.stage([(company(), data)])

    def first(self, *args):
        return self.load("--log-level", "debug", *args)

    def check_loaded(self):
        self.assertEqual(self.psql(SHAPE), self.shape)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), str(MANY + 1))
        self.assertEqual(self.psql("SELECT count(*), sum(amount_cents) FROM payroll.contribution"), "2|23420")
        self.assertEqual(self.psql("SELECT count(*) FROM pipeline.suspended"), "0")

    def test_what_it_leaves_is_what_it_found_and_the_rows(self):
        self.stage_many()
        result = self.first()
        self.assertEqual(result.status, 0, result.stderr)
        self.assertIn(FILLED, result.stderr)
        self.check_loaded()
        again = self.first()
        self.assertNotIn("before their indexes", again.stderr)
        self.assertFalse(again.report["changed"])

    def test_it_comes_to_the_same_as_row_by_row(self):
        self.stage_many()
        self.assertIn(FILLED, self.first().stderr)
        filled = self.contents()
        self.env["PGDATABASE"] = self.database + "_2"
        self.copy_database(self.template, self.env["PGDATABASE"])
        self.assertNotIn("before their indexes", self.first("--company", "acme").stderr)
        self.assertEqual(self.contents(), filled)

    def test_nobody_is_waited_for(self):
        self.stage_many()
        reader = session(self.env)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.stdin.close)
        reader.stdin.write("BEGIN; SELECT count(*) FROM payroll.employee; SELECT count(*) FROM payroll.coverage;\n")
        reader.stdin.flush()
        self.assertEqual([reader.stdout.readline().strip() for _ in range(2)], ["0", "0"])
        result = self.first()
        self.assertEqual(result.status, 0, result.stderr)
        self.assertIn("10 tables are filled before their indexes", result.stderr)
        self.check_loaded()

    def test_a_part_of_a_run_has_them_kept(self):
        self.stage_many()
        for args in (("--company", "acme"), ("--shard", "0/2"), ("--shard", "1/2")):
            self.assertNotIn("before their indexes", self.first("--dry-run", *args).stderr)
        self.assertIn(FILLED, self.first("--dry-run").stderr)

    def test_what_is_not_committed_leaves_them_as_they_were(self):
        self.stage_many()
        self.assertIn(FILLED, self.first("--dry-run").stderr)
        self.assertEqual(self.psql(SHAPE), self.shape)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number.name):
                self.stop_before_commit(number)
                self.assertEqual(self.psql(SHAPE), self.shape)
                self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "0")
        self.assertIn(FILLED, self.first().stderr)
        self.check_loaded()

    def stop_before_commit(self, number):
        """The load is stopped where it waits for a table that somebody holds."""
        holder = session(self.env)
        holder.stdin.write("BEGIN; LOCK TABLE payroll.discrepancy; SELECT 'locked';\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline().strip(), "locked")
        process = subprocess.Popen(self.command(), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(WAITING, within_s=60)
        process.send_signal(number)
        process.wait(60)
        holder.communicate("ROLLBACK;\n")
        self.wait_for(LOADS, "0", within_s=60)

    def test_what_is_there_twice_is_refused(self):
        data = entities()
        data["employees"] += [{"employee_id": f"many{i % (MANY - 1)}", "last_name": "N"} for i in range(MANY)]
        self.stage([(company(), data)])
        self.refused(65, FILLED, "employee_pkey", args=("--log-level", "debug"))
        self.assertEqual(self.psql(SHAPE), self.shape)
        self.assertEqual(self.psql("SELECT count(*) FROM payroll.employee"), "0")


if __name__ == "__main__":
    unittest.main()
