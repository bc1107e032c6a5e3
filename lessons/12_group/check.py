"""Lesson 12: do the clients in a lounge receive all its news, and does each end leave it?"""

import re
from typing import ClassVar
from urllib.parse import unquote

from lessons.workshop.judge import NAMES as ANY_NAMES
from lessons.workshop.judge import Model, lengths, near

CAME, LEFT = "someone came", "someone left"
NAMES = ("lobby", "a", "Z", "7", "a-b_c.d", ".", "-", "0123456789", "x" * 50, "x" * 49 + "y")
REPEATED = ("..", "--", "__", "a..b", "a--b", "a__b", "-._")
ALIKE = ("ab", "a.b", "a-b", "a_b", "Ab", "ab.", "abc", "a--b", "a__b", "a-2eb", "a_2eb", "a-2e-b")
NO_NAMES = (
    *("%20", "two%20words", "lobby%20", "caf%C3%A9", "%E2%98%83", "x" * 51, "a!b", "a:b", "a,b"),
    *("%D9%A3", "%EF%BD%81", "lobby%0A", "%0Alobby", "%00", "%22", "~", "%2541", "x" * 99),
    *("x" * 100, "x" * 300),
)
NO_CHARACTERS = [f"%{code:02X}" for code in range(128) if not re.match(r"[\w./-]", chr(code))]
PROMISES = {
    "The URL ends with a lounge's name": "inputs",
    "Two names are two lounges": "test_each_name_is_a_lounge_of_its_own",
    "Such a client never joins": "test_a_name_that_does_not_fit_is_refused_so_that_it_shows",
    "`someone came` when": "test_all_in_a_lounge_hear_who_comes",
    "From the accept on": "test_from_the_accept_on_a_client_misses_nothing",
    "If the server cancels a consumer": "spread",
}
VALID = "The URL ends with a lounge's name: 1 to 50 ASCII letters, digits, `-`, `_` and `.`."


def connect(name):
    return f"connect /ws/layers/group/{name}/"


class Lounges(Model):
    handshakes = (*["connect"] * 3, "connect server=2", connect("Lobby"), connect("lobby%0A"))
    inputs: ClassVar = {connect("…"): (*ANY_NAMES, *near("lobby"), *lengths(50), *REPEATED)}
    texts = ("hello", CAME)
    ends = (*Model.ends, "crash")
    clients_are_independent = False
    promise_of: ClassVar = {
        "joined-too-late": "From the accept on, a client misses no news.",
        "room-name-refused": VALID,
        "wrong-room": "Two names are two lounges, even `A` and `a`.",
        "heard-after-close": "Such a client never joins, and its frames change nothing.",
        "sender-left-out": "All clients in a lounge receive its news in text frames, also the "
        "client that came or wrote",
    }

    def __init__(self):
        super().__init__()
        self.news = []  # (burst, lounge, number of the client, text)

    def orders_of(self, burst):
        return [burst]  # a client that comes or leaves in the same burst may miss some news

    def connect(self, client):
        """All clients in a lounge receive its news in text frames, also the client that came or
        wrote"""
        client.lounge = lounge_of(client.handshake)
        if client.lounge is None:
            self.refuse(client)
            return
        client.accept(promise=VALID)
        client.joined = self.burst
        for burst, lounge, number, text in self.news:
            if (burst, lounge) == (self.burst, client.lounge):
                client.send(text, lane=number, may_miss=True)
        self.spread(client, CAME)

    def refuse(self, client):
        """For another name, accept, then close with 4400."""
        client.accept()
        client.close(4400)

    def receive(self, client, text, data):
        news = self.pass_on if text else self.ignore
        news(client, text)

    def pass_on(self, client, text):
        """`someone: hello` for the text frame `hello`. The text stays unchanged, even if it is only
        spaces."""
        self.spread(client, f"someone: {text}")

    def ignore(self, client, text):
        """Ignore empty and binary frames."""

    def disconnect(self, client):
        """`someone left` once when a connection ends"""
        was_cancelled_early = client.end == "kill" and client.joined == self.burst
        if was_cancelled_early:  # perhaps before it joined
            for member in self.members(client.lounge):
                member.expected = [it for it in member.expected if it.lane != client.number]
                member.send(CAME, lane=client.number, may_miss=True)
        self.spread(client, LEFT, may_miss=was_cancelled_early)

    def spread(self, client, text, may_miss=False):
        self.news.append((self.burst, client.lounge, client.number, text))
        for member in self.members(client.lounge):
            # From the accept on, a client misses nothing.
            was_accepted = self.step.point is not None and self.at_point.get(member.number)
            joins = member.joined == self.burst and not was_accepted
            misses = may_miss or (joins and member is not client)
            is_own_frame = member is client and text != CAME  # it may come without the layer
            member.send(text, lane="own" if is_own_frame else client.number, may_miss=misses)

    def members(self, lounge):
        return [client for client in self.open_clients if client.lounge == lounge]

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None:
            return None
        return self.wrong_refusal(difference, client) or self.wrong_news(difference, client)

    def wrong_refusal(self, difference, client):
        kinds = {
            number: [message["type"] for _, message in seen.received]
            for number, seen in difference.report.clients.items()
        }
        own = kinds[client.number]
        if client.lounge is None and own[:1] == ["websocket.close"]:
            return "refused-without-reason"
        if client.lounge and "websocket.accept" in own and "websocket.close" in own:
            return "room-name-refused"
        for number, received in kinds.items():
            lounge = self.clients.get(number, client).lounge
            if not lounge and "websocket.accept" in received and "websocket.close" not in received:
                return "room-name-unchecked"
        return None

    def wrong_news(self, difference, client):
        calls = [event.message for event in difference.events if event.direction == "out"]
        groups = {call["group"] for call in calls if call["type"] == "group_add"}
        if any(call["type"] == "send" and call["channel"] in groups for call in calls):
            return "group-as-channel"
        surplus = (difference.surplus or {}).get("text", "")
        if any(surplus == f"someone: {text}" for text in self.refused_texts(difference)):
            return "heard-after-close"
        news = {(lounge, text) for burst, lounge, _, text in self.news if burst == self.burst}
        heard = self.heard(difference)
        for number, text in heard:
            lounges = {lounge for lounge, it in news if it == text}
            if lounges and self.clients[number].lounge not in lounges:
                return "wrong-room"
        missing = difference.texts(difference.expected[difference.first :])
        if not missing or len(difference.received) >= len(difference.expected):
            return None
        if missing[0] == LEFT and difference.step.action in ("crash", "kill"):
            return "cleanup-skipped"
        is_own = (self.burst, client.lounge, client.number, missing[0]) in self.news
        if client.joined == self.burst and self.joined_late(difference):
            return "sender-left-out" if is_own else "joined-too-late"
        own = [step for step in difference.steps_of_burst if step.client == client.number]
        has_arrived = difference.seen.handled > len(own)  # a message, at its consumer
        if is_own:
            others = [it for number, it in heard if number != client.number]
            if missing[0] in others or has_arrived:
                return "sender-left-out"
        if has_arrived:
            return None
        was_sent = missing[0] == LEFT or any(it == missing[0] for _, it in heard)
        return "member-missed" if was_sent or "group_send" in self.last_calls(difference) else None

    def refused_texts(self, difference):
        # The texts that clients with an invalid name have sent in this burst.
        texts = [step for step in difference.steps_of_burst if step.action == "text"]
        refused = [number for number, client in self.clients.items() if client.lounge is None]
        return [step.arguments["text"] for step in texts if step.client in refused]

    def heard(self, difference):
        # The texts that clients received in this burst, each with the client's number.
        clients = difference.report.clients.items()
        messages = [(number, it) for number, seen in clients for _, it in seen.received]
        return [(number, it["text"]) for number, it in messages if it.get("text")]

    def last_calls(self, difference):
        # The types of the calls since the last event from a client.
        kinds = [
            "" if event.lane == "client" and event.direction == "in" else event.message["type"]
            for event in difference.events
        ]
        return kinds[len(kinds) - kinds[::-1].index("") :]

    def joined_late(self, difference):
        # Whether the newest consumer joined after it had accepted or sent news.
        newest = [it for it in difference.events if it.message.get("type") == "websocket.connect"]
        mine = [it for it in difference.events if it.connection == newest[-1].connection]
        kinds = [it.message["type"] for it in mine if it.direction == "out"]
        early = kinds[: kinds.index("group_add")] if "group_add" in kinds else []
        return "group_send" in early or "websocket.accept" in early


def lounge_of(handshake):
    """Return the lounge that a handshake names, or None if its name is invalid."""
    name = unquote(handshake.get("path", "/lobby/").split("/")[-2])
    return name if re.fullmatch(r"[a-zA-Z0-9_.-]{1,50}", name) else None


def test_all_in_a_lounge_hear_who_comes(play):
    """When a client comes, all in the lounge receive someone came, and so does the client."""
    play("connect | 2 connect | 3 connect")


def test_all_in_a_lounge_hear_what_one_says(play):
    """A text reaches all in the lounge once and in order, including the sender."""
    play('connect | 2 connect | text hello | 2 text ä ☃ | text {"type": "websocket.disconnect"}')
    play("connect | 2 connect | text a | & 2 text b | & text c | & text a")
    # The news of two clients may come in any order.
    play("seed 4 | connect | 2 connect | 3 connect | 2 text a | & 3 text b | & text c")
    play(["connect", "2 connect", *["text hello"] * 30])


def test_a_frame_without_text_says_nothing(play):
    """An empty text frame and a binary frame, with or without text: None, are ignored."""
    for first in ([], ["keys both"]):
        play([*first, "connect", "2 connect", "bytes 68656c6c6f", "bytes", "text", "2 bytes ff"])


def test_each_name_is_a_lounge_of_its_own(play):
    """Every valid name is a lounge, and no news reaches another lounge."""
    for names in (ALIKE, NAMES):
        comes = [f"{number} {connect(name)}" for number, name in enumerate(names, 1)]
        play([*comes, *(f"{number} text {name}" for number, name in enumerate(names, 1))])


def test_a_name_that_does_not_fit_is_refused_so_that_it_shows(play):
    """A client with any other name is accepted and then closed with 4400."""
    for name in NO_NAMES:
        play(["2 connect", connect(name), "& text hello"])
    play(["2 connect", *map(connect, NO_CHARACTERS)])


def test_from_the_accept_on_a_client_misses_nothing(play):
    """From its accept on, a client receives what others send while it connects."""
    play.at_each_point("connect | 2 connect | at * text hello")


def test_leaves_when_the_client_leaves(play):
    """When a client leaves, with any code or none, the other clients receive someone left."""
    ends = ("close 1000", "close 1001", "vanish", "close 4001", "close")
    visits = [step for end in ends for step in ("2 connect", f"2 {end}")]
    play(["connect", *visits, "text alone?"])


def test_leaves_when_a_handler_raises(play):
    """When a handler raises, the consumer leaves, and the others receive someone left."""
    play("connect | 2 connect | 2 crash | text hello | crash")


def test_leaves_when_the_server_cancels(play):
    """When the server cancels a consumer, it leaves, and the others receive someone left."""
    play("connect | 2 connect | 2 kill | text hello | kill")
    play.at_each_point("connect | 2 connect | at * 2 kill")


def test_an_early_end_does_no_harm(play):
    """A consumer that is cancelled before websocket_connect raises no error and sends nothing."""
    play("connect | 2 kill")
