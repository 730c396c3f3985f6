"""The executables are built to make an error of memory hard to use: what their ELF headers tell."""
import subprocess
import unittest

from harness import BUILT

STAGES = ("extract", "transform", "load")


def readelf(stage, *what):
    return subprocess.run(["readelf", "-W", *what, BUILT / stage], check=True, capture_output=True, text=True).stdout


def each(*what):
    return [readelf(stage, *what) for stage in STAGES]


class Hardening(unittest.TestCase):
    def test_position_independent(self):
        for header in each("-h"):
            self.assertIn("DYN (Position-Independent Executable file)", header)

    def test_relocations_are_read_only_and_bound_at_the_start(self):
        for text in each("-l", "-d"):
            self.assertIn("GNU_RELRO", text)
            self.assertRegex(text, r"FLAGS_1.*NOW.*PIE")

    def test_no_segment_is_writable_and_executable(self):
        for text in each("-l"):
            self.assertNotRegex(text, r"(LOAD|GNU_STACK) .* RWE ")
            self.assertRegex(text, r"GNU_STACK .* RW ")

    def test_stack_and_library_calls_are_guarded(self):
        for text in each("--dyn-syms"):
            self.assertIn("__stack_chk_fail", text)
            self.assertRegex(text, r"__(memcpy|snprintf|vsnprintf)_chk")


if __name__ == "__main__":
    unittest.main()
