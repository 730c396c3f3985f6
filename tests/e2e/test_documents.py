"""What is written down agrees with what is there: the data dictionary with the comments of a migrated database, the guide's
table of discrepancies and of grounds with what the database holds, paths and queries in the documents with the tree."""
import os
import re
import subprocess
import unittest

from harness import BIN, ROOT, cluster_environment


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


class Documents(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.env = {**cluster_environment(), "PGDATABASE": f"documents_{os.getpid()}"}
        subprocess.run(["createdb", cls.env["PGDATABASE"]], env=cls.env, check=True)
        subprocess.run([BIN / "load", "--migrate", "--quiet"], cwd=ROOT, env=cls.env, check=True, capture_output=True)

    def psql(self, *args):
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *args], cwd=ROOT, env=self.env, check=True,
                              text=True, stdout=subprocess.PIPE).stdout

    def test_dictionary_is_that_of_the_comments(self):
        if text_of("sql/DICTIONARY.md") != self.psql("-f", "sql/dictionary.sql"):
            self.fail("sql/DICTIONARY.md is not what the comments say: run make dictionary")


if __name__ == "__main__":
    unittest.main()
