"""What is staged is its owner's alone, whatever the umask; a folder that others can write to or that is somebody else's
is refused, and so is a file or manifest that is a link."""
import os
import shutil
import stat
import subprocess
import unittest

import harness

STAGES = ("extract", "transform", "load")


class Private(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = harness.Pipeline()
        cls.addClassCleanup(cls.pipeline.close)
        cls.staging = cls.pipeline.path / "staging"

    def setUp(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.pipeline.path], check=True)
        shutil.rmtree(self.staging, ignore_errors=True)

    def under(self, umask, *args):
        before = os.umask(umask)
        try:
            return self.pipeline.stage(*args)
        finally:
            os.umask(before)

    def test_whatever_the_umask(self):
        for umask in (0o000, 0o077, 0o777):
            with self.subTest(f"{umask:03o}"):
                shutil.rmtree(self.staging, ignore_errors=True)
                for name in STAGES:
                    self.assertEqual(self.under(umask, name).status, 0)
                paths = [self.staging, *self.staging.rglob("*")]
                self.assertGreater(len(paths), 30)
                for path in paths:
                    wanted = 0o700 if path.is_dir() else 0o600
                    self.assertEqual(stat.S_IMODE(path.lstat().st_mode), wanted, path)
                    self.assertFalse(any(name.startswith("system.posix_acl") for name in os.listxattr(path)), path)

    def refused(self, name, text, status=77):
        result = self.pipeline.stage(name)
        self.assertEqual(result.status, status, result.stderr)
        self.assertIn(text, result.stderr)

    def test_a_folder_that_others_write_to(self):
        for mode in (0o777, 0o770, 0o702, 0o1777):
            with self.subTest(f"{mode:04o}"):
                self.staging.mkdir(exist_ok=True)
                self.staging.chmod(mode)
                self.refused("extract", "others can write to folder")
                self.assertEqual(list(self.staging.iterdir()), [])

    def test_after_it_was_filled(self):
        for name in STAGES[:2]:
            self.pipeline.must(name)
        run = self.pipeline.staged("extract").parent
        for path, name in ((self.staging, "load"), (run, "transform"), (run / "transform", "load"), (run / "extract", "transform")):
            with self.subTest(path.name):
                path.chmod(0o777)
                self.refused(name, "others can write to folder")
                path.chmod(0o700)

    @unittest.skipUnless(os.getuid() == 0, "needs root to give a folder away")
    def test_a_folder_of_somebody_else(self):
        self.staging.mkdir()
        os.chown(self.staging, 65534, 65534)
        self.refused("extract", "belongs to user 65534")

    def test_a_link_is_judged_by_where_it_leads(self):
        elsewhere = self.pipeline.path / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        elsewhere.chmod(0o777)
        self.staging.symlink_to(elsewhere)
        self.addCleanup(self.staging.unlink)
        self.refused("extract", "others can write to folder")
        self.assertEqual(list(elsewhere.iterdir()), [])

    def test_a_manifest_or_file_that_is_a_link(self):
        self.pipeline.must("extract")
        folder = self.pipeline.staged("extract")
        for path in (folder / "manifest.json", next(folder.glob("employees-*.ndjson"))):
            with self.subTest(path.name):
                moved = self.pipeline.path / "moved"
                shutil.move(path, moved)
                path.symlink_to(moved)
                self.assertNotIn(self.pipeline.stage("transform").status, (0, 3))
                path.unlink()
                shutil.move(moved, path)
        self.pipeline.must("transform")


if __name__ == "__main__":
    unittest.main()
