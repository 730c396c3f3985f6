"""Faults at system calls, by strace: which calls a run makes, and a run in which one of them goes wrong."""
import collections
import random
import re
import typing

from tally import FULL, SEED

BEGINNING = "umask"     # what stage.c calls when main has begun: before it the loader is at work
STAGING = "/@"          # stands for a trial's staging directory in a path
COUNTS = ".gcda"        # what `make coverage` has the compiler count is no work of the run's
FOLDER = re.compile(r"AT_FDCWD(<[^>]*>)?")
LINE = re.compile(r"^(\d+) +(\w+)\((.*)")
PATH = re.compile(r'<(/[^>]*)>|"(/[^"]*)"')


class Call(typing.NamedTuple):
    """The nth call of a name: by the first process, or on a path by a worker, a process or a thread."""
    name: str
    nth: int
    path: str
    worker: bool

    @property
    def kind(self):
        """Calls of one kind are the same line of code at work on another record, company or page."""
        file = self.path.rsplit("/", 1)[-1]
        return self.name, re.sub(r"^[\w-]+(?=\.(ndjson|spool|done))", "*", file), self.worker

    @property
    def place(self):
        """More broadly: what a call has to do with, of staged files, folders and others."""
        file = self.path.rsplit("/", 1)[-1]
        return file.rpartition(".")[2] if self.path.startswith(STAGING) else "elsewhere" if file else "", self.worker

    def __str__(self):
        return f"{self.name} {self.nth} {self.path.rsplit('/', 1)[-1]}{' of a worker' if self.worker else ''}"


def calls(trial, names, trace):
    """The calls of these names that an undisturbed run makes."""
    result = trial.run(tracer=["strace", "-f", "-y", "-s", "0", "-o", str(trace), "--seccomp-bpf",
                               "-e", "trace=" + ",".join([BEGINNING, *names])])
    assert result.status == trial.scenario.status, result.stderr
    return parse(trace.read_text(errors="replace").replace(str(trial.staging), STAGING))


def parse(text):
    found, count, first, begun = [], collections.Counter(), None, False
    for entry in filter(None, map(LINE.match, text.splitlines())):
        process, name, rest = entry.groups()
        first = first or process
        path, worker = path_of(rest), process != first
        begun = begun or name == BEGINNING
        key = (name, path) if worker else name
        count[key] += 1
        if begun and name != BEGINNING and (path or not worker) and not path.endswith(COUNTS):
            found.append(Call(name, count[key], path, worker))
    return found


def path_of(rest):
    """What a call is about, of a line of strace behind the call's name."""
    paths = [a or b for a, b in PATH.findall(FOLDER.sub("", rest.split(" = ")[0]))]
    return paths[0] if paths else ""


def struck(call, staging, trace):
    """The calls that were refused: of transfers under way at a time, the nth to be written may be another one's, and each
    process and thread has an nth."""
    begun, found = {}, []
    for text in trace.read_text(errors="replace").replace(str(staging), STAGING).splitlines():
        process, what = text.split(maxsplit=1)
        entry = LINE.match(text)
        if entry:                       # its end may come as "<... write resumed>"
            begun[process] = entry[3]
        if what.endswith("(INJECTED)"):
            found.append(call._replace(path=path_of(begun[process])))
    return found or [call]


def inject(staging, call, what, trace):
    """The command line that lets `what` (signal=…, error=…) befall this call. A signal is lost at the stop of a filter, so
    only errors are made quick by one."""
    quick = [] if what.startswith("signal") else ["--seccomp-bpf"]
    only = ["-P", call.path.replace(STAGING, str(staging))] if call.worker else []
    return ["strace", "-f", "-y", "-s", "0", "-o", str(trace), *quick, *only, "-e", f"trace={call.name}",
            f"--inject={call.name}:{what}:when={call.nth}"]


def chosen(points, kind, more, salt=""):
    """All of the points, or in a sample one of each kind and some more, drawn by the seed."""
    points = list(points)
    if FULL:
        return points
    draw = random.Random(f"{SEED} {salt}")
    draw.shuffle(points)
    first = {}
    for point in points:
        first.setdefault(kind(point), point)
    rest = [point for point in points if first[kind(point)] is not point]
    return [*first.values(), *rest[:more]]
