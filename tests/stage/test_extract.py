"""extract on the cases of tests/cases/extract: a folder each.

in.json     sources, companies and rules of pipeline.yaml (laid over _base/in.json), the server's answers by path and
            query ({server} is its address; a text is sent as it is; null: 404), sql to run before, args, period
files/      the working directory, for CSV files and descriptions
out.json    status of the process; says: what stderr must hold; per entity all the records in order, each with the
            fields that matter; rejects likewise; published: false when nothing may be
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

import harness

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ROOT / "tests" / "cases" / "extract"
BASE = json.loads((CASES / "_base" / "in.json").read_text(encoding="utf-8"))
BIN = ROOT / os.environ.get("BUILD", "build") / "bin"
NIR = "1 85 01 75 123 456 09"


def setUpModule():
    """One migrated database for all: cases that write decisions have companies of their own."""
    global ENV
    ENV = {**harness.cluster_environment(), "PGDATABASE": f"extract_{os.getpid()}"}
    harness.create_database(ENV, ENV["PGDATABASE"])
    subprocess.run([BIN / "load", "--migrate", "--quiet"], env=ENV, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def tearDownModule():
    subprocess.run(["dropdb", "--force", ENV["PGDATABASE"]], env=ENV, check=True)


def overlay(base, over):
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: overlay(base.get(key), value) for key, value in over.items()}}


class Server:
    """Answers what it is told to, by path and query."""

    def __init__(self, answers):
        self.answers, self.asked = dict(answers), []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.asked.append(self.path)
                answer = server.answers.get(self.path)
                if callable(answer):
                    answer = answer()
                body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Result:
    def __init__(self, process):
        self.status, self.stderr = process.returncode, process.stderr
        self.report = json.loads(process.stdout) if process.stdout else {}


class World:
    """A case's sources, configuration and staging, in a folder of its own that is the working directory."""

    def __init__(self, given, files=None):
        self.given = overlay(BASE, given)
        self.folder = tempfile.TemporaryDirectory(prefix="extract-test-")
        self.path = pathlib.Path(self.folder.name)
        if files and files.is_dir():
            shutil.copytree(files, self.path, dirs_exist_ok=True)
        self.server = Server(self.given.get("answers", {}))
        self.env = dict(ENV)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
        self.folder.cleanup()

    def configure(self):
        config = {"version": 1, "staging": {"dir": "staging"}}
        config.update({key: self.given[key] for key in ("rules", "sources", "companies", "database", "staging")
                       if key in self.given})
        text = json.dumps(config).replace("{server}", self.server.url)
        (self.path / "pipeline.yaml").write_text(text, encoding="utf-8")

    def run(self, *args, **env):
        self.configure()
        environment = {key: value for key, value in {**self.env, **env}.items() if value is not None}
        return Result(subprocess.run([BIN / "extract", "--period", self.given["period"], "--progress", "never",
                                      *self.given.get("args", []), *args],
                                     cwd=self.path, env=environment, capture_output=True, text=True, timeout=60))

    def runs(self):
        return sorted(path.parent for path in self.path.glob("staging/*/*/extract/manifest.json"))

    def records(self, entity):
        """Of the newest run, parts in order."""
        folders = self.runs() or sorted(self.path.glob("staging/*/*/extract*"))
        name = f"{entity}.ndjson" if entity in ("rejects", "companies") else f"{entity}-*.ndjson"
        return [json.loads(line) for path in sorted(folders[-1].glob(name))
                for line in path.read_text("utf-8").splitlines()]


def subset(expected, found):
    """found, cut to what expected names, so that a difference is readable."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: subset(value, found.get(key, "absent")) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [subset(e, f) for e, f in zip(expected, found)]
    return found


class CasesTest(unittest.TestCase):
    maxDiff = None

    def check(self, folder):
        expected = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        given = json.loads((folder / "in.json").read_text(encoding="utf-8"))
        with World(given, folder / "files") as world:
            for sql in given.get("sql", []):
                subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], env=ENV, check=True)
            result = world.run()
            self.assertEqual(expected.get("status", 0), result.status, result.stderr)
            for text in expected.get("says", []):
                self.assertIn(text, result.stderr)
            self.assertEqual(expected.get("published", True), bool(world.runs()), result.stderr)
            for entity in [key for key in expected if key not in ("status", "says", "published", "report")]:
                self.assertEqual(expected[entity], subset(expected[entity], world.records(entity)), entity)
            self.assertEqual(expected.get("report", {}), subset(expected.get("report", {}), result.report))
            if "rejects" not in expected:
                self.assertEqual(0, result.report.get("rejects", 0), result.stderr)
            self.assertNotIn(NIR, result.stderr + json.dumps(result.report))

    @classmethod
    def add_cases(cls):
        for folder in sorted(path.parent for path in CASES.glob("*/out.json")):
            setattr(cls, "test_" + folder.name.replace("-", "_"), lambda self, folder=folder: self.check(folder))


CasesTest.add_cases()


def employees(n, **more):
    return {"data": [{"id": f"e{i}", "name": "Durand", **more} for i in range(n)]}


class RunTest(unittest.TestCase):
    """What cases cannot say: several runs, interruptions, other surroundings."""

    SIMPLE = {
        "sources": {"staff": {
            "kind": "rest", "side": "payroll", "base_url": "{server}", "retries": 0,
            "entities": {"employees": {"path": "/{company_id}", "records": "data",
                                       "fields": {"employee_id": "id", "last_name": "name"}}}}},
        "companies": [{"id": "a", "siren": "404833048"}, {"id": "b", "siren": "552008443"},
                      {"id": "c", "siren": "443121975"}],
        "answers": {"/a": employees(1), "/b": employees(2), "/c": employees(3)},
    }

    def world(self, **more):
        world = World({**self.SIMPLE, **more})
        self.addCleanup(world.__exit__)
        return world

    def counts(self, world):
        companies = world.records("companies")
        return [(c["company_id"], c["status"], sum(r["rows"] for r in c["ranges"])) for c in companies]

    def test_order_of_arrival_leaves_no_trace(self):
        slow, fast = self.world(), self.world()
        slow.server.answers["/a"] = lambda: (time.sleep(0.3), employees(1))[1]
        for world in (slow, fast):
            self.assertEqual(0, world.run("--run-id", "r", "--jobs", "8").status)
        self.assertEqual([("a", "ok", 1), ("b", "ok", 2), ("c", "ok", 3)], self.counts(slow))
        self.assertEqual(slow.runs()[0].joinpath("employees-0000.ndjson").read_bytes(),
                         fast.runs()[0].joinpath("employees-0000.ndjson").read_bytes())

    def test_a_failing_company_leaves_the_others(self):
        world = self.world()
        world.server.answers["/b"] = None
        result = world.run()
        self.assertEqual(3, result.status, result.stderr)
        self.assertEqual([("a", "ok", 1), ("b", "failed", 0), ("c", "ok", 3)], self.counts(world))
        failed = world.records("companies")[1]["sources"][0]
        self.assertEqual(("staff", "failed", None), (failed["source"], failed["outcome"], failed["synced_at"]))
        self.assertIn("404", failed["error"])

    def test_all_failed_publishes_nothing_and_goes_on_later(self):
        world = self.world()
        saved = dict(world.server.answers)
        world.server.answers = {"/a": saved["/a"]}
        args = ("--company", "b", "--company", "c")
        result = world.run(*args)
        self.assertEqual(78, result.status, result.stderr)
        self.assertEqual("failed", result.report["status"])
        self.assertEqual([], world.runs())
        first = result.report["run_id"]
        world.server.answers = saved
        result = world.run(*args)
        self.assertEqual((0, first), (result.status, result.report["run_id"]), result.stderr)
        self.assertNotEqual(first, world.run().report["run_id"])

    def test_a_finished_run_is_not_continued(self):
        world = self.world()
        first = world.run("--run-id", "2026-04-one").report
        asked = len(world.server.asked)
        second = world.run().report
        self.assertNotEqual(first["run_id"], second["run_id"])
        self.assertEqual(2 * asked, len(world.server.asked))
        self.assertEqual([], list(world.path.glob("staging/*/*/*.unfinished")))

    def test_a_continued_run_does_not_ask_again(self):
        world = self.world()
        world.server.answers["/c"] = lambda: time.sleep(60)
        world.configure()
        process = subprocess.Popen([BIN / "extract", "--period", "2026-04", "--jobs", "1", "--quiet"], cwd=world.path,
                                   env=world.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        deadline = time.monotonic() + 20
        while "/c" not in world.server.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        process.terminate()
        report = json.loads(process.communicate(timeout=20)[0])
        self.assertEqual(75, process.returncode)
        self.assertEqual([], world.runs())
        world.server.answers["/c"] = employees(3)
        world.server.asked.clear()
        result = world.run()
        self.assertEqual((0, report["run_id"]), (result.status, result.report["run_id"]), result.stderr)
        self.assertEqual(["/c"], world.server.asked)
        self.assertEqual([("a", "ok", 1), ("b", "ok", 2), ("c", "ok", 3)], self.counts(world))

    def test_another_configuration_begins_anew(self):
        world = self.world()
        world.server.answers = {}
        first = world.run().report["run_id"]
        world.given["rules"] = {"stale_after": "12h"}
        self.assertNotEqual(first, world.run().report["run_id"])

    def test_raw_answers_are_kept_when_asked_for(self):
        world = self.world(staging={"dir": "staging", "archive_raw": True})
        self.assertEqual(0, world.run("--run-id", "r").status)
        raw = sorted(world.path.glob("staging/2026-04/r/raw/*"))
        self.assertEqual(["a.spool", "b.spool", "c.spool"], [path.name for path in raw])
        self.assertIn(b'{"data": [{"id": "e0"', raw[0].read_bytes())
        self.assertEqual(0o600, raw[0].stat().st_mode & 0o777)
        plain = self.world()
        self.assertEqual(0, plain.run("--run-id", "r").status)
        self.assertFalse((plain.path / "staging/2026-04/r/raw").exists())
        cache = plain.path / "staging/cache"
        self.assertEqual(["a.spool", "b.spool", "c.spool"], sorted(path.name for path in cache.iterdir()))
        (cache / "gone.spool").write_text("of a company that is not served any more")
        os.utime(cache / "gone.spool", (0, 0))
        self.assertEqual(0, plain.run("--run-id", "r2").status)
        self.assertEqual(["a.spool", "b.spool", "c.spool"], sorted(path.name for path in cache.iterdir()))

    def test_a_refused_run_is_read_anew(self):
        world = self.world()
        world.server.answers["/b"] = "{"
        result = world.run()
        self.assertEqual(65, result.status, result.stderr)
        self.assertIn("malformed_json", result.stderr)
        self.assertEqual([], world.runs())
        self.assertEqual(["malformed_json"], [r["reason"] for r in world.records("rejects")])
        world.server.answers["/b"] = employees(2)
        self.assertEqual(0, world.run().status)
        self.assertEqual([("a", "ok", 1), ("b", "ok", 2), ("c", "ok", 3)], self.counts(world))

    def test_within_the_reject_limit(self):
        world = self.world(rules={"reject_limit": "20%"})
        world.server.answers["/b"] = {"data": [{"id": "e1"}, {"id": "e2", "name": "x"}]}
        result = world.run()
        self.assertEqual(3, result.status, result.stderr)
        self.assertEqual([("a", "ok", 1), ("b", "ok", 1), ("c", "ok", 3)], self.counts(world))
        self.assertEqual([("missing_field", ["last_name: missing"])],
                         [(r["reason"], r["faults"]) for r in world.records("rejects")])
        world = self.world(rules={"reject_limit": "16%"})
        world.server.answers["/b"] = {"data": [{"id": "e1"}, {"id": "e2", "name": "x"}]}
        self.assertEqual(65, world.run().status)

    def test_dry_run(self):
        world = self.world()
        result = world.run("--dry-run", "--run-id", "r")
        self.assertEqual(0, result.status, result.stderr)
        self.assertEqual({"employees": 6}, result.report["rows"])
        self.assertEqual([], list(world.path.glob("staging/**/*.ndjson")) + list(world.path.glob("staging/**/*.spool")))

    def test_shards_cut_the_companies(self):
        world = self.world()
        found = []
        for shard in range(3):
            self.assertEqual(0, world.run("--run-id", "r", "--shard", f"{shard}/3").status)
        for index in world.path.glob("staging/2026-04/r/extract-*-of-3/companies.ndjson"):
            found += [json.loads(line)["company_id"] for line in index.read_text().splitlines()]
        self.assertEqual(["a", "b", "c"], sorted(found))

    def test_check_writes_nothing(self):
        world = self.world()
        result = world.run("--check")
        self.assertEqual(0, result.status, result.stderr)
        self.assertFalse((world.path / "staging").exists())
        world.server.answers["/b"] = None
        result = world.run("--check")
        self.assertEqual(78, result.status, result.stderr)
        self.assertIn("company b", result.stderr)

    def test_database_out_of_reach(self):
        world = self.world()
        result = world.run(PGHOST="127.0.0.1", PGPORT="1", PGCONNECT_TIMEOUT="1")
        self.assertEqual(69, result.status, result.stderr)
        self.assertIn("database", result.stderr)
        self.assertEqual([], world.server.asked)

    def test_database_without_schema(self):
        world = self.world()
        result = world.run(PGDATABASE="postgres")
        self.assertEqual(78, result.status, result.stderr)
        self.assertIn("load --migrate", result.stderr)

    def test_unknown_company(self):
        result = self.world().run("--company", "zzz")
        self.assertEqual(64, result.status, result.stderr)
        self.assertIn("--company zzz", result.stderr)

    def test_unset_variable(self):
        world = self.world()
        auth = {"kind": "bearer", "token": "${NO_SUCH_TOKEN}"}
        world.given["sources"] = {"staff": {**world.given["sources"]["staff"], "auth": auth}}
        result = world.run()
        self.assertEqual(78, result.status, result.stderr)
        self.assertIn("NO_SUCH_TOKEN", result.stderr)
        self.assertFalse((world.path / "staging").exists())

    def test_two_at_once(self):
        world = self.world()
        second_is_done = threading.Event()
        world.server.answers["/a"] = lambda: (second_is_done.wait(20), employees(1))[1]
        world.configure()
        with contextlib.ExitStack() as stack:
            command = [BIN / "extract", "--period", "2026-04", "--run-id", "r", "--quiet"]
            first = stack.enter_context(subprocess.Popen(command, cwd=world.path, env=world.env, stdout=subprocess.PIPE,
                                                         stderr=subprocess.DEVNULL))
            deadline = time.monotonic() + 20
            while not world.server.asked and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual(75, world.run("--run-id", "r").status)
            second_is_done.set()
            first.communicate(timeout=20 * harness.PATIENCE)
            self.assertEqual(0, first.returncode)
