#!/usr/bin/env python3
"""Runs a command and prints what it took: wall time and processor time of all its processes in ms, and the peak memory
of the largest of them in KiB. Its output goes to stderr only when it fails; its status becomes ours.

    measure.py COMMAND [ARGUMENT ...]
"""
import os
import sys
import tempfile
import time


def main(command):
    with tempfile.TemporaryFile() as output:
        began = time.monotonic_ns()
        pid = os.posix_spawnp(
            command[0], command, os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)])
        _, status, usage = os.wait4(pid, 0)
        wall_ms = (time.monotonic_ns() - began) // 1_000_000
        if status:
            output.seek(0)
            sys.stderr.buffer.write(output.read())
            return os.waitstatus_to_exitcode(status) & 255
    print(wall_ms, round((usage.ru_utime + usage.ru_stime) * 1000), usage.ru_maxrss)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
