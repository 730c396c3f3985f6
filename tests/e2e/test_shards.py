"""The sample's month in four shards under GNU parallel, each a night of its own, against the same month in one go."""
import pathlib
import subprocess
import unittest

from harness import AS_OF, BIN, PERIOD, ROOT, Pipeline
from shards import differences, loaded, staged

NIGHTLY = ROOT / "common" / "deploy" / "nightly.sh"
SHARDS = 4


class Shards(unittest.TestCase):
    def night(self, *command):
        """Runs nightly.sh, as the command has it, in a world of its own: what it staged and what it loaded."""
        world = Pipeline()
        self.addCleanup(world.close)
        staging = pathlib.Path(world.path, "staging")
        env = {**world.env, "PERIOD": PERIOD, "RUN_ID": "night", "ALAN_PREFIX": f"{BIN}/"}
        options = ["--config", str(world.config), "--staging", str(staging), "--as-of", AS_OF, "--quiet"]
        done = subprocess.run([*command, *options], env=env, cwd=ROOT, timeout=300, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        stages = {stage: staged(staging, PERIOD, "night", stage) for stage in ("extract", "transform")}
        return stages, loaded(world.psql)

    def test_union_of_shards_is_the_whole(self):
        staged_whole, loaded_whole = self.night(NIGHTLY)
        staged_shards, loaded_shards = self.night(
            "bash", "-c", f"args=$(printf ' %q' \"$@\"); parallel --will-cite -j {SHARDS} "
            f"{NIGHTLY} --shard '{{}}/{SHARDS}' \"$args\" ::: $(seq 0 {SHARDS - 1})", "shards")
        self.assertIn("contributions", staged_whole["transform"])
        for stage, whole in staged_whole.items():
            self.assertEqual(differences(staged_shards[stage], whole), [], stage)
        self.assertEqual(differences(loaded_shards, loaded_whole), [])
        self.assertTrue(loaded_whole["contribution"].strip())


if __name__ == "__main__":
    unittest.main()
