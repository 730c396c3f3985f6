"""Memory that runs out in load."""
import unittest

from exhausted import Exhausted


class ExhaustedLoad(Exhausted):
    def test_load(self):
        self.sweep("load", 20)

    def test_close(self):
        self.sweep("close", 5)

    def test_migrate(self):
        self.sweep("migrate", 3)


if __name__ == "__main__":
    unittest.main()
