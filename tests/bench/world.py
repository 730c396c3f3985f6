"""What the benchmark works on: generated staging folders, the stages' commands, a database."""
import json
import os
import pathlib
import shutil

import measure
from database import Database

PERIOD = "2026-04"
MEMORY_EACH = 9000  # bytes of files, database and cache that stages read and fill for a person


class World:
    """A folder with everything that is made; nothing is deleted before the end, for what a file system does about
    deleted files would be measured with what comes next."""

    def __init__(self, scratch, sizes):
        self.path, self.sizes = pathlib.Path(scratch), sizes
        self.build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()
        self.generator = self.build / "tests" / "bench" / "generate"
        self.database = self._month = self.contest_table = None
        self.made = 0

    def new_folder(self, name):
        self.made += 1
        folder = self.path / f"{name}-{self.made}"
        folder.mkdir()
        return folder

    def month(self):
        """The payroll month that most is measured on; its run is `first`."""
        if not self._month:
            self._month = Month(self, self.sizes.employees, self.sizes.companies).night("first")
        return self._month

    def use_database(self):
        if not self.database:
            self.database = Database(self.path / "cluster", self.build / "bin" / "load", self.month().config)
        return self.database

    def description(self):
        """One line on what was measured, and where."""
        model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                      if line.startswith("model name")), "unknown processor")
        size, rows, by_entity, _ = self.month().totals("extract", "first")
        return (f"{self.sizes.employees:,} employees in {self.sizes.companies:,} companies, {rows:,} records, "
                f"{by_entity['invoice_lines']:,} invoice lines, {size / 1e6:,.0f} MB of NDJSON; "
                f"{os.cpu_count()} cores, {model}; medians of {self.sizes.repeat}; the goals are meant for 500,000 employees")

    def stop(self):
        if self.database:
            self.database.stop()

    def stage(self, name, month, run_id, *more):
        """The command of a stage for one run of a month."""
        return [self.build / "bin" / name, "--config", month.config, "--period", PERIOD, "--run-id", run_id, "--quiet",
                "--progress", "never", *more]


class Month:
    """The staging folder of one population, night after night."""

    def __init__(self, world, employees, companies, even=False, billing_months=None):
        self.world, self.employees, self.companies = world, employees, companies
        self.memory, self.transformed = employees * MEMORY_EACH, None
        self.folder = world.new_folder("month")
        self.staging, self.config = self.folder / "staging", self.folder / "pipeline.yaml"
        self.shape = ["--billing-months", billing_months or world.sizes.billing_months, *(["--even"] if even else [])]

    def night(self, run_id, number=0, changed_ppm=0):
        """Writes extract's output of a night, at which some people have changed since the first."""
        measure.run([self.world.generator, "--employees", self.employees, "--companies", self.companies, "--period",
                     PERIOD, "--staging", self.staging, "--run-id", run_id, "--night", number, "--change-ppm",
                     changed_ppm, "--config-out", self.config, *self.shape])
        return self

    def remove(self):
        shutil.rmtree(self.folder)

    def at_hand(self, run_id):
        """Has the files of a night in memory, as they are where the stage before has just written them."""
        for stage in ("extract", "transform"):
            for file in self.output(stage, run_id).glob("*"):
                measure.into_memory(file)

    def transform_anew(self, run_id):
        """The command that transforms a night into a folder where that was never done: an output that is there already
        would be deleted first, which takes a file system as long as a tenth of the work."""
        if self.transformed:
            measure.leave_memory(self.transformed.glob(f"{PERIOD}/*/transform/*"))
        staging = self.transformed = self.world.new_folder("transformed")
        if self.world.database:
            self.world.database.settle(self.memory)
            self.at_hand(run_id)
        output = staging / PERIOD / run_id / "extract"
        for folder in (staging / PERIOD, staging / PERIOD / run_id, output):
            folder.mkdir(mode=0o700)
        staging.chmod(0o700)
        for file in self.output("extract", run_id).iterdir():
            if file.name != ".lock":
                os.link(file, output / file.name)
        return self.world.stage("transform", self, run_id, "--staging", staging)

    def output(self, stage, run_id):
        return self.staging / PERIOD / run_id / stage

    def totals(self, stage, run_id):
        """(bytes, rows, {entity: rows}, {entity: cents}) as the manifest tells them."""
        manifest = json.loads((self.output(stage, run_id) / "manifest.json").read_text(encoding="utf-8"))
        rows, cents = {}, {}
        for file in manifest["files"]:
            entity = file["name"].split("-")[0].split(".")[0]
            rows[entity] = rows.get(entity, 0) + file["rows"]
            cents[entity] = cents.get(entity, 0) + (file["cents"] or 0)
        return sum(file["bytes"] for file in manifest["files"]), sum(rows.values()), rows, cents
