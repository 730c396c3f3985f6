"""A proxy between a program and PostgreSQL's socket that reads what the program sends, message by message, and does
something at one of them: cuts the line before or after it has gone through, or lets a test act while the program
waits."""
import os
import shutil
import socket
import struct
import tempfile
import threading
import time


class Message:
    """One message of the frontend: type ("" for the first of a connection), bytes, its number from 0, and the query
    that it is part of."""

    def __init__(self, kind, data, number, query):
        self.kind, self.data, self.number = kind, data, number
        self.query = data if kind in ("Q", "P") else query

    def says(self, text):
        """What makes the server carry out a query that holds the text: the query itself, or the Sync of an extended
        one."""
        return self.kind in ("Q", "S") and text.encode() in self.query


class Cut(Exception):
    """Raised by an action: the line is cut; passed tells whether the message still goes to the server."""

    def __init__(self, passed=False):
        super().__init__()
        self.passed = passed


def cut(message):
    """Instead of passing the message on."""
    raise Cut()


def cut_behind(message):
    """Once the server has had the message, before its answer comes back."""
    raise Cut(passed=True)


class Proxy:
    """Listens in a folder of its own (`folder`, for PGHOST). action(message) is called at the first `times` messages
    for which when(message) is true; `done` counts them, `messages` is everything that was sent."""

    def __init__(self, env, when=None, action=cut, times=1):
        self.server = f"{env['PGHOST']}/.s.PGSQL.{env['PGPORT']}"
        self.when, self.action, self.times = when, action, times
        self.done, self.messages, self.lock, self.fault = 0, [], threading.Lock(), None
        self.folder = tempfile.mkdtemp(prefix="pgproxy-")

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, os.path.basename(self.server)))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.folder)
        if self.fault:
            raise self.fault
        assert self.done or not self.when, "the message never came"

    def go_away(self):
        """Nobody is there for the next connection."""
        os.unlink(os.path.join(self.folder, os.path.basename(self.server)))

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        answers = None
        try:
            server.connect(self.server)
            gone = threading.Event()
            answers = threading.Thread(target=self.back, args=(server, client, gone), daemon=True)
            answers.start()
            self.forward(client, server, gone)
        except OSError:
            pass
        self.hang_up(client)
        self.hang_up(server)
        if answers:
            answers.join()
        client.close()
        server.close()

    def forward(self, client, server, gone):
        stream, message = client.makefile("rb"), None
        while message := self.read(stream, message):
            line = self.act(message)
            if line:
                gone.set()
            if not line or line.passed:
                server.sendall(message.data)
            if line:
                time.sleep(0.5 if line.passed else 0)
                return

    def act(self, message):
        """The Cut when the line is to be cut here. What else an action raises is for the test to see, in __exit__."""
        try:
            if self.is_the_one(message):
                self.action(message)
        except Cut as line:
            return line
        except Exception as fault:
            self.fault = fault
            return Cut()
        return None

    def read(self, stream, before):
        kind = stream.read(1) if before else b""
        head = stream.read(4)
        if len(head) < 4:
            return None
        data = kind + head + stream.read(struct.unpack("!I", head)[0] - 4)
        with self.lock:
            message = Message(kind.decode(), data, len(self.messages), before.query if before else b"")
            self.messages.append(message)
        return message

    def is_the_one(self, message):
        with self.lock:
            if not self.when or self.done == self.times or not self.when(message):
                return False
            self.done += 1
            return True

    def back(self, server, client, gone):
        try:
            while data := server.recv(1 << 16):
                if not gone.is_set():
                    client.sendall(data)
        except OSError:
            pass
        self.hang_up(client)   # also behind a reset: the program must not wait for an answer

    @staticmethod
    def hang_up(line):
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
