"""Calls that fail in extract."""
import unittest

from failing import FILE, NETWORK, PROCESS, Failing


class FailingExtract(Failing):
    def test_extract(self):
        """What it asks for and keeps; what it makes of that is begun where it was received."""
        self.sweep("extract", among=[*NETWORK, *PROCESS, "writev"])

    def test_extract_that_goes_on(self):
        self.sweep("extract-continued", among=FILE)

    def test_extract_of_a_second_night(self):
        self.sweep("extract-again", lambda call, fault: call.name, ["link", "unlink", "rename", "newfstatat"])


if __name__ == "__main__":
    unittest.main()
