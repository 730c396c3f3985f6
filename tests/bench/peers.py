"""The programs of peers/: who can run here, what each takes, and whether all come to the same rows."""
import pathlib
import shutil
import subprocess
import sys

import measure
from world import PERIOD

FOLDER = pathlib.Path(__file__).resolve().parent / "peers"
TOTALS = """SELECT count(*), count(employee_id), coalesce(sum(amount_cents), 0), coalesce(sum(employer_cents), 0),
       coalesce(sum(employee_cents), 0), coalesce(sum(amount_cents) FILTER (WHERE employee_id IS NOT NULL), 0),
       md5(string_agg(md5(r::text), '' ORDER BY company_id COLLATE "C", line_id COLLATE "C"))
FROM result AS r"""
# What load has made of the same lines: their cents, and those of people found by their number. Peers cut no months and
# know no shares, so rows and halves are not comparable.
OURS = """SELECT sum(c.amount_cents), sum(c.amount_cents) FILTER (WHERE m.matched_by = 'nir')
FROM payroll.contribution AS c LEFT JOIN payroll.member AS m USING (company_id, member_id)"""


def psycopg_python():
    """A Python that has psycopg: Debian's, where another one stands first in the path."""
    for python in (sys.executable, "/usr/bin/python3"):
        if shutil.which(python) and subprocess.run([python, "-c", "import psycopg"], stderr=subprocess.DEVNULL,
                                                   check=False).returncode == 0:
            return python
    return None


def install_duckdb():
    """npm ci, once; why it cannot be had, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "Node.js and npm are not installed"
    if (FOLDER / "node_modules" / "@duckdb" / "node-api").is_dir():
        return None
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=False,
                          capture_output=True, text=True)
    return None if done.returncode == 0 else "npm ci failed: " + (done.stderr.strip().splitlines() or ["?"])[-1]


class Peer:
    def __init__(self, name, command, why_not=None, **env):
        self.name, self.command, self.why_not, self.env = name, command, why_not, env
        self.took, self.totals = [], None


def psql(script):
    return ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", FOLDER / script]


def all_peers():
    no_duckdb, python = install_duckdb(), psycopg_python()
    duckdb = ["bash", "-c", 'node "$0/duckdb.mjs" && psql -Xq -v ON_ERROR_STOP=1 -f "$0/copy.sql"', FOLDER]
    lacking = [name for name in ("jq", "mlr") if not shutil.which(name)]
    return [
        Peer("DuckDB + `\\copy`", duckdb, no_duckdb),
        Peer("DuckDB told its columns + `\\copy`", duckdb, no_duckdb, TOLD="1"),
        Peer("PostgreSQL alone", psql("postgres.sql")),
        Peer("Python, psycopg `COPY`", [python, "-B", FOLDER / "with_psycopg.py"],
             None if python else "no Python with psycopg 3"),
        Peer("jq, Miller + `\\copy`", [FOLDER / "jq_miller.sh"],
             " and ".join(lacking) + " not installed" if lacking else None),
    ]


class Contest:
    """Runs peers on one extract output, in a database of their own."""

    def __init__(self, world, month, run_id):
        self.world, self.folder, self.memory = world, world.new_folder("peers"), month.memory
        self.database = world.database
        self.env = {**self.database.of("bench_peer"), "IN": str(month.output("extract", run_id)), "MONTH": PERIOD,
                    "OUT": str(self.folder / "result.csv"), "FORMAT": "csv"}
        self.peers = all_peers()
        self.ducks = self.peers[:2]
        self.database.psql("postgres", "CREATE DATABASE bench_peer_template")
        self.database.psql("bench_peer_template", (FOLDER / "result.sql").read_text(encoding="utf-8"))

    def round(self):
        for peer in self.peers:
            if peer.why_not:
                continue
            self.database.fresh("bench_peer", "bench_peer_template", self.memory)
            peer.took.append(measure.run(peer.command, {**self.env, **peer.env}))
            peer.totals = self.database.psql("bench_peer", TOTALS)

    def without_database(self, duck):
        """The command of a DuckDB peer that leaves result rows as NDJSON, as transform writes its own."""
        out = str(self.world.new_folder("result") / "result.ndjson")
        return ["node", FOLDER / "duckdb.mjs"], {**self.env, **duck.env, "FORMAT": "json", "OUT": out}

    def disagreement(self, ours):
        """What is not the same everywhere, or None. ours: (cents of all lines, cents of people found by number)"""
        totals = {peer.totals for peer in self.peers if peer.totals}
        if len(totals) > 1:
            return "the peers differ: " + "; ".join(f"{p.name}: {p.totals}" for p in self.peers if p.totals)
        for one in totals:
            values = one.split("|")
            if (values[2], values[5]) != ours:
                return f"peers have {values[2]} cents, {values[5]} of people found; load has {ours[0]} and {ours[1]}"
        return None

    def ours(self, database):
        return tuple(self.database.psql(database, OURS).split("|"))
