"""Calls that fail in load."""
import unittest

from failing import NETWORK, Failing


class FailingLoad(Failing):
    def test_load(self):
        self.sweep("load")

    def test_load_of_a_second_night(self):
        self.sweep("load-again", among=NETWORK)

    def test_close(self):
        self.sweep("close", among=NETWORK)

    def test_migrate(self):
        self.sweep("migrate", among=NETWORK)


if __name__ == "__main__":
    unittest.main()
