"""Lesson 2: does every frame come back to its own client, with its number, as the same kind?"""

from typing import ClassVar

from lessons.workshop.judge import Model

KINDS = ("text", "bytes")
# What happens if the code reads the key that a frame does not use.
MISREADINGS = ("text-on-binary", "bytes-on-text", "none-as-text", "str-with-bytes", "exception")
EMPTY = "The answer to an empty frame is its number and one space."
PROMISES = {
    "The answer to a text frame is text": "test_text_stays_text",
    "The answer to a binary frame is bytes": "test_bytes_stay_bytes",
    "The answer to an empty frame": (
        "test_an_empty_text_frame_is_a_frame",
        "test_an_empty_binary_frame_is_a_frame",
    ),
    "Some servers send the unused key": "test_an_unused_key_may_be_none",
    "The stamp treats those frames": "test_an_unused_key_may_be_none",
    "Stamp stays a SyncConsumer": "The engine checks the base class.",
}


class Counter(Model):
    texts = ("hello", "1 hello", "None")
    silent_after_disconnect = True  # each frame comes back once; nothing else is sent
    session = 1030  # so that numbers have four digits, and are above 1024
    promise_of: ClassVar = {
        "none-as-text": "Some servers send the unused key too, with the value None.",
        "text-became-bytes": "The answer to a text frame is text",
        "bytes-became-text": "The answer to a binary frame is bytes",
        **dict.fromkeys(("empty-text-missed", "empty-bytes-missed"), EMPTY),
    }

    def connect(self, client):
        client.count = 0
        client.accept()

    def receive(self, client, text, data):
        """The answer to a frame is its number, one space, and the unchanged frame. Each connection
        counts its own frames, text and binary together, without a limit."""
        client.count += 1
        promise = "" if text or data else EMPTY
        if text is not None:
            client.send(f"{client.count} {text}", promise=promise)
        else:
            client.send(data=f"{client.count} ".encode() + data, promise=promise)

    def diagnose(self, difference):
        step, fault = difference.step, difference.fault
        if step is None or step.action not in KINDS:
            return None
        wanted, got = ({*message} for message in difference.pair or ({}, {}))
        is_other_kind = wanted ^ got == {*KINDS}
        is_misread = fault and fault.diagnosis in MISREADINGS
        if is_empty(step) and (is_other_kind or is_misread or not (fault or difference.received)):
            own = [it for it in difference.steps_so_far if it.client == step.client]
            # The same kind of frame was answered right when it was not empty.
            if any(it.action == step.action and not is_empty(it) for it in own):
                return "empty-text-missed" if step.action == "text" else "empty-bytes-missed"
        if fault:
            is_decoded = fault.raised.startswith("UnicodeDecodeError") and step.action == "bytes"
            return "bytes-became-text" if is_decoded else None
        if any(text.endswith("None") for text in difference.texts(difference.received)):
            return "none-as-text" if "keys both" in map(str, difference.steps) else None
        if is_other_kind:
            return "text-became-bytes" if step.action == "text" else "bytes-became-text"
        return None


def is_empty(step):
    return "" in step.arguments.values()


def test_text_stays_text(play):
    """A text frame comes back as text, with its number in front: 1 for each client's first."""
    play("connect | text hello | 2 connect | 2 text hello")


def test_each_connection_counts_its_own_frames(play):
    """Two clients at once each get their own frames back, with their own numbers."""
    play("connect | 2 connect | text one | 2 text two | text three")


def test_bytes_stay_bytes(play):
    """A binary frame comes back as bytes, with its number in front, even if it is not UTF-8."""
    play("connect | bytes 616263 | bytes 00ff")


def test_a_long_frame_comes_back_whole(play):
    """A long frame of either kind comes back whole, with the spaces at its ends."""
    play(r'connect | text " \u00e4\u2603 \n" * 30000 | bytes 0a20ff * 50000')


def test_frames_of_both_kinds_are_counted_together(play):
    """Frames of both kinds are counted together, without a limit: 1, 2, 3, up to 300."""
    play(["connect", *["text hello", "bytes ff"] * 150])


def test_an_empty_text_frame_is_a_frame(play):
    """An empty text frame comes back as its number and a space, and it counts."""
    play("connect | text full | text | text full")


def test_an_empty_binary_frame_is_a_frame(play):
    """An empty binary frame comes back as its number and a space, and it counts."""
    play("connect | bytes 66 | bytes | bytes 66")


def test_an_unused_key_may_be_none(play):
    """A frame is stamped in the same way if the server sends the unused key as None."""
    play("keys both | connect | bytes 61 | text b | bytes | text")
