"""Memory that runs out in extract."""
import unittest

from exhausted import Exhausted


class ExhaustedExtract(Exhausted):
    def test_extract(self):
        self.sweep("extract-continued", 15)

    def test_extract_of_answers(self):
        self.sweep("extract", 5)


if __name__ == "__main__":
    unittest.main()
