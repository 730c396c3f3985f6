"""A PostgreSQL cluster of the benchmark's own, databases with the pipeline's schema, and what load has put into one as
files for \\copy."""
import os
import pathlib
import shlex
import subprocess

import measure

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLUSTER = ROOT / "tests" / "cluster.sh"
TEMPLATE = "bench_template"

# In order of creation: each after those it refers to.
FILLED = """SELECT format('SELECT %L WHERE EXISTS (SELECT FROM %s);', c.oid::regclass, c.oid::regclass)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'payroll'::regnamespace
ORDER BY c.oid
\\gexec
"""
COLUMNS = """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
# Of facts alone: when each source was last read does change every night.
REWRITTEN = """SELECT pg_stat_force_next_flush();
SELECT relname, n_tup_upd + n_tup_del FROM pg_stat_user_tables
WHERE schemaname = 'payroll' AND relname <> 'source_sync' ORDER BY relname"""


class Database:
    def __init__(self, scratch, load, config):
        self.scratch = scratch
        exports = subprocess.run([CLUSTER, "start", scratch], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.env = {key: value for key, value in os.environ.items()
                    if key not in ("DATABASE_URL", "PGSERVICE", "PGPASSWORD", "PGHOSTADDR")}
        self.env.update(pair.split("=", 1) for line in exports.splitlines() if line.startswith("export ")
                        for pair in shlex.split(line)[1:])
        # Which takes a core for seconds, some time after a load, and would be measured with what runs by then.
        self.psql("postgres", "ALTER SYSTEM SET autovacuum = off")
        self.psql("postgres", "SELECT pg_reload_conf()")
        subprocess.run(["createdb", TEMPLATE], env=self.env, check=True)
        subprocess.run([load, "--config", config, "--migrate", "--quiet"], env=self.of(TEMPLATE), check=True,
                       stdout=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([CLUSTER, "remove", self.scratch], check=True)

    def of(self, name):
        """The environment of a client of one database."""
        return {**self.env, "PGDATABASE": name}

    def psql(self, name, sql):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], env=self.of(name), input=sql, check=True,
                              text=True, stdout=subprocess.PIPE)
        return done.stdout.strip()

    def fresh(self, name, template=TEMPLATE, memory=0):
        """An empty database with the schema, and a server that has nothing left to write."""
        self.psql("postgres", f"SET client_min_messages = warning;\nDROP DATABASE IF EXISTS {name};")
        self.psql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        self.settle(memory)

    def settle(self, memory):
        """The server writes what it has to write; it would go on doing so beside what comes next, which needs memory."""
        self.psql("postgres", "CHECKPOINT")
        measure.have_memory(memory)

    def filled_tables(self, name):
        """Those that load filled: migration fills some with what the law says."""
        given = self.psql(TEMPLATE, FILLED).splitlines()
        return [table for table in self.psql(name, FILLED).splitlines() if table not in given]

    def rows(self, name, tables):
        return {table: int(self.psql(name, f"SELECT count(*) FROM {table}")) for table in tables}

    def rewritten(self, name):
        """How many rows of each table were updated or deleted since it was made."""
        lines = self.psql(name, REWRITTEN).splitlines()
        return {table: int(n) for table, n in (line.split("|") for line in lines if "|" in line)}

    def export(self, name, folder, period):
        """Writes every filled table to a file, and scripts that fill empty tables with them: fill.sql all of them,
        rest.sql all but the contributions. Returns the tables. Nothing is turned off while they are filled: constraints
        and triggers are those that load meets."""
        tables = self.filled_tables(name)
        first = f"SELECT payroll.ensure_partition('{period}-01');"
        copies = {}
        for table in tables:
            columns, file = self.psql(name, COLUMNS.format(table=table)), folder / table
            self.psql(name, f"\\copy (SELECT {columns} FROM {table}) TO '{file}'")
            copies[table] = f"\\copy {table} ({columns}) FROM '{file}'"
        (folder / "fill.sql").write_text("\n".join([first, *copies.values()]) + "\n", encoding="utf-8")
        copies.pop("payroll.contribution")
        (folder / "rest.sql").write_text("\n".join([first, *copies.values()]) + "\n", encoding="utf-8")
        return tables
