"""Failing calls: each system call of each stage refused in turn, with what a full or broken disk, a lost connection, a
process without descriptors or a signal answers. The exit status is one of README's table, the message says what and why,
nothing half done is seen, and the same command again makes what an undisturbed run does."""
import errno
import os

from scenarios import DONE
from sweep import Sweep
from tracing import STAGING, calls, inject, struck

FILE = {
    "openat": ("EMFILE", "EIO", "EACCES"), "write": ("ENOSPC", "EIO", "EINTR"), "writev": ("ENOSPC", "EIO", "EINTR"),
    "fsync": ("EIO", "ENOSPC", "EINTR"), "rename": ("EIO", "ENOSPC"), "link": ("EMLINK",), "mkdir": ("ENOSPC", "EACCES"),
    "unlink": ("EIO",), "unlinkat": ("EIO",), "ftruncate": ("EIO",), "fchmod": ("EPERM",),
    "chmod": ("EPERM",), "flock": ("ENOLCK",), "close": ("EIO", "EINTR"), "newfstatat": ("EIO",), "getdents64": ("EIO",),
    "read": ("EIO", "EINTR"), "mmap": ("ENOMEM",),
}
# sendto is not told that the connection is gone: no kernel says so and then keeps it open, and libpq, which reads on for
# the server's last words, would wait for idle_in_transaction_session_timeout.
NETWORK = {
    "socket": ("EMFILE",), "socketpair": ("EMFILE",), "connect": ("ECONNREFUSED", "ETIMEDOUT"), "getsockopt": ("ENOBUFS",),
    "sendto": ("EINTR",), "recvfrom": ("ECONNRESET", "EINTR"), "poll": ("EINTR", "ENOMEM"),
}
PROCESS = {"clone": ("EAGAIN",), "clone3": ("EAGAIN",), "wait4": ("EINTR",), "getrandom": ("ENOSYS",), "prlimit64": ("EPERM",)}
NAMES = {**FILE, **NETWORK, **PROCESS}

# Exit statuses: what the table of README.md says.
CANNOT_CREATE, IO, TRY_AGAIN, UNAVAILABLE, CONFIGURATION = 73, 74, 75, 69, 78
STATUSES = {
    "EINTR": (), "ENOSPC": (CANNOT_CREATE,), "EIO": (IO, CANNOT_CREATE), "EMFILE": (IO, CANNOT_CREATE, TRY_AGAIN, UNAVAILABLE),
    "EACCES": (IO, CANNOT_CREATE, CONFIGURATION), "EPERM": (IO, CANNOT_CREATE), "ENOLCK": (IO,), "EMLINK": (IO,),
    "ENOMEM": (TRY_AGAIN, IO), "EAGAIN": (TRY_AGAIN,), "ECONNRESET": (TRY_AGAIN, UNAVAILABLE), "ENOBUFS": (TRY_AGAIN, UNAVAILABLE),
    "ECONNREFUSED": (UNAVAILABLE,), "ETIMEDOUT": (UNAVAILABLE,), "ENOSYS": (),
}
DONE_WITHOUT = "source bases failed, which is optional"
SAID_OF_SERVICES = ("database", ".sql: ", "alan: ", "payroll: ", "the services", "out of memory",
                    "a worker process")


class Failing(Sweep):
    counts = "faults injected"

    def points(self, scenario):
        with scenario.trial() as trial:
            found = calls(trial, NAMES, self.trace)
        return [(call, fault) for call in found for fault in NAMES[call.name]]

    def sweep(self, name, kind=lambda call, fault: (call.name, fault), among=tuple(NAMES)):
        super().sweep(name, kind, 4, lambda call, fault: call.name in among)

    def attempt(self, scenario, call, fault):
        with scenario.trial() as trial:
            result = trial.run(tracer=inject(trial.staging, call, f"error={fault}", self.trace))
            all_struck = struck(call, trial.staging, self.trace)
            call = all_struck[0]
            if DONE_WITHOUT in result.stderr:   # a published run that says what it lacks
                self.assertIn(result.status, DONE)
                self.assertIn(call.path, result.stderr)
                self.assertIn(os.strerror(getattr(errno, fault)), result.stderr)
                self.assertEqual(trial.scars(), "")
                return
            self.assertEqual(trial.wounds(), "")
            if result.status in DONE:
                self.assertEqual(trial.state(), scenario.expected)
            else:
                self.assertIn(result.status, STATUSES[fault] if call.path or call.name != "write" else (IO,), result.stderr)
                self.assert_told(trial, all_struck, fault, result)
            self.assertEqual(trial.scars(), "")

    def assert_told(self, trial, all_struck, fault, result):
        """The message names the file, or what was asked of whom, and the cause: of the first call that mattered."""
        call = all_struck[0]
        if result.report is None:    # its standard output failed
            self.assertIn("cannot write the final line to standard output", result.stderr)
            return
        self.assertEqual(result.report["status"], "failed")
        said = result.report["error"]
        if call.name not in FILE:
            self.assertTrue(any(text in said for text in SAID_OF_SERVICES), said)
            return
        files = [one.path.replace(STAGING, str(trial.staging)).removesuffix(".tmp").rstrip("/").rsplit("/", 1)[-1]
                 for one in all_struck]
        if call.worker or trial.scenario.name != "transform-workers":   # else a worker may have come first
            self.assertTrue(any(file in said for file in files), f"{files}: {said}")
        self.assertIn(os.strerror(getattr(errno, fault)), said)
