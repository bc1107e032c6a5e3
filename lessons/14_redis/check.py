"""Lesson 14: does a client that asks receive the names of the clients of every server?"""

from typing import ClassVar
from urllib.parse import parse_qs

from lessons.workshop.judge import NAMES, PARAMETERS, TITLES, Model, parse_step

PROMISES = {
    "A client connects with its name": "handshakes",
    "Its own name comes": "test_names_the_clients_of_one_server",
    "The names may come in any order": "answer",
    "At present, a client receives": "This says what the exercise has.",
    "It must receive those": "test_names_the_clients_of_each_server",
    "Only the client that has asked": "answer",
}


class Houses(Model):
    handshakes = (
        *("connect ?name=ada", "connect ?name=ben server=2", "connect ?name=cleo"),
        *("connect ?name=ada server=2", "connect ?name=who%3F", "connect ?name=%E2%98%83+7"),
        *("connect ?name=dan&age=7", "connect ?surname=7&name=dan server=2"),
    )
    inputs: ClassVar = {
        "connect ?name=…": (*NAMES, *TITLES, "ada" * 100),
        "connect ?…&name=ada": PARAMETERS,
    }
    texts = ("who?", "who?", "who", "Who?", "who? ", "who?who?")
    ends = ("close", "close 1001", "vanish", "crash", "kill")
    max_clients = 4
    promise_of: ClassVar = {
        "answered-everyone": "Only the client that has asked receives the names.",
        "sender-left-out": "Its own name comes, too.",
        **dict.fromkeys(
            ("joined-too-late", "not-in-the-group", "wrong-group-name", "left-client-named"),
            "From its accept on, each client is named, until its connection ends, however it ends.",
        ),
    }
    clients_are_independent = False

    def connect(self, client):
        """From its accept on, each client is named, until its connection ends, however it ends."""
        client.name = parse_qs(client.handshake["query"])["name"][0]
        client.server = client.handshake.get("server", 1)
        client.accept()

    def receive(self, client, text, data):
        if text == "who?":
            self.answer(client)
        else:
            self.ignore()

    def ignore(self):
        """Any other frame has no effect."""

    def answer(self, client):
        """If it sends the text frame `who?`, it receives one text frame for each connected client:
        the name of that client."""
        for one in self.open_clients:
            client.send(one.name, lane=one.number)

    def disconnect(self, client):
        """From its accept on, each client is named, until its connection ends, however it ends."""

    def fault_in(self, turn, played):
        """The names are private, so they go through the layer `encrypted`, and through no other
        layer."""
        if layers := other_layers(turn):
            client = parse_step(turn.steps[-1]).client
            return client, "wrong-layer", f"called: the layer {', '.join(layers)}"
        return None

    def diagnose(self, difference):
        if difference.fault or difference.client is None:
            return None
        if other_layers(difference.report):
            return "wrong-layer"
        client = self.clients[difference.client]
        asked = {it.client for it in difference.steps_of_burst if is_question(it)}
        others = difference.report.clients.items()
        if any(seen.received for number, seen in others if number not in asked) and asked:
            came = {it.client for it in difference.steps_of_burst if it.action == "connect"}
            if not came:
                return "answered-everyone"
        if difference.client not in asked:
            return None
        if surplus := difference.surplus:
            left = {it.name for it in self.by_connection.values() if it.has_ended}
            is_over = surplus.get("text") in left - {it.name for it in self.open_clients}
            return "left-client-named" if is_over else None
        if asked and self.accepted_first(difference):
            return "joined-too-late"
        received = difference.texts(difference.received)
        missing = [name for name in difference.texts(difference.expected) if name not in received]
        is_absent = len(difference.received) < len(difference.expected)
        # A handler may still wait. Without its spaces, a name may be no frame.
        if difference.seen.is_busy or not client.name.strip():
            return None
        if is_absent and missing == [client.name]:
            return None if self.was_named(difference, client) else "sender-left-out"
        if self.has_not_joined(difference, missing):
            return "not-in-the-group"
        elsewhere = {it.name for it in self.open_clients if it.server != client.server}
        near = {it.name for it in self.open_clients if it.server == client.server}
        is_local = missing and {*missing} <= elsewhere and near <= {*received}
        return "state-kept-in-process" if is_local else None

    def was_named(self, difference, client):
        # Whether the client has received its own name before.
        earlier = difference.played.bursts[: difference.burst]
        seen = [turn.clients[client.number] for turn in earlier if client.number in turn.clients]
        return any(it.get("text") == client.name for one in seen for _, it in one.received)

    def accepted_first(self, difference):
        # Whether the newest consumer was accepted before it joined a group.
        newest = [it for it in difference.events if it.message.get("type") == "websocket.connect"]
        mine = [it for it in difference.events if it.connection == newest[-1].connection]
        kinds = [it.message["type"] for it in mine if it.direction == "out"]
        is_member = "group_add" in kinds and "websocket.accept" in kinds
        return is_member and kinds.index("websocket.accept") < kinds.index("group_add")

    def has_not_joined(self, difference, missing):
        # Whether the clients that are not named have not joined a group, and the others have.
        events = [it for turn in difference.played.bursts for it in turn.events]
        joined = {number for number, it in events if it.message.get("type") == "group_add"}
        absent = {it.number for it in self.open_clients if it.name in missing}
        return bool(absent and joined) and not absent & joined

    def explain(self, difference):
        layers = other_layers(difference.report)
        return f"called: the layer {', '.join(layers)}" if layers else None


def is_question(step):
    return step.action == "text" and step.arguments["text"] == "who?"


def other_layers(turn):
    return sorted({*turn.layers} - {"encrypted"})


ADA, BEN, CLEO = "connect ?name=ada", "2 connect ?name=ben", "3 connect ?name=cleo server=2"


def test_names_the_clients_of_one_server(play):
    """Each client of one server receives the names of all of them, with its own."""
    play(f"{ADA} | text who?")
    play(f"{ADA} | {BEN} | text who? | 2 text who?")


def test_names_the_clients_of_each_server(play):
    """A client receives the names of the clients of every server, whichever it is on."""
    play(f"{ADA} | {BEN} | {CLEO} | text who? | 3 text who?")
    play(f"{CLEO} | 4 connect ?name=dan server=2 | 3 text who? | {ADA} | text who? | 4 text who?")


def test_two_clients_may_have_one_name(play):
    """Two clients with one name are two names. Each name comes as it was given."""
    play(f"{ADA} | 2 connect ?name=ada server=2 | 3 connect ?name=ada | text who? | 2 text who?")
    play("connect ?name=%C3%A4+%E2%98%83 | 2 connect ?name=Ada%26b | text who?")


def test_other_frames_have_no_effect(play):
    """Any other frame has no effect."""
    play(f"{ADA} | {BEN} | text who | text Who? | text | bytes 77686f3f | 2 text who? | text who?")


def test_a_client_that_has_left_is_not_named(play):
    """A client that has left is not named any more, however its connection has ended."""
    for end in ("close", "close 1001", "vanish", "crash", "kill"):
        play(f"{ADA} | {BEN} | {CLEO} | 2 {end} | 3 {end} | text who? | {CLEO} | text who?")


def test_questions_at_the_same_time(play):
    """Clients that ask at the same time each receive all names, once for each question."""
    play(f"{ADA} | {BEN} | {CLEO} | text who? | & 3 text who? | & 2 text who? | & text who?")


def test_a_client_is_named_from_its_accept_on(play):
    """A client that was accepted is named at once."""
    play.at_each_point(f"{ADA} | {BEN} | at * text who?")


def test_answers_may_come_late(play):
    """Each answer counts, even if the layer takes a second for it."""
    play.at_each_point(f"{ADA} | {BEN} | {CLEO} | text who? | at * wait 1")


def test_many_clients_and_questions(play):
    """Twenty clients on two servers ask, leave and come back. One client asks a hundred times,
    and one receives sixty names."""
    clients = [f"{n} connect ?name=guest{n} server={n % 2 + 1}" for n in range(1, 21)]
    left = [f"{n} vanish" for n in range(3, 20, 3)]
    questions = ["text who?", "20 text who?"] * 5
    play(
        [
            *clients,
            *questions,
            *left,
            *questions,
            *(clients[n - 1] for n in range(3, 20, 3)),
            *questions,
        ]
    )
    play([ADA, *["text who?", *["& text who?"] * 19] * 5, "text who?"])
    play([*(f"{n} connect ?name=guest{n}" for n in range(1, 61)), "60 text who?"])
