"""What end-to-end tests stand on: the real executables, the sample feed with data that a test may change, a database of
its own on a private cluster."""
import functools
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "sample"
BIN = ROOT / os.environ.get("BUILD", "build") / "bin"
WRAPPED = os.environ.get("WRAPPED")              # the build behind valgrind's wrappers; None: BIN are no wrappers
BUILT = pathlib.Path(WRAPPED or BIN.parent) / "bin"
SANITIZED = "san" in BIN.parent.name
PATIENCE = 10 if WRAPPED else 4 if SANITIZED else 1   # under valgrind and sanitizers any limit of time is as many times as long
ROOM = 5 if WRAPPED or SANITIZED else 1         # and any limit of memory as large
PERIOD = "2026-04"
AS_OF = "2026-04-27T06:00:00Z"
# Exit statuses: of all of them, 0 and 3 are done, these pass by themselves, and the others wait for a person.
STATUSES = {0, 3, 64, 65, 66, 69, 70, 73, 74, 75, 77, 78}
PASSES_BY_ITSELF = {69, 75}
FATAL = STATUSES - {0, 3} - PASSES_BY_ITSELF
CLUSTER = ROOT / "tests" / "cluster.sh"
TRACED = {"ASAN_OPTIONS": "detect_leaks=0"}     # under strace: there the search for leaks ends a sanitised program

sys.path.insert(0, str(SAMPLE))
sys.dont_write_bytecode = True


def start_cluster(folder):
    """Starts the throwaway cluster of a folder, made when needed; PGHOST and its like."""
    exports = subprocess.run([CLUSTER, "start", folder], env={**os.environ, "CLUSTER_THROWAWAY": "1"}, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    return dict(pair.split("=", 1) for line in exports.splitlines() if line.startswith("export ")
                for pair in shlex.split(line)[1:])


def client_environment():
    return {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}


def cluster_environment():
    """PGHOST and its like: tests/run.sh has set them, or a cluster is started for this process alone."""
    if "TEST_SCRATCH" not in os.environ:
        scratch = tempfile.mkdtemp(prefix="pipeline-test-")
        os.environ.update(start_cluster(scratch))
        os.environ["TEST_SCRATCH"] = scratch
        unittest.addModuleCleanup(shutil.rmtree, scratch)
        unittest.addModuleCleanup(subprocess.run, [CLUSTER, "remove", scratch])
    return client_environment()


def create_database(env, name, template=None):
    """Block by block through the log, as the server would by itself, takes three times as long on files in memory."""
    subprocess.run(["createdb", "--strategy=file_copy", "-T", template or "template1", name], env=env, check=True)


@functools.cache
def own_cluster():
    """A cluster for one file of tests alone, to be crashed, filled up and configured otherwise: its folder and what
    its clients need."""
    folder = tempfile.mkdtemp(prefix="own-cluster-")
    env = {**client_environment(), **start_cluster(folder)}
    unittest.addModuleCleanup(shutil.rmtree, folder)
    unittest.addModuleCleanup(subprocess.run, [CLUSTER, "remove", folder], check=True)
    return pathlib.Path(folder), env


class Feed:
    """The sample feed on a port of its own, over a folder of data that may be edited while it runs."""

    def __init__(self, folder, *options):
        self.process = subprocess.Popen([sys.executable, "-B", SAMPLE / "feed.py", "--data", folder, "--quiet", *options],
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def faults(self, *rules):
        request = urllib.request.Request(self.url + "/admin/faults", json.dumps(rules).encode(), method="PUT")
        urllib.request.urlopen(request).close()

    def requests(self):
        with urllib.request.urlopen(self.url + "/admin/requests") as answer:
            return json.load(answer)


class Result:
    def __init__(self, process):
        self.status, self.stderr = process.returncode, process.stderr
        lines = process.stdout.splitlines()
        self.report = json.loads(lines[-1]) if lines else None
        self.lines = len(lines)


class Pipeline:
    """A world of its own: data, feed, configuration, staging and database."""
    keys = ("PAYFIT_KEY_BAKERY", "PAYFIT_KEY_JOINERY_1", "PAYFIT_KEY_JOINERY_2", "PAYFIT_KEY_HAULIER")

    def __init__(self, migrate=True, feed_options=()):
        import companies
        self.folder = tempfile.TemporaryDirectory(prefix="pipeline-e2e-")
        self.path = pathlib.Path(self.folder.name)
        self.companies = self.build()
        companies.write(self.path / "data", self.companies)
        self.feed = Feed(self.path / "data", *feed_options)
        self.config = self.path / "pipeline.yaml"
        self.config.write_text(self.configuration(), encoding="utf-8")
        self.database = f"e2e_{os.getpid()}_{self.path.name.replace('-', '_').lower()}"
        keys = [site.key for company in self.companies for site in company.sites]
        self.env = {**cluster_environment(), "PGDATABASE": self.database,
                    "ALAN_API_URL": self.feed.url + "/alan", "PAYFIT_API_URL": self.feed.url + "/payfit",
                    "ALAN_TOKEN": companies.ALAN_TOKEN, "IMPORTS_DIR": str(self.path / "data" / "imports"),
                    **dict(zip(self.keys, keys))}
        create_database(self.env, self.database)
        if migrate:
            self.must("load", "--migrate")

    def build(self):
        """The companies of the sources; the sample's three unless a test has its own."""
        import companies
        return companies.build()

    def configuration(self):
        return (ROOT / "pipeline.yaml").read_text(encoding="utf-8")

    def close(self):
        """The database goes with its cluster: dropping it now would wait for a checkpoint."""
        self.feed.stop()
        self.folder.cleanup()

    def stage(self, name, *args, period=PERIOD, **env):
        """Runs one executable; env None takes a variable away."""
        environment = {key: value for key, value in {**self.env, **env}.items() if value is not None}
        command = [BIN / name, "--config", self.config, "--staging", self.path / "staging", "--period", period, *args]
        return Result(subprocess.run(command, cwd=ROOT, env=environment, timeout=120, capture_output=True, text=True))

    def must(self, name, *args, **more):
        result = self.stage(name, *args, **more)
        if result.status != 0:
            raise AssertionError(f"{name} {args} ended with {result.status}: {result.stderr}")
        return result

    def run(self, period=PERIOD, as_of=AS_OF):
        """A night: extract, transform and load, all of which must succeed; the report of load."""
        self.must("extract", "--as-of", as_of, period=period)
        self.must("transform", period=period)
        return self.must("load", period=period).report

    def query(self, sql):
        """Rows as dictionaries."""
        text = self.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t")
        return json.loads(text)

    def psql(self, sql):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], env=self.env, check=True,
                              text=True, stdout=subprocess.PIPE).stdout

    def edit(self, name, change):
        """Lets change() alter one JSON file of the data; the feed serves the new version at once."""
        path = self.path / "data" / name
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data)
        path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")

    def staged(self, stage, period=PERIOD):
        """The folder of the newest run of a stage, or None when nothing was published."""
        manifests = sorted((self.path / "staging" / period).glob(f"*/{stage}/manifest.json"), key=os.path.getmtime)
        return manifests[-1].parent if manifests else None
