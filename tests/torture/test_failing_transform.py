"""Calls that fail in transform."""
import unittest

from failing import PROCESS, Failing


class FailingTransform(Failing):
    def test_transform(self):
        self.sweep("transform")

    def test_transform_with_workers(self):
        self.sweep("transform-workers", lambda call, fault: (call.name, fault, call.worker), [*PROCESS, "write", "mmap"])


if __name__ == "__main__":
    unittest.main()
