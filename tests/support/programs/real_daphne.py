"""Visits a real Daphne with a real WebSocket client, to see what it does with each event."""

import ast
import itertools
from dataclasses import dataclass, field
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}


def send(**payload):
    return {"type": "websocket.send", **payload}


def left(code):
    return {"type": "websocket.disconnect", "code": code}


def leave(client, code=1000):
    """Take what has come, then close."""
    client.ping().wait(TEST_TIMEOUT)  # the pong comes after all that was sent before it
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
            frames.append(client.recv(timeout=TEST_TIMEOUT))
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


class RealDaphne(RunningProgram):
    """A Daphne in its own process, on a free port; a context manager.

    `program` is the module of `tests.support.servers` that serves.
    """

    def __init__(self, program="scripted_server", *arguments):
        super().__init__(f"tests.support.servers.{program}", *arguments)
        self.numbers = itertools.count()

    def wait_until_ready(self):
        self.port = int(self.wait_for_line("port "))

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
        self.wait_for_line(f"{number} over")
        with (
            self.lines_changed
        ):  # two threads that parse at once may upset Python 3.11: SystemError
            visit.scope, *visit.events = map(ast.literal_eval, self.lines_of(number))
        return visit

    def lines_of(self, number):
        """What the program has said of this visit."""
        with self.lines_changed:
            lines = [line for line in self.lines if line.startswith(f"{number} ")]
        return [line.removeprefix(f"{number} ") for line in lines]
