"""What the torture tests stand on: the sample's two nights as scenarios, each with what it starts from and what an
undisturbed run makes of it."""
import functools
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import BIN, PERIOD, ROOT, Pipeline, Result, create_database
from staging import digests, line
from tracing import Call, inject

SHIM = BIN.parent / "tests" / "torture" / "shim.so"
NIGHTS = {"night1": 1777269600, "night2": 1777356000}  # 2026-04-27 and 28, 06:00 UTC: the clock stands still
DONE = (0, 3)
KILLED = -9
EMPTY = "no schema"

# Rows of the database as they are told apart: without numbers from a sequence and what the server's clock says.
COLUMNS = """
    SELECT format('%I.%I', c.table_schema, c.table_name) AS name,
           string_agg(format('%I', c.column_name), ', ' ORDER BY c.ordinal_position) AS columns
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema IN ('payroll', 'pipeline') AND t.table_type = 'BASE TABLE' AND c.is_identity = 'NO'
        AND c.data_type <> 'xid8'
        AND coalesce(c.column_default, '') NOT LIKE '%clock_timestamp%'
        AND (c.table_name, c.column_name) NOT IN (('run', 'finished_at'), ('run', 'started_at'),
            ('discrepancy_event', 'discrepancy_id'), ('period', 'closed_at'))
        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = format('%I.%I', c.table_schema, c.table_name)::regclass)
    GROUP BY 1"""


class World(Pipeline):
    """The sample with its feed, and all states that scenarios start from: folders of staged files, template databases."""

    def __init__(self):
        super().__init__(feed_options=("--max-page", "20"))
        self.numbers = itertools.count()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="torture-", dir=self.path))
        self.bases = {"": None}
        self.first_night()
        self.second_night()
        self.scenarios = {s.name: s for s in self.build_scenarios()}

    def keep_base(self, name, staging):
        self.bases[name] = self.path / f"base-{name}"
        shutil.copytree(staging, self.bases[name])

    def keep_database(self, name):
        create_database(self.env, f"{self.database}_{name}", self.database)

    def first_night(self):
        staging = self.path / "staging"
        self.keep_database("migrated")
        self.night("extract", "night1")
        self.keep_base("extracted", staging)
        self.keep_base("parted", staging)
        part_by_company(self.bases["parted"] / PERIOD / "night1" / "extract")
        self.night("transform", "night1")
        self.keep_base("transformed", staging)
        self.night("load", "night1")
        self.keep_database("loaded")

    def keep_fetched(self):
        """Everything was received and nothing published: extract was killed before its manifest got its name."""
        staging = self.path / "base-fetched"
        call = Call("rename", 1, f"/@/{PERIOD}/night1/extract/manifest.json.tmp", True)
        tracer = inject(staging, call, "signal=SIGKILL", self.path / "trace")
        result = self.start("extract", ["--run-id", "night1", "--jobs", "2"], "night1", staging, self.database, tracer)
        assert result.status == KILLED, result.stderr
        self.bases["fetched"] = staging

    def second_night(self):
        """Other data: somebody leaves Alan, a name is corrected, a line costs more."""
        self.edit("alan/cmp_boulangerie_martin.json", lambda d: d["affiliations"].pop())
        self.edit("alan/cmp_menuiserie_des_alpes.json", lambda d: d["affiliations"][3].update(last_name="Autrement"))
        self.edit("alan/cmp_transports_keller.json", lambda d: d["invoice_lines"].pop(0))
        staging = self.path / "staging"
        self.night("extract", "night2")
        self.night("transform", "night2")
        self.keep_base("transformed-again", staging)
        self.keep_fetched()

    def night(self, stage, run_id):
        result = self.start(stage, ["--run-id", run_id], run_id, self.path / "staging", self.database)
        assert result.status == 0, result.stderr

    def build_scenarios(self):
        def scenario(name, stage, *args, night="night1", base="", database="migrated", run_id=True):
            return Scenario(self, name, stage, [*(["--run-id", night] if run_id else []), *args], night, base, database)
        return [
            scenario("extract", "extract", "--jobs", "2"),
            scenario("extract-continued", "extract", "--jobs", "2", base="fetched"),
            scenario("extract-again", "extract", "--jobs", "2", night="night2", base="transformed"),
            scenario("transform", "transform", "--jobs", "1", base="extracted"),
            scenario("transform-workers", "transform", "--jobs", "2", base="parted"),
            scenario("load", "load", base="transformed"),
            scenario("load-again", "load", night="night2", base="transformed-again", database="loaded"),
            scenario("close", "load", "--close", "--note", "payslips are out", night="night2", database="loaded", run_id=False),
            scenario("migrate", "load", "--migrate", database=None, run_id=False),
        ]

    def start(self, stage, args, night, staging, database, tracer=(), **env):
        """Runs one executable under the shim, by itself or under a tracer."""
        preload = {"LD_PRELOAD": str(SHIM), "TORTURE_TIME": str(NIGHTS[night]), **{k: str(v) for k, v in env.items()}}
        environment = {**self.env, "PGDATABASE": database, **({} if tracer else preload)}
        given = [part for pair in preload.items() for part in ("-E", "=".join(pair))] if tracer else []
        command = [*tracer, *given, BIN / stage, "--config", self.config, "--staging", staging, "--period", PERIOD, *args]
        return Result(subprocess.run(command, cwd=ROOT, env=environment, timeout=100, capture_output=True, text=True,
                                     errors="replace"))

    @functools.cached_property
    def rows_digest(self):
        """One query that tells all rows of all tables apart, by company and table."""
        tables = json.loads(self.psql(f"SELECT json_object_agg(name, columns) FROM ({COLUMNS}) c"))
        parts = [f"SELECT '{name}' AS t, {'company_id' if 'company_id' in columns.split(', ') else 'NULL'} AS c, r::text AS row "
                 f"FROM (SELECT {columns} FROM {name}) r" for name, columns in sorted(tables.items())]
        return ("SELECT coalesce(c, '-'), t, md5(string_agg(row, E'\\n' ORDER BY row)) "
                f"FROM ({' UNION ALL '.join(parts)}) all_rows GROUP BY 1, 2 ORDER BY 1, 2")

    def in_database(self, database, *command):
        return subprocess.run(command, env={**self.env, "PGDATABASE": database}, check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def contents(self, database, with_schema):
        """What a database holds, as lines that tell where two of them differ."""
        there = self.in_database(database, "psql", "-XqAt", "-c", "SELECT to_regclass('payroll.contribution') IS NOT NULL")
        if there.strip() == "f":
            return EMPTY
        rows = self.in_database(database, "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", self.rows_digest)
        if not with_schema:
            return rows
        schema = self.in_database(database, "pg_dump", "--schema-only", "--restrict-key=x")
        return rows + "-|schema|" + hashlib.sha256(schema.encode()).hexdigest()


def part_by_company(folder):
    """Makes each company a part of its own, as if all were large: work for several workers."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    index = [json.loads(text) for text in (folder / "companies.ndjson").read_text(encoding="utf-8").splitlines()]
    texts, parts, files = [], [], []
    for number, company in enumerate(index):
        for part in company["ranges"]:
            whole = (folder / f"{part['entity']}-0000.ndjson").read_bytes()
            chunk = whole[part["offset"]:part["offset"] + part["bytes"]]
            name = f"{part['entity']}-{number:04}.ndjson"
            (folder / (name + ".new")).write_bytes(chunk)
            files.append({"name": name, "rows": part["rows"], "bytes": len(chunk), "cents": part["cents"],
                          **digests(chunk)})
            part["offset"] = 0
        company["part"] = number
        text = line("company", company)
        parts.append({"companies": 1, "offset": sum(map(len, texts)), "bytes": len(text)})
        texts.append(text)
    for file in files:
        os.replace(folder / (file["name"] + ".new"), folder / file["name"])
        os.chmod(folder / file["name"], 0o600)
    text = b"".join(texts)
    (folder / "companies.ndjson").write_bytes(text)
    own = {"name": "companies.ndjson", "rows": len(index), "bytes": len(text), "cents": 0, **digests(text)}
    manifest.update(parts=parts, files=[own, *files])
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


class Scenario:
    """One command from one state; expected is what an undisturbed run comes to."""

    def __init__(self, world, name, stage, args, night, base, database):
        self.world, self.name, self.stage, self.args, self.night = world, name, stage, args, night
        self.base, self.database, self.loads = base, database, stage == "load"
        self.folder = pathlib.Path(PERIOD, night, stage)

    def trial(self):
        return Trial(self)

    @functools.cached_property
    def before(self):
        with self.trial() as trial:
            return trial.state()

    @functools.cached_property
    def expected(self):
        """State and report after one clean run."""
        with self.trial() as trial:
            result = trial.run()
            assert result.status in DONE, f"{self.name}: {result.stderr}"
            self.status, self.report = result.status, result.report
            return trial.state()


class Trial:
    """A scenario's beginning of its own: a copy of the staging directory, a database."""

    def __init__(self, scenario):
        self.scenario, self.world = scenario, scenario.world
        number = next(self.world.numbers)
        self.staging = self.world.scratch / f"staging{number}"
        self.database = f"{self.world.database}_migrated"
        if scenario.loads:
            self.staging = self.world.bases[scenario.base] or self.world.scratch
            self.database = f"{self.world.database}_{number}"
            template = scenario.database and f"{self.world.database}_{scenario.database}"
            create_database(self.world.env, self.database, template)
        elif scenario.base:
            shutil.copytree(self.world.bases[scenario.base], self.staging)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.scenario.loads:
            subprocess.run(["dropdb", "--force", self.database], env=self.world.env, check=True)
        else:
            shutil.rmtree(self.staging, ignore_errors=True)

    def run(self, tracer=(), args=(), staging=None, **env):
        s = self.scenario
        return self.world.start(s.stage, [*s.args, *args], s.night, staging or self.staging, self.database, tracer, **env)

    def state(self):
        if self.scenario.loads:
            return self.world.contents(self.database, self.scenario.name == "migrate")
        return published(self.staging)

    # ---- what must hold ----

    def wounds(self):
        """What is wrong with what one can see after a run that did not end well: nothing, it is hoped."""
        now, before, expected = self.state(), self.scenario.before, self.scenario.expected
        if self.scenario.name == "close":   # company after company
            owned = [{owner: list(lines) for owner, lines in itertools.groupby(state.splitlines(), lambda t: t.split("|")[0])}
                     for state in (now, before, expected)]
            return ", ".join(owner for owner, lines in owned[0].items() if lines not in (owned[1][owner], owned[2][owner]))
        if self.scenario.loads:
            return "" if now in (before, expected) else "neither the old nor the new rows: " + difference(now, before)
        return half_files(now, before, expected) or lost_manifests(now)

    def scars(self):
        """What the same command, run again, leaves different from an undisturbed run."""
        expected = self.scenario.expected
        result = self.run()
        if result.status != self.scenario.status:
            return f"the run after it ended with {result.status}: {result.stderr}"
        now = self.state()
        return "" if now == expected else "the run after it made something else: " + difference(now, expected)


def published(staging):
    """Every file of a staging directory: its bytes, or for pages that only help the next run that they are there."""
    files = {}
    for path in sorted(staging.rglob("*")) if staging.exists() else []:
        name = str(path.relative_to(staging))
        files[name] = "folder" if path.is_dir() else "pages" if path.suffix == ".spool" else path.read_bytes()
    return files


def half_files(now, before, expected):
    """Files under their final names hold what they shall hold, and nothing else has changed."""
    for name, content in now.items():
        final = content not in ("folder", "pages") and not name.endswith((".tmp", ".unfinished", ".done"))
        if final and content not in (before.get(name), expected.get(name)):
            return f"{name} is neither what it was nor what it shall be"
    return ""


def lost_manifests(now):
    """Each manifest has its files."""
    for name in now:
        if not name.endswith("/manifest.json"):
            continue
        for file in json.loads(now[name])["files"]:
            content = now.get(name.removesuffix("manifest.json") + file["name"])
            if content is None or any(file[kind] != digest for kind, digest in digests(content).items()):
                return f"{name} names {file['name']}, which is not there or something else"
    return ""


def difference(now, wanted):
    if isinstance(now, str):
        lines = set(now.splitlines()) ^ set(wanted.splitlines())
        return ", ".join(sorted({text.rpartition("|")[0] for text in lines}))
    return ", ".join(name for name in sorted({*now, *wanted}) if now.get(name) != wanted.get(name))
