"""Lesson 11: does each letter reach its reader, and only the reader?"""

import json
from typing import ClassVar

from channels.layers import BaseChannelLayer

from lessons.workshop.judge import NAMES, Answer, Model, lengths, near

REFUSAL = "no such address"
ARRIVES = "The client at that address receives the text unchanged, in one text frame."
NO_ADDRESSES = (
    *("", "with space", "straße", "a/b", "x" * 100, "one!two!three", " {channel of 1} "),
    *("{channel of 1}!", None, 5, 1.5, True, False, ["a"], [], {}, {"a": 1}),
)
TYPES = (
    *("websocket.disconnect", "websocket.send", "websocket.connect", "websocket.receive"),
    *("letter.lost", "close", "dispatch", "send", "_hidden", "", None, 5, ["letter.arrived"]),
)
OTHER_KEYS = (
    *({"text2": "", "code": 1000}, {"bytes": "00", "close": True}, {"": None}, {"n": 2**70}),
    dict.fromkeys(("body", "message", "content", "data", "from", "sender", "name", "as"), "other"),
    dict.fromkeys(("channel", "address", "reader", "group", "reply_to", "letter"), "other"),
    dict.fromkeys(("cc", "bcc", "copy_to", "forward", "receipt", "reply"), "{channel of 1}"),
    dict.fromkeys(("title", "subject", "html", "id", "method", "close", "kind"), "close"),
    *({"lone": "\ud800"}, {"__asgi_channel__": "a"}, {"self": 1, "event": {"message": []}}),
)
PROMISES = {
    "After that, a client sends only letters": "inputs",
    "Every letter has both keys": "This says which frames clients send.",
    "The `text` is a string that UTF-8": "This says which frames clients send.",
    "Other keys change nothing": "test_a_writer_does_not_choose_the_type",
    "The writer gets no answer": (
        "test_a_writer_does_not_learn_whether_a_letter_was_read",
        "test_what_cannot_be_an_address_is_answered",
    ),
}


def letter(to, text="hello", **others):
    """Return a frame with a letter. `to` may be the number of a client."""
    to = f"{{channel of {to}}}" if type(to) is int and to < 5 else to
    return json.dumps({"to": to, "text": text, **others})


class Letters(Model):
    texts = (
        *(letter(reader, f"for {reader}") for reader in (1, 2, 3)),
        *(letter(reader, type="websocket.disconnect", code=1000) for reader in (2, 3)),
        *map(letter, ("with space", None, "no-consumer.has-it", "specific.check!999")),
    )
    others = ('layer {"type": "letter.arrived", "text": "from a view"}',)
    handshakes = ("connect", "connect", "connect server=2")
    inputs: ClassVar = {
        'text {"to": …, "text": "hello"}': (*NAMES, *near("{channel of 1}"), *lengths(100)),
        'text {"to": …, "text": "hello" }': (
            *(None, 0, 1, 5, True, False, ["a"], ["{channel of 1}"]),
            {"to": "{channel of 1}"},
        ),
    }
    promise_of: ClassVar = {
        **dict.fromkeys(
            ("client-chosen-type", "not-serializable"), "Other keys change nothing, even a `type`."
        ),
        "refused-a-right-address": "The writer gets no answer, unless the layer raises TypeError "
        "for the address",
    }
    frames = ("text",)
    slow = 31  # a letter may be under way for half a minute
    clients_are_independent = False

    @classmethod
    def frame_of(cls, text):
        return letter(1, text) if text else None  # Daphne sends no empty frame

    def connect(self, client):
        """Right after the accept, the client receives its address in a text frame"""
        client.accept()
        client.send(client.channel)

    def receive(self, client, text, data):
        """The client at that address receives the text unchanged, in one text frame."""
        frame = json.loads(text)
        to = frame["to"]
        if not is_address(to):
            self.refuse(client)
            return
        if to == "full" and len(self.kept) == self.capacity:
            self.lose(client)
        elif to == "full":
            self.kept.append(frame["text"])
        for reader in self.readers(to):
            reader.send(frame["text"], lane=client.number)  # letters of one writer stay in order
        self.say_nothing()

    def say_nothing(self):
        """The writer gets no answer, unless the layer raises TypeError for the address"""

    def lose(self, client):
        """If the channel is full, the letter is lost. ChannelFull may end the writer's consumer, or
        you may catch it."""
        if not self.branch():
            client.fail("ChannelFull")

    def other(self, step):
        if step.action == "fill":
            self.kept = [None] * self.capacity  # later the texts of letters
        return self.take_letter() if step.action == "take" else None

    def take_letter(self):
        """If the channel is full, the letter is lost."""
        [text], self.kept = self.kept[:1] or [None], self.kept[1:]
        return Answer(text, lambda it: (it or {}).get("text") == text)

    def refuse(self, client):
        """The writer gets no answer, unless the layer raises TypeError for the address: then the
        writer receives the text frame `no such address`. The layer raises it for an invalid name,
        and for a `to` that is not a string."""
        client.send(REFUSAL)

    def readers(self, address):
        return [client for client in self.open_clients if client.channel == address]

    def layer(self, client, message):
        """Views send letters too."""
        client.send(message["text"], lane="view", promise=ARRIVES)

    def diagnose(self, difference):
        frame = self.letter_of(difference)
        calls = [event.message for event in difference.events if event.lane == "layer"]
        sent = [call["message"] for call in calls if call.get("type") == "send"]
        last = sent[-1] if sent and isinstance(sent[-1], dict) else {}
        if frame and "type" in frame and frame["type"] == last.get("type") != "letter.arrived":
            return "client-chosen-type"
        if difference.fault:
            return None
        expected, received = map(difference.texts, (difference.expected, difference.received))
        if received.count(REFUSAL) > expected.count(REFUSAL):
            return "refused-a-right-address" if not self.has_arrived(difference, frame) else None
        if difference.step.action == "connect" and "specific." in "".join(received[:1]):
            return "wrong-address" if received[0] != expected[0] else None
        if frame and self.went_astray(difference, frame):
            return "wrong-connection"
        # Other letters may have been refused, and a writer may still be at work on an earlier one.
        is_plain = frame and frame.keys() == {"to", "text"}
        is_idle = is_plain and not difference.report.clients[difference.step.client].is_busy
        if is_idle and difference.missing and REFUSAL not in expected and not sent:
            return "nothing-sent"
        return None

    def letter_of(self, difference):
        # The letter in the last step, or None.
        step = difference.step
        return json.loads(step.arguments["text"]) if step and step.action == "text" else None

    def went_astray(self, difference, frame):
        # Whether a client received a text for another client, not just the writer a copy.
        readers = {reader.number for reader in self.readers(frame["to"])}
        others = self.who_got(difference, frame) - readers
        is_copy = others == {difference.step.client} and self.has_arrived(difference, frame)
        return bool(readers and others) and not is_copy

    def has_arrived(self, difference, frame):
        # Whether each client that the letter is for received it.
        readers = {reader.number for reader in self.readers(frame["to"])} if frame else set()
        return bool(readers) and readers <= self.who_got(difference, frame)

    def who_got(self, difference, frame):
        # The clients that received the text of this letter.
        clients = difference.report.clients.items()
        wanted = {"type": "websocket.send", "text": frame["text"]}
        return {number for number, seen in clients if wanted in [it for _, it in seen.received]}


def is_address(name):
    """Return whether the layer accepts this name of a channel."""
    try:
        return BaseChannelLayer().require_valid_channel_name(name)
    except TypeError:
        return False


def test_the_client_receives_its_address(play):
    """The first frame is the name of the consumer's channel. A letter of a view arrives there."""
    sent = 'layer {"type": "letter.arrived", "text": "ä ☃"}'
    play(["connect", sent, "2 connect", f"2 {sent}", sent])


def test_a_letter_reaches_its_reader_only(play):
    """The reader receives the text unchanged. The writer and other clients receive nothing."""
    frames = [
        f"text {letter(2, text)}" for text in ("hello", "ä ☃", '{"type": "x"}', " two  words ", "")
    ]
    play(["connect", "2 connect", "3 connect", *frames])


def test_letters_go_back_and_forth_and_to_the_writer(play):
    """The reader may answer, and a client may write to itself."""
    answer, own = f"2 text {letter(1, 'pong')}", f"text {letter(1, 'note')}"
    play(["connect", "2 connect", f"text {letter(2, 'ping')}", answer, own, own])


def test_a_writer_does_not_choose_the_type(play):
    """Even if the JSON has other keys, such as a type, the reader receives the text and stays."""
    frames = [letter(2, type=kind, code=1000) for kind in TYPES]
    frames += [letter(2, **others) for others in OTHER_KEYS]
    play(["connect", "2 connect", *(f"text {frame}" for frame in frames)])


def test_what_cannot_be_an_address_is_answered(play):
    """An address that the layer refuses is answered with `no such address`. The writer stays."""
    frames = [f"text {letter(nowhere)}" for nowhere in (*NO_ADDRESSES, 1)]
    play(["connect", "2 connect", *frames, f"text {letter('with space', '')}"])


def test_a_writer_does_not_learn_whether_a_letter_was_read(play):
    """A letter to a client that has left, or to a full channel, gets no answer."""
    play(["connect", "2 connect", "2 close 1001", f"text {letter(2)}", f"text {letter(1)}"])
    own = [f"text {letter(1, text)}" for text in ("still", "here")]
    play(["capacity 3", "fill full", "connect", f"text {letter('full')}", *own])
    # No writer keeps the letter until the channel has space.
    lost = ["capacity 3", "fill full", "connect", "2 connect", f"text {letter('full')}"]
    kept = f"2 text {letter('full', 'kept')}", f"text {letter('full')}", *["take full"] * 3
    play([*lost, "take full", *kept, "wait 5", *own, f"2 text {letter(2)}", "close", "take full"])
