"""What tests of fetching stand on: one source `feed` on a server that misbehaves, and the real extract over an empty
database."""
import functools
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from harness import BIN, PERIOD, cluster_environment, create_database
from misbehaving_server import Server

# Exit statuses.
OK, PARTIAL, BAD_DATA, NO_INPUT, UNAVAILABLE, TRY_AGAIN, REFUSED, CONFIG = 0, 3, 65, 66, 69, 75, 77, 78

CURSOR = {"kind": "cursor", "param": "cursor", "next": "next", "cap": 20, "total": "total"}


@functools.cache
def environment():
    """An empty database for all tests of a file: extract reads what people decided from it, and nobody did."""
    database = f"fetch_{os.getpid()}"
    usual = {key: value for key, value in cluster_environment().items() if not key.lower().endswith("_proxy")}
    env = {**usual, "PGDATABASE": database}
    create_database(env, database)
    unittest.addModuleCleanup(subprocess.run, ["dropdb", "--force", database], env=env, check=True)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "pipeline.yaml"
        settings = {"version": 1, "companies": [{"id": "none", "siren": siren(1)}]}
        config.write_text(json.dumps(settings), encoding="utf-8")
        subprocess.run([BIN / "load", "--migrate", "--quiet", "--config", config], env=env, check=True,
                       stdout=subprocess.DEVNULL)
    return env


def siren(n):
    """A valid company number."""
    digits = f"{n:08d}"
    total = sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(digits))
    return digits + str(-total % 10)


class Result:
    def __init__(self, process, seconds):
        self.status, self.stderr, self.seconds = process.returncode, process.stderr, seconds
        lines = process.stdout.splitlines()
        self.report = json.loads(lines[-1]) if lines else {}


class FetchTest(unittest.TestCase):
    """One source `feed` with a list of employees per company, unless a test says otherwise."""

    @classmethod
    def setUpClass(cls):
        cls.env = environment()

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="fetch-test-")))
        self.server = self.serve()
        self.companies = ["acme"]
        self.entities = {"employees": {}}
        self.more_sources = {}
        self.source = {"base_url": self.server.url, "timeout_ms": 5000, "deadline_ms": 20000, "retries": 2}

    def enterContext(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def serve(self, *args):
        server = Server(*args)
        self.addCleanup(server.stop)
        return server

    def path(self, company="acme", name="employees"):
        return f"/{company}/{name}"

    def script(self, *answers, company="acme", name="employees"):
        self.server.routes[self.path(company, name)] = list(answers)

    def asked(self, company="acme", name="employees"):
        return self.server.to(self.path(company, name))

    def configure(self):
        entities = {
            name: {"entity": "employees", "path": "/{company_id}/" + name, "records": "data",
                   "fields": {"employee_id": "id", "last_name": "name"}, "paging": CURSOR, **more}
            for name, more in self.entities.items()}
        for name in entities:
            if name == "employees":
                del entities[name]["entity"]
        description = self.folder / "feed.yaml"
        description.write_text(json.dumps({"kind": "rest", "side": "payroll", "entities": entities}), encoding="utf-8")
        config = self.folder / "pipeline.yaml"
        config.write_text(json.dumps({
            "version": 1, "staging": {"dir": str(self.folder / "staging"), "archive_raw": True},
            "sources": {"feed": {"use": str(description), **self.source}, **self.more_sources},
            "companies": [{"id": c, "siren": siren(10000000 + i)} for i, c in enumerate(self.companies)],
        }), encoding="utf-8")
        return config

    def command(self, *args, jobs=4, config=None):
        """Writes the configuration first unless it is given. jobs=None: as many as extract chooses by itself."""
        parallel = ["--jobs", str(jobs)] if jobs else []
        return [str(BIN / "extract"), "--config", str(config or self.configure()), "--period", PERIOD, *parallel, *args]

    def extract(self, *args, jobs=4, config=None, **env):
        begun = time.monotonic()
        command = self.command(*args, jobs=jobs, config=config)
        process = subprocess.run(command, cwd=self.folder, env={**self.env, **env}, capture_output=True, text=True,
                                 timeout=120)
        return Result(process, time.monotonic() - begun)

    def succeeds(self, *args, **more):
        result = self.extract(*args, **more)
        self.assertEqual(result.status, OK, result.stderr)
        return result

    def fails(self, expected, *says, **more):
        result = self.extract(**more)
        self.assertEqual(result.status, expected, result.stderr)
        for text in says:
            self.assertIn(text, result.stderr)
        return result

    def staged(self, staging="staging"):
        """All files of run r but the manifest; of the index what no clock has written."""
        folder = self.folder / staging / PERIOD / "r" / "extract"
        self.assertTrue((folder / "manifest.json").exists())
        return {path.name: re.sub(rb'("attempted_at":)"[^"]*"', rb"\1null", path.read_bytes())
                for path in folder.glob("*.ndjson")}

    def spools(self):
        return sorted((self.folder / "staging" / PERIOD).rglob("*.spool"))

    def frames(self, company="acme"):
        """(page number, ids) of every frame of a company's newest spool."""
        path = max((p for p in self.spools() if p.name == f"{company}.spool"), key=lambda p: p.stat().st_mtime_ns)
        data, frames = path.read_bytes(), []
        while data:
            line, data = data.split(b"\n", 1)
            head = json.loads(line)
            body, data = data[:head["bytes"]], data[head["bytes"] + 1:]
            frames.append((head["page"], [r["id"] for r in json.loads(body)["data"]] if body else None))
        return frames
