"""Memory that runs out in transform."""
import unittest

from exhausted import Exhausted


class ExhaustedTransform(Exhausted):
    def test_transform(self):
        self.sweep("transform", 15)

    def test_transform_with_workers(self):
        self.sweep("transform-workers", 10)


if __name__ == "__main__":
    unittest.main()
