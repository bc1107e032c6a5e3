"""Visits a real Daphne with a real WebSocket client, to see what it does with each event."""

import ast
import itertools
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}

PATIENCE = 30  # seconds, only ever spent by a test that fails


def send(**payload):
    return {"type": "websocket.send", **payload}


def left(code):
    return {"type": "websocket.disconnect", "code": code}


def leave(client, code=1000):
    """Take what has come, then close."""
    client.ping().wait(PATIENCE)  # the pong comes after all that was sent before it
    frames = []
    try:
        while True:
            frames.append(client.recv(timeout=0))
    except TimeoutError:
        client.close(code)
    return frames


def stay(client):
    """Take what comes until the server closes."""
    frames = []
    try:
        while True:
            frames.append(client.recv(timeout=PATIENCE))
    except ConnectionClosed:
        return frames


@dataclass
class Visit:
    """What one client saw, and what the application saw of it."""

    status: int | None = None  # of the handshake; None: dropped without an answer
    subprotocol: str | None = None
    headers: dict = field(default_factory=dict)
    frames: list = field(default_factory=list)
    close_code: int | None = None
    scope: dict = field(default_factory=dict)
    events: list = field(default_factory=list)


class RealDaphne:
    """A Daphne of its own, on a port of its own; a context manager.

    `program` is the module in `package` that serves.
    """

    package = "tests.workshop"

    def __init__(self, program="facts_server", *arguments):
        self.command = [sys.executable, "-m", f"{self.package}.{program}", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.numbers = itertools.count()
        self.lines, self.came = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.port = int(self.says("port "))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            with self.came:
                self.lines.append(line.rstrip("\n"))
                self.came.notify_all()

    def says(self, beginning):
        """The rest of the first line that begins so; taken away, so that it is found once."""

        def found():
            return next((line for line in self.lines if line.startswith(beginning)), None)

        with self.came:
            if not self.came.wait_for(found, PATIENCE):
                raise AssertionError(f"no line {beginning!r} in:\n" + "\n".join(self.lines))
            line = found()
            self.lines.remove(line)
        return line.removeprefix(beginning)

    def visit(self, *replies, act=leave, path="/", subprotocols=None):
        """Connect, let the application send `replies`, do `act`; returns the Visit, all over."""
        number, visit = next(self.numbers), Visit()
        url = f"ws://127.0.0.1:{self.port}{path}?{number}:{quote(repr(list(replies)))}"
        try:
            with connect(url, subprotocols=subprotocols, proxy=None) as client:
                visit.status, visit.headers = 101, dict(client.response.headers)
                visit.subprotocol = client.subprotocol
                visit.frames = act(client)
            visit.close_code = client.close_code
        except InvalidStatus as refused:
            visit.status = refused.response.status_code
        except InvalidHandshake:
            pass
        self.says(f"{number} over")
        seen = [ast.literal_eval(line) for line in self._lines_of(number)]
        visit.scope, visit.events = seen[0], seen[1:]
        return visit

    def _lines_of(self, number):
        with self.came:
            lines = [line for line in self.lines if line.startswith(f"{number} ")]
        return [line.removeprefix(f"{number} ") for line in lines]
