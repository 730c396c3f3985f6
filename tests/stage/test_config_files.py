"""Files that the configuration names and that cannot be opened: a wrong name or missing rights are its own fault (78), a
failing disk is not (74), nor is a want of memory (75)."""
import errno
import json
import os
import subprocess
import unittest

from fetching import CONFIG, TRY_AGAIN, FetchTest, Result
from harness import TRACED

IO = 74
OPEN = {"EIO": IO, "ESTALE": IO, "ETIMEDOUT": IO, "EMFILE": IO, "EACCES": CONFIG, "ENOENT": CONFIG, "ELOOP": CONFIG}
FAULTS = [*(("openat", fault, status) for fault, status in OPEN.items()), ("mmap", "ENOMEM", TRY_AGAIN),
          ("mmap", "EIO", IO)]


class ConfigurationFiles(FetchTest):
    def refused(self, path, config=None):
        """strace makes what opens the file fail as a disk, a file server or a process without descriptors does."""
        command = self.command(config=config or self.configure())
        for call, fault, status in FAULTS:
            with self.subTest(file=path.name, call=call, fault=fault):
                tracer = ["strace", "-f", "-o", str(self.folder / "trace"), "-P", str(path),
                          f"--inject={call}:error={fault}"]
                result = Result(subprocess.run([*tracer, *command], env=self.env | TRACED, capture_output=True,
                                               text=True, timeout=120), 0)
                self.assertEqual(result.status, status, result.stderr)
                self.assertIn(f"{path}: {os.strerror(getattr(errno, fault))}", result.report["error"])
        self.assertEqual(self.server.requests, [])
        self.assertFalse((self.folder / "staging").exists())

    def test_configuration(self):
        self.refused(self.folder / "pipeline.yaml")

    def test_secret(self):
        secret = self.folder / "token"
        secret.write_text("t0ken\n", encoding="ascii")
        self.source["auth"] = {"kind": "bearer", "token": f"file:{secret}"}
        self.refused(secret)

    def test_companies_file(self):
        config, companies = self.configure(), self.folder / "companies.csv"
        companies.write_text("id;siren\nacme;404833048\n", encoding="ascii")
        settings = json.loads(config.read_text(encoding="utf-8"))
        del settings["companies"]
        config.write_text(json.dumps({**settings, "companies_file": str(companies)}), encoding="utf-8")
        self.refused(companies, config)

    def test_description(self):
        self.refused(self.folder / "feed.yaml")


if __name__ == "__main__":
    unittest.main()
