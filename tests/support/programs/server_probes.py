"""Probes for what differs between three ASGI servers, and the command that measures the table.

    python3 -m tests.support.programs.server_probes

A probe does the same to any server, and its result is a few words. The name of a probe is the name
of its row. NOTES.md shows the table, and a test compares it with the servers.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from websockets.exceptions import ConnectionClosed

from lessons.workshop.authoring.notes import SERVERS_TABLE
from tests.support.compared_daphne import STAYS, VANISHES, RealServer
from tests.support.measured_tables import measured_table
from tests.support.programs.real_daphne import TEST_TIMEOUT, open_client
from tests.support.scripted_events import ACCEPT, CLOSE, send

SERVERS = ("Daphne", "uvicorn", "hypercorn")


class Server(RealServer):
    """A real server of that kind, in a process: `with Server("uvicorn") as server`."""

    def __init__(self, kind):
        limits = {"handshake": 3, "close": 0.1}
        super().__init__(server=kind, **limits)
        self.kind = kind
        # Daphne kills a consumer that does not stop after 0.1 s here; the others never kill one.
        self.kill_timeout = TEST_TIMEOUT if kind == "Daphne" else 0.3

    def kills(self, number):
        """Whether the server ends the consumer of that number in time."""

        def over():
            return any(line.startswith(f"{number} over") for line in self.lines)

        with self.lines_changed:
            return self.lines_changed.wait_for(over, self.kill_timeout)


# What a visit shows


def code_of(visit):
    last = visit.events[-1]
    return str(last["code"]) if last["type"] == "websocket.disconnect" else "no disconnect comes"


def death_of(visit):
    """How the consumer died of a reply that the client did not receive."""
    return f"dies, {visit.status if visit.status != 101 else visit.close_code}"


def shows(result, *replies, **client):
    """A probe: one visit, in which the consumer sends these replies. `result` reads the visit."""
    return lambda server: result(server.visit(*replies, **client))


def whether(is_so, yes, no):
    return lambda visit: yes if is_so(visit) else no


# What a server does


def large_reply(server):
    # By default, the client itself closes with 1009 when it receives such a frame.
    path = f"/consumers/Doubles?{next(server.numbers)}:[]"
    with open_client(server, path, max_size=None) as client:
        client.send("x" * (2**19 + 1))
        try:
            client.recv(TEST_TIMEOUT)
        except ConnectionClosed:
            return f"dies, {client.close_code}"
    return "is sent"


def never_stops(server):
    number = next(server.numbers)
    with open_client(server, f"/consumers/NeverStops?{number}:[]"):
        pass
    return "is killed" if server.kills(number) else "stays forever"


def stopped(server):
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


FOREIGN = {**ACCEPT, "subprotocol": "other"}
HEADERS = {**ACCEPT, "headers": [(b"x-answer", b"42")]}
DENIAL = (
    {"type": "websocket.http.response.start", "status": 401, "headers": []},
    {"type": "websocket.http.response.body", "body": b"no"},
)
PROBES = {
    # What arrives
    "the key that a frame does not use": shows(
        whether(lambda visit: "bytes" in visit.events[1], "is `None`", "is left out"),
        ACCEPT,
        frames=["a"],
    ),
    "a message of 1 MiB and one byte": shows(
        whether(lambda visit: "text" in visit.events[1], "arrives", "closes the connection"),
        ACCEPT,
        frames=["x" * (2**20 + 1)],
        leaves=None,
    ),
    "`code` when the client closes with 3000": shows(code_of, ACCEPT, leaves=3000),
    "`code` after a browser's `close()`": shows(code_of, ACCEPT, leaves=None),
    "`code` when the connection is lost": shows(code_of, ACCEPT, leaves=VANISHES),
    "`code` after a close by the consumer, with 4001": shows(
        code_of, ACCEPT, {**CLOSE, "code": 4001}, leaves=STAYS
    ),
    "`code` after a rejection": shows(code_of, CLOSE),
    # What the server does with a reply
    "`headers` of the accept": shows(
        whether(lambda visit: "x-answer" in visit.headers, "are sent", "are dropped"), HEADERS
    ),
    "an accept with a subprotocol that was not offered": shows(
        whether(lambda visit: visit.status is None and visit.events[1:], "is not sent", "dies"),
        FOREIGN,
    ),
    "a second accept": shows(death_of, ACCEPT, ACCEPT, leaves=STAYS),
    "an empty text": shows(
        whether(lambda visit: visit.frames == ["", "after"], "is sent", "is dropped"),
        *(ACCEPT, send(text=""), send(text="after")),
    ),
    "`text` and `bytes` at once": shows(
        lambda visit: f"sends {visit.frames}" if visit.frames else death_of(visit),
        *(ACCEPT, send(text="a", bytes=b"b"), CLOSE),
        leaves=STAYS,
    ),
    "a dict as `text`": shows(death_of, ACCEPT, send(text={"a": 1}), leaves=STAYS),
    "an event of unknown type": shows(
        lambda visit: "is ignored" if visit.close_code == 1000 else death_of(visit),
        *(ACCEPT, {"type": "websocket.sned"}, CLOSE),
        leaves=STAYS,
    ),
    "a reply of more than 1 MiB": large_reply,
    "a close with 1008": shows(
        lambda visit: "is sent" if visit.close_code == 1008 else death_of(visit),
        *(ACCEPT, {**CLOSE, "code": 1008}),
        leaves=STAYS,
    ),
    "`reason` of a close": shows(
        whether(lambda visit: visit.close_reason == "full", "is sent", "is dropped"),
        *(ACCEPT, {**CLOSE, "code": 4001, "reason": "full"}),
        leaves=STAYS,
    ),
    "a rejection with its own response (`websocket.http.response.start`)": shows(
        lambda visit: f"status {visit.status}" if visit.status else "is unknown: no answer",
        *DENIAL,
    ),
    # The rest
    "an exception after the accept: the client receives": shows(
        lambda visit: str(visit.close_code), *(ACCEPT, {}), leaves=STAYS
    ),
    "permessage-deflate": shows(
        whether(lambda v: "sec-websocket-extensions" in map(str.lower, v.headers), "yes", "no"),
        ACCEPT,
    ),
    "a consumer without StopConsumer, after its client has left": never_stops,
    # It runs last and alone: it stops the server.
    "SIGTERM: a connected client receives": stopped,
}


def measure(kind: str) -> dict[str, str]:
    """One column of the table: the result of each probe, by its name."""
    *others, stopped = PROBES.values()
    with Server(kind) as server:
        with ThreadPoolExecutor(4) as clients:
            results = list(clients.map(lambda probe: probe(server), others))
        results.append(stopped(server))
    return dict(zip(PROBES, results, strict=True))


if __name__ == "__main__":
    SERVERS_TABLE.write_text(
        measured_table({kind: measure(kind) for kind in SERVERS}), encoding="utf-8"
    )
    print(SERVERS_TABLE.read_text(encoding="utf-8"), end="")
