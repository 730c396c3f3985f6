"""What a command took: wall time, processor time of all its processes, memory."""
import dataclasses
import mmap
import os
import pathlib
import subprocess
import sys
import tempfile
import time


@dataclasses.dataclass(frozen=True)
class Took:
    wall_s: float
    cpu_s: float


class Failed(Exception):
    pass


def _spawn(command, env, cwd, output):
    return subprocess.Popen([str(word) for word in command], env=env, cwd=cwd, stdout=output, stderr=output,
                            stdin=subprocess.DEVNULL, start_new_session=True)


def _end(process, command, status, output):
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        output.seek(0)
        sys.stderr.buffer.write(output.read()[-4000:])
        raise Failed(f"{' '.join(map(str, command))[:300]} ended with {process.returncode}")


def have_memory(size):
    """Free memory of a virtual machine may be with its host, which hands it out again at the first touch, page by page:
    that takes up to 2 s a GiB. Whoever needs much of it is measured with it at hand."""
    if size:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def into_memory(file):
    with open(file, "rb") as opened:
        while opened.read(1 << 20):
            pass


def leave_memory(files):
    """What is in these files will not be asked for again: they give up the memory that they are held in, but for those
    that have another name as well."""
    os.sync()
    for file in files:
        if file.stat().st_nlink == 1:
            with open(file, "rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(command, env=None, cwd=None):
    """Runs a command; what it prints is shown only when it fails. It meets a disk that has nothing left to write: how much
    the command before has left to it, whoever's that was, is no part of the figure."""
    os.sync()
    with tempfile.TemporaryFile() as output:
        began = time.monotonic_ns()
        process = _spawn(command, env, cwd, output)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = (time.monotonic_ns() - began) / 1e9
        _end(process, command, status, output)
    return Took(wall_s, usage.ru_utime + usage.ru_stime)


def _family(process):
    """The number of a process and those of the children that its threads have."""
    yield process
    for children in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            yield from _family(child)


def _family_kib(process):
    """Memory of a process and its children, what they share counted once: (all, without files that they map)."""
    total = anonymous = 0
    try:
        for one in _family(process):
            with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as rollup:
                kib = {line.split(":")[0]: int(line.split()[1]) for line in rollup if line.startswith("Pss")}
            total += kib.get("Pss", 0)
            anonymous += kib.get("Pss_Anon", 0) + kib.get("Pss_Shmem", 0)
    except OSError:
        pass  # one has just ended
    return total, anonymous


@dataclasses.dataclass(frozen=True)
class Peak:
    mib: float
    anonymous_mib: float

    def __str__(self):
        return f"{self.mib:.1f} MiB, {self.anonymous_mib:.1f} without mapped files"


def peak(command, env=None, cwd=None, interval_s=0.0002):
    """The most memory that a command and all its children held together. Watching costs time: nothing is timed here."""
    most = anonymous = 0
    with tempfile.TemporaryFile() as output:
        process = _spawn(command, env, cwd, output)
        while True:
            pid, status, _ = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            now = _family_kib(process.pid)
            most, anonymous = max(most, now[0]), max(anonymous, now[1])
            time.sleep(interval_s)
        _end(process, command, status, output)
    return Peak(most / 1024, anonymous / 1024)
