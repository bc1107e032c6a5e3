"""Generated consumers do the same in the simulated world and on a real Daphne.

Two clients play each: compared are the answer to the handshake, the frames and their order, the
close, the events that reach the application, and how it ends.
"""

import random
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.engine.model.awkward import bytes_step, text_step
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.steps import parse_step
from lessons.workshop.engine.subject import Subject
from tests.support import generated_consumers
from tests.support.generated_consumers import DATA, TEXTS
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, stay

CONSUMERS = 150
SUBJECT = Subject("generated", Path(generated_consumers.__file__), "application")


@dataclass
class Seen:
    """What one client saw, and what its application received and how it ended."""

    status: int | None = None
    subprotocol: str | None = None
    frames: list = field(default_factory=list)
    end: int | str | None = None  # the close code; how it ends if the client itself leaves
    lines: list = field(default_factory=list)


def steps_of(number):
    """A conversation of two clients. All are idle before each step."""
    chance = random.Random(-number)
    first = generated_consumers.plan_of(number)["connect"]
    chosen = any("subprotocol" in action[1] for action in first if action[0] == "send")
    steps = []
    for client in (1, 2):
        offered = chance.choice(("", "subprotocols=chess", "subprotocols=chess,chat"))
        offered = "subprotocols=chess,chat" if chosen else offered
        steps.append(parse_step(f"{client} connect /{number}/ ?name={number}.{client} {offered}"))
    for _ in range(chance.randint(2, 6)):
        client, is_text = chance.choice((1, 2)), chance.random() < 0.7
        text, data = chance.choice(TEXTS), chance.choice(DATA)
        steps.append(text_step(text, client) if is_text else bytes_step(data, client))
    ends = ("close", "close 1000", "close 1001", "close 4001", "vanish")
    return [*steps, *(parse_step(f"{client} {chance.choice(ends)}") for client in (2, 1))]


# In the simulated world


def in_simulation(player, number):
    """What each client saw, and after each step: how many handlers ran, and whether it ended."""
    steps = steps_of(number)
    report = player.play(steps)
    seen = {1: Seen(), 2: Seen()}
    for step, burst in zip(steps, report.bursts, strict=True):
        for client, own in burst.clients.items():
            for _, message in own.received:
                _note(seen[client], message)
        is_open = seen[step.client].status == 101 and seen[step.client].end is None
        if is_open and step.action in ("close", "vanish"):
            seen[step.client].end = step.action
        for client, own in burst.clients.items():
            if own.raised and seen[client].status is None:
                seen[client].status = 500
            elif own.raised and seen[client].status == 101 and seen[client].end is None:
                seen[client].end = 1011
    for client, one in seen.items():
        one.lines = _lines_of(report.output.splitlines(), f"{number}.{client}")
    progress = [
        {client: (own.handled, own.ended) for client, own in burst.clients.items()}
        for burst in report.bursts
    ]
    return seen, progress


def _note(seen, message):
    match message["type"]:
        case "websocket.accept":
            seen.status, seen.subprotocol = 101, message.get("subprotocol")
        case "websocket.send":
            text = message.get("text")
            seen.frames.append(message["bytes"] if text is None else text)
        case "websocket.close" if seen.status is None:
            seen.status = 403
        case "websocket.close":
            seen.end = message.get("code", 1000)


def _lines_of(lines, name):
    own = (line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} "))
    return [line for line in own if line != "ready"]


# On a real server


class RealClient:
    def __init__(self, port, step, stack):
        arguments = step.arguments
        url = f"ws://127.0.0.1:{port}{arguments['path']}?{arguments['query']}"
        self.seen, self.connection = Seen(), None
        options = {"proxy": None, "open_timeout": TEST_TIMEOUT, "compression": None}
        offered = arguments.get("subprotocols")
        try:
            self.connection = stack.enter_context(connect(url, subprotocols=offered, **options))
            self.seen.status, self.seen.subprotocol = 101, self.connection.subprotocol
        except InvalidStatus as refused:
            self.seen.status = refused.response.status_code

    def take(self, step):
        match step.action:
            case "text":
                self.connection.send(step.arguments["text"])
            case "bytes":
                self.connection.send(bytes.fromhex(step.arguments["hex"]))
            case "vanish":
                self.seen.frames += frames_so_far(self.connection)
                self.connection.socket.shutdown(socket.SHUT_RDWR)
                self.finish(step.action)
            case "close":
                self.seen.frames += frames_so_far(self.connection)
                if code := step.arguments.get("code"):
                    self.connection.close(code)
                else:
                    with self.connection.send_context():
                        self.connection.protocol.send_close()
                self.finish(step.action)

    def finish(self, end=None):
        """Read until the connection is closed."""
        if self.connection and self.seen.end is None:
            self.seen.frames += stay(self.connection)
            self.seen.end = end or self.connection.close_code


def frames_so_far(connection):
    """The frames that were sent before the answer to a ping."""
    connection.ping().wait(TEST_TIMEOUT)
    frames = []
    try:
        while True:
            frames.append(connection.recv(timeout=0))
    except TimeoutError:
        return frames


def on_daphne(daphne, number, progress, stack):
    """What each client sees. `progress` says for which handlers and ends to wait after a step."""
    clients, ends = {}, {}
    for step, expected in zip(steps_of(number), progress, strict=True):
        if step.action == "connect":
            clients[step.client] = RealClient(daphne.port, step, stack)
        elif step.client not in ends:
            clients[step.client].take(step)
        for client, (handled, has_ended) in expected.items():
            name = f"{number}.{client}"
            for _ in range(handled):
                daphne.wait_for_line(f"{name} ready")
            if has_ended and client not in ends:
                ends[client] = daphne.wait_for_line(f"{name} over")
                clients[client].finish()
    for client, one in clients.items():
        one.seen.lines = [*daphne.lines_of(f"{number}.{client}"), f"over{ends[client]}"]
    return {client: one.seen for client, one in clients.items()}


def test_generated_consumers_do_the_same_on_a_real_server():
    differ = {}
    with PlayerHandle(SUBJECT) as player, RealDaphne("demo", "generated") as daphne:
        for number in range(CONSUMERS):
            simulated, progress = in_simulation(player, number)
            with ExitStack() as stack:
                real = on_daphne(daphne, number, progress, stack)
            if real != simulated:
                differ[number] = simulated, real
    assert differ == {}
