"""A payroll month of 160 companies as a Slurm array of eight shards on two nodes, against the same month in one go."""
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

from cluster import NODES, Slurm
from harness import BIN, ROOT
from shards import differences, loaded, staged

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from page_server import PageServer  # noqa: E402
from pages import write_pages  # noqa: E402
from world import PERIOD, Month, World  # noqa: E402

DEPLOY = ROOT / "common" / "deploy"
AS_OF = "2026-05-01T03:00:00Z"
COMPANIES, EMPLOYEES, SHARDS = 160, 3200, 8


class Array(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="slurm-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        sizes = types.SimpleNamespace(employees=EMPLOYEES, companies=COMPANIES, billing_months=3)
        (cls.path / "world").mkdir()
        cls.world = World(cls.path / "world", sizes)
        cls.addClassCleanup(cls.world.stop)
        feed = cls.world.new_folder("feed")
        server = PageServer(feed)
        month = Month(cls.world, EMPLOYEES, COMPANIES).night("feed")
        write_pages(month.output("extract", "feed"), feed, server.url)
        cls.config = feed / "pipeline.yaml"
        server.__enter__()
        cls.addClassCleanup(server.__exit__)
        cls.database = cls.world.use_database()
        cls.slurm = Slurm(cls.path / "slurm")
        cls.addClassCleanup(cls.slurm.stop)
        cls.slurm.start()

    def options(self, staging):
        return ["--config", str(self.config), "--staging", str(staging), "--as-of", AS_OF, "--quiet"]

    def environment(self, database):
        self.database.fresh(database)
        return {**self.database.of(database), "PERIOD": PERIOD, "RUN_ID": "night", "ALAN_PREFIX": f"{BIN}/",
                "ALAN_NIGHTLY": str(DEPLOY / "nightly.sh")}

    def outcome(self, staging, database):
        stages = {stage: staged(staging, PERIOD, "night", stage) for stage in ("extract", "transform")}
        return stages, loaded(lambda sql: self.database.psql(database, sql))

    def test_union_of_shards_is_the_whole(self):
        whole, shards = self.path / "whole", self.path / "shards"
        subprocess.run([DEPLOY / "nightly.sh", *self.options(whole)], env=self.environment("whole"), check=True,
                       stdout=subprocess.DEVNULL)
        status, printed, nodes = self.slurm.array(SHARDS, DEPLOY / "slurm.sh", *self.options(shards),
                                                  **self.environment("shards"))
        self.assertEqual(status, 0, printed)
        self.assertEqual(set(nodes), set(NODES), "both nodes had work")
        staged_whole, loaded_whole = self.outcome(whole, "whole")
        staged_shards, loaded_shards = self.outcome(shards, "shards")
        self.assertEqual(len(staged_whole["extract"]["companies"]), COMPANIES)
        for stage, records in staged_whole.items():
            self.assertEqual(differences(staged_shards[stage], records), [], stage)
        self.assertEqual(differences(loaded_shards, loaded_whole), [])

    def test_what_waits_for_a_person_fails_the_job(self):
        status, printed, _ = self.slurm.array(2, DEPLOY / "slurm.sh", "--config", "/nowhere.yaml",
                                              **self.environment("none"))
        self.assertEqual(status, 78, printed)

    def test_partial_is_done_and_told(self):
        nightly = self.path / "partial.sh"
        nightly.write_text("#!/bin/sh\nexit 3\n", encoding="ascii")
        nightly.chmod(0o755)
        status, printed, _ = self.slurm.array(2, DEPLOY / "slurm.sh", ALAN_NIGHTLY=str(nightly))
        self.assertEqual(status, 0, printed)
        self.assertEqual(self.slurm.says("scontrol", "-o", "show", "job").count("Comment=partial"), 2)


if __name__ == "__main__":
    unittest.main()
