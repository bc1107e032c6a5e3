"""Probes for what differs between three ASGI servers, and the command that measures the table.

    python3 -m tests.support.programs.server_probes

A probe is a function of a server. It does the same to any server and returns the result in a few
words. Its docstring is the name of its row. NOTES.md shows the table, and a test compares it with
the servers.
"""

import inspect
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from lessons.workshop.authoring.notes import SERVERS_TABLE, measured_table
from tests.support.programs.real_daphne import (
    ACCEPT,
    CLOSE,
    TEST_TIMEOUT,
    RealDaphne,
    leave,
    send,
    stay,
)

SERVERS = ("Daphne", "uvicorn", "hypercorn")


class Server(RealDaphne):
    """A real server of that kind, in a process: `with Server("uvicorn") as server`."""

    def __init__(self, kind):
        limits = {"handshake": 3, "close": 0.1}
        super().__init__(server=kind, **limits)
        self.kind = kind
        # Daphne kills a consumer that does not stop after 0.1 s here; the others never kill one.
        self.kill_timeout = TEST_TIMEOUT if kind == "Daphne" else 0.3

    def processor_seconds(self):
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])

    def kills(self, number):
        """Whether the server ends the consumer of that number in time."""

        def over():
            return any(line.startswith(f"{number} over") for line in self.lines)

        with self.lines_changed:
            return self.lines_changed.wait_for(over, self.kill_timeout)


def code_of(visit):
    last = visit.events[-1]
    return str(last["code"]) if last["type"] == "websocket.disconnect" else "no disconnect comes"


def death_of(visit):
    """How the consumer died of a reply that the client did not receive."""
    return f"dies, {visit.status if visit.status != 101 else visit.close_code}"


def open_client(server, path, **options):
    """A client for visits that may not end: its consumer may stay, or the server may stop."""
    url = f"ws://127.0.0.1:{server.port}{quote(path, '/?:')}"
    return connect(url, proxy=None, open_timeout=TEST_TIMEOUT, **options)


# What arrives


def unused_key(server):
    """the key that a frame does not use"""
    event = server.visit(ACCEPT, act=lambda client: client.send("a") or leave(client)).events[1]
    return "is `None`" if "bytes" in event else "is left out"


def large_message(server):
    """a message of 1 MiB and one byte"""

    def act(client):
        client.send("x" * (2**20 + 1))
        client.close()

    return (
        "arrives" if "text" in server.visit(ACCEPT, act=act).events[1] else "closes the connection"
    )


def client_closes(server):
    """`code` when the client closes with 3000"""
    return code_of(server.visit(ACCEPT, act=lambda client: leave(client, 3000)))


def bare_close(server):
    """`code` after a browser's `close()`"""

    def act(client):
        with client.send_context():
            client.protocol.send_close()
        return stay(client)

    return code_of(server.visit(ACCEPT, act=act))


def lost_line(server):
    """`code` when the connection is lost"""
    return code_of(server.visit(ACCEPT, act=lambda client: client.socket.close()))


def server_closes(server):
    """`code` after a close by the consumer, with 4001"""
    return code_of(server.visit(ACCEPT, {**CLOSE, "code": 4001}, act=stay))


def refused(server):
    """`code` after a rejection"""
    return code_of(server.visit(CLOSE))


# What the server does with a reply


def headers(server):
    """`headers` of the accept"""
    visit = server.visit({**ACCEPT, "headers": [(b"x-answer", b"42")]})
    return "are sent" if "x-answer" in visit.headers else "are dropped"


def foreign_subprotocol(server):
    """an accept with a subprotocol that was not offered"""
    visit = server.visit({**ACCEPT, "subprotocol": "other"})
    return "is not sent" if visit.status is None and visit.events[1:] else "dies"


def second_accept(server):
    """a second accept"""
    return death_of(server.visit(ACCEPT, ACCEPT, act=stay))


def empty_text(server):
    """an empty text"""
    frames = server.visit(ACCEPT, send(text=""), send(text="after")).frames
    return "is sent" if frames == ["", "after"] else "is dropped"


def both_keys(server):
    """`text` and `bytes` at once"""
    visit = server.visit(ACCEPT, send(text="a", bytes=b"b"), CLOSE, act=stay)
    return f"sends {visit.frames}" if visit.frames else death_of(visit)


def dict_as_text(server):
    """a dict as `text`"""
    return death_of(server.visit(ACCEPT, send(text={"a": 1}), act=stay))


def unknown_type(server):
    """an event of unknown type"""
    visit = server.visit(ACCEPT, {"type": "websocket.sned"}, CLOSE, act=stay)
    return "is ignored" if visit.close_code == 1000 else death_of(visit)


def large_reply(server):
    """a reply of more than 1 MiB"""
    # By default, the client itself closes with 1009 when it receives such a frame.
    path = f"/consumers/Doubles?{next(server.numbers)}:[]"
    with open_client(server, path, max_size=None) as client:
        client.send("x" * (2**19 + 1))
        try:
            client.recv(TEST_TIMEOUT)
        except ConnectionClosed:
            return f"dies, {client.close_code}"
    return "is sent"


def close_1008(server):
    """a close with 1008"""
    visit = server.visit(ACCEPT, {**CLOSE, "code": 1008}, act=stay)
    return "is sent" if visit.close_code == 1008 else death_of(visit)


def close_reason(server):
    """`reason` of a close"""
    act = lambda client: stay(client) or client.close_reason  # noqa: E731
    visit = server.visit(ACCEPT, {**CLOSE, "code": 4001, "reason": "full"}, act=act)
    return "is sent" if visit.frames == "full" else "is dropped"


def denial(server):
    """a rejection with its own response (`websocket.http.response.start`)"""
    start = {"type": "websocket.http.response.start", "status": 401, "headers": []}
    visit = server.visit(start, {"type": "websocket.http.response.body", "body": b"no"})
    return f"status {visit.status}" if visit.status else "is unknown: no answer"


# The rest


def exception(server):
    """an exception after the accept: the client receives"""
    return str(server.visit(ACCEPT, {}, act=stay).close_code)


def compression(server):
    """permessage-deflate"""
    offered = server.visit(ACCEPT).headers
    names = {name.lower() for name in offered}
    return "yes" if "sec-websocket-extensions" in names else "no"


def never_stops(server):
    """a consumer without StopConsumer, after its client has left"""
    number = next(server.numbers)
    with open_client(server, f"/consumers/NeverStops?{number}:[]"):
        pass
    if server.kills(number):
        return "is killed"
    before = server.processor_seconds()
    time.sleep(0.3)
    spins = server.processor_seconds() - before > 0.1
    return "stays and uses a whole core" if spins else "stays forever"


def stopped(server):
    """SIGTERM: a connected client receives"""
    # Since Python 3.12.1 asyncio's `Server.wait_closed` waits for the connections as well, and
    # hypercorn waits for it before its `graceful_timeout` begins (hypercorn's issue 308).
    waits = server.kind == "hypercorn" and sys.version_info >= (3, 12)
    number = next(server.numbers)
    with open_client(server, f"/?{number}:[{ACCEPT}]") as client:
        server.process.terminate()
        try:
            client.recv(timeout=3 if waits else TEST_TIMEOUT)
        except ConnectionClosed:
            saw = str(client.close_code)
        except TimeoutError:
            saw = "nothing"
    if server.kind == "hypercorn" and saw == ("nothing" if waits else "1011"):
        return "1011; nothing from Python 3.12 on"
    return saw


PROBES = [
    item
    for item in list(globals().values())
    if inspect.isfunction(item) and [*inspect.signature(item).parameters] == ["server"]
]


def measure(kind: str) -> dict[str, str]:
    """One column of the table: the result of each probe, by its name."""
    *others, never_stops, stopped = PROBES
    with Server(kind) as server:
        with ThreadPoolExecutor(4) as clients:
            results = list(clients.map(lambda probe: probe(server), others))
        # These two run last and alone: one measures the server's processor time, one stops it.
        results += [never_stops(server), stopped(server)]
    return {probe.__doc__: result for probe, result in zip(PROBES, results, strict=True)}


if __name__ == "__main__":
    SERVERS_TABLE.write_text(
        measured_table({kind: measure(kind) for kind in SERVERS}), encoding="utf-8"
    )
    print(SERVERS_TABLE.read_text(encoding="utf-8"), end="")
