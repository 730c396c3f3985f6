"""Many random companies through build/bin/transform at once, and what it made of each."""
import json
import os
import pathlib
import random
import subprocess
import tempfile

import generator
import staging

BIN = staging.ROOT / os.environ.get("BUILD", "build") / "bin"
CONFIG = """version: 1
rules: %s
companies:
  - { id: c0, siren: "404833048" }
sources: {}
"""


class Batch:
    """Companies under one configuration: [(company values, {entity: [values]})]."""
    run_id = "r1"

    def __init__(self, run, companies, per_part=None):
        self.run, self.companies = run, companies
        self.folder = tempfile.TemporaryDirectory(prefix="property-")
        self.path = pathlib.Path(self.folder.name)
        self.config = self.path / "pipeline.yaml"
        self.config.write_text(CONFIG % json.dumps(run.rules), encoding="utf-8")
        writer = staging.Writer(self.path / "staging", "extract", self.run_id, run.period, run.as_of)
        writer.write(companies, per_part=per_part)

    def transform(self, *options):
        """Output as {company: {entity: [lines]}}; a run of many companies may reject records and still end well."""
        command = [BIN / "transform", "--config", self.config, "--staging", self.path / "staging",
                   "--period", self.run.period, "--progress", "never", "--quiet", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in (0, 3):
            raise AssertionError(f"transform ended with {done.returncode}: {done.stderr}")
        return self.output()

    def output(self, folder="transform"):
        found = {company["company_id"]: {} for company, _ in self.companies}
        for path in sorted((self.path / "staging" / self.run.period / self.run_id / folder).glob("*.ndjson")):
            entity = path.name.split("-")[0].removesuffix(".ndjson")
            for line in path.read_bytes().splitlines():
                company_id = json.loads(line)["company_id"]
                found[company_id].setdefault(entity, []).append(line)
        return found

    def files(self, folder="transform"):
        """Every file of the output, manifest and all."""
        path = self.path / "staging" / self.run.period / self.run_id / folder
        return {x.name: x.read_bytes() for x in path.iterdir()}

    def close(self):
        self.folder.cleanup()


def records(output, entity):
    return [json.loads(line) for line in output.get(entity, [])]


def transform_once(run, companies, *options, per_part=None):
    batch = Batch(run, companies, per_part)
    try:
        return batch.transform(*options)
    finally:
        batch.close()


def draw(seed, count):
    """A run and so many companies of one seed."""
    run = generator.run_of(random.Random(seed))
    return run, [generator.company(f"c{number}", f"{seed}:{number}", run) for number in range(count)]
