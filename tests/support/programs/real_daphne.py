"""A real Daphne and a real WebSocket client, to see what Daphne does with each event."""

import ast
import itertools
from dataclasses import dataclass, field
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


def left(code):
    return {"type": "websocket.disconnect", "code": code}


def open_client(server, path, **options):
    """A client of the program, for a visit that may not end."""
    url = f"ws://127.0.0.1:{server.port}{quote(path, '/?:%')}"
    return connect(url, proxy=None, open_timeout=TEST_TIMEOUT, **options)


def leave(client, code=1000):
    """Read all frames that the server has sent, then close."""
    client.ping().wait(TEST_TIMEOUT)  # the pong arrives after all frames that were sent before it
    frames = []
    try:
        while True:
            frames.append(client.recv(timeout=0))
    except TimeoutError:
        client.close(code)
    return frames


def stay(client):
    """Read frames until the server closes the connection."""
    frames = []
    try:
        while True:
            frames.append(client.recv(timeout=TEST_TIMEOUT))
    except ConnectionClosed:
        return frames


@dataclass
class Visit:
    """One connection as the client saw it, and as the application saw it."""

    status: int | None = None  # of the handshake; None if Daphne dropped it without an answer
    subprotocol: str | None = None
    headers: dict = field(default_factory=dict)
    frames: list = field(default_factory=list)
    close_code: int | None = None
    scope: dict = field(default_factory=dict)
    events: list = field(default_factory=list)


class RealDaphne(RunningProgram):
    """A Daphne in its own process, on a free port; a context manager.

    `RealDaphne("demo", "tasks")` serves the application `tasks` of servers/demo_server.py.
    """

    def __init__(self, program="scripted", application="websocket", **options):
        words = [f"{name}={value}" for name, value in options.items()]
        super().__init__(f"tests.support.servers.{program}_server", application, *words)
        self.numbers = itertools.count()

    def wait_until_ready(self):
        self.port = int(self.wait_for_line("port "))

    def visit(self, *replies, act=leave, path="/", subprotocols=None):
        """Connect, let the application send `replies`, and call `act` with the client.

        Returns the Visit after the application has ended.
        """
        number, visit = next(self.numbers), Visit()
        address = f"{path}?{number}:{quote(repr(list(replies)))}"
        try:
            with open_client(self, address, subprotocols=subprotocols) as client:
                visit.status, visit.headers = 101, dict(client.response.headers)
                visit.subprotocol = client.subprotocol
                visit.frames = act(client)
            visit.close_code = client.close_code
        except InvalidStatus as refused:
            visit.status = refused.response.status_code
        except InvalidHandshake:
            pass
        self.wait_for_line(f"{number} over")
        # literal_eval in two threads at once can raise a SystemError on Python 3.11.
        with self.lines_changed:
            visit.scope, *visit.events = map(ast.literal_eval, self.lines_of(number))
        return visit

    def lines_of(self, number):
        """The lines that the program has printed about this connection."""
        with self.lines_changed:
            lines = [line for line in self.lines if line.startswith(f"{number} ")]
        return [line.removeprefix(f"{number} ") for line in lines]
