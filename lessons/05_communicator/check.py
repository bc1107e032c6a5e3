"""Lesson 5: is the test green for each right lamp, and red for each lamp with a fault?

The lamps are here, because mistakes.py holds wrong versions of what the student writes: a test.
"""

from pathlib import Path

from lessons.workshop.judge import FaultModel, Mutant, altered, edited, mutants_of

LAMP = Path(__file__).with_name("lamp.py").read_text(encoding="utf-8")
ASYNC_LAMP = (
    LAMP.replace("SyncConsumer", "AsyncConsumer")
    .replace("    def ", "    async def ")
    .replace("self.send(", "await self.send(")
)
CHECK_KEY = 'self.scope["query_string"] == b"key=brass"'
CLOSED = '{"type": "websocket.close", "code": 4000}'
CLOSE = f"self.send({CLOSED})"
REJECT = 'self.send({"type": "websocket.close"})'
REJECT_4003 = 'self.send({"type": "websocket.close", "code": 4003})'
STOP = "raise StopConsumer()"
SEND_ACCEPT = 'self.send({"type": "websocket.accept"})'
SEND_STATE = 'self.send({"type": "websocket.send", "text": "on" if self.lit else "off"})'
FORGET = "self in self.clients and self.clients.remove(self)"
EXTRA = '{"type": "websocket.send", "text": "on"}'
IS_SWITCH = 'event.get("text") == "switch"'
IS_BROKEN = "if self.broken:"
KEEP_FRAME = "self.broken = True", "self.broken = event"
# A test may look closely at one kind of rejected client only, or at one kind of frame.
STRANGERS = {
    "no-key": 'self.scope["query_string"] == b""',
    "another-key": 'self.scope["query_string"] not in (b"", b"key=brass")',
}
BROKEN_BY = {kind: f'self.broken and "{kind}" in self.broken' for kind in ("text", "bytes")}
ACCEPT, STATE = "websocket.accept", "websocket.send"
OTHER_STATE = '{**message, "text": "off" if message["text"] == "on" else "on"}'
IN_BYTES = '{"type": "websocket.send", "bytes": message["text"].encode()}'
PROMISES = {
    "`application` is a lamp": "This says what the test gets.",
    "Several clients, with one key": "No fault needs a special key or frame.",
    "A client with `?key=brass` is accepted": "test_notices_wrong_clients",
    "With another key or": "test_notices_wrong_clients",
    "For each text frame `switch`": "test_notices_wrong_states",
    "Each client has its own lamp": "test_notices_wrong_states",
    "Any other frame, text or binary": "test_notices_a_wrong_close",
    "The lamp sends a connected client nothing else": "test_notices_one_frame_too_many",
    "When a client leaves": "test_notices_a_consumer_that_does_not_stop",
    "An event has only the keys": "test_notices_small_changes",
}


def instead_of(kind, messages, name, numbers=(1,)):
    """Return lamps that send other messages, each instead of one of this type."""
    return {f"{name}-{it}": altered(LAMP, "Lamp", kind, it, messages) for it in numbers}


def closes_with(messages, name):
    """Return two lamps that send other messages than the close, each for one kind of frame."""
    code = "for message in {} if {!r} in event else [{}]:\n                self.send(message)"
    return {f"{name}-{it}": (CLOSE, code.format(messages, it, CLOSED)) for it in BROKEN_BY}


def tells(clients):
    """Return edits: each state also goes to other clients, the older ones or the newer ones."""
    return (
        *("SyncConsumer):", "SyncConsumer):\n    clients = []\n"),
        *(SEND_ACCEPT, f"self.clients.append(self)\n            {SEND_ACCEPT}"),
        *(SEND_STATE, f"for lamp in {clients}:\n                lamp.{SEND_STATE[5:]}"),
        *("self.broken = True", f"{FORGET}\n            self.broken = True"),
        *(STOP, f"{FORGET}\n        {STOP}"),
    )


TWICE_AT_ONCE = Mutant(
    f"`Lamp` is an AsyncConsumer, and this line is there twice\nawait {SEND_STATE}",
    line=0,
    source=edited(ASYNC_LAMP, SEND_STATE, f"{SEND_STATE}\n            await {SEND_STATE}"),
)
STATES = (1, 2, 3)  # the numbers of the states that a test must compare

# Claim → diagnosis → faults. Each fault has a name and edits of LAMP, or other messages.
FAULTS = {
    "refuses": {
        "test-passes-open-door": {
            "accepts-everyone": (CHECK_KEY, "True"),
            "accepts-no-key": (CHECK_KEY, 'self.scope["query_string"] in (b"", b"key=brass")'),
            "accepts-any-key": (CHECK_KEY, 'self.scope["query_string"].startswith(b"key=")'),
        },
        "test-passes-closed-door": {
            "refuses-everyone": (CHECK_KEY, "False"),
            **instead_of(ACCEPT, "[]", "no-accept"),
        },
        "test-passes-other-result": {
            **instead_of(ACCEPT, '[{**message, "subprotocol": "lamp"}]', "subprotocol"),
            **{
                f"code-for-{it}": (REJECT, f"{REJECT_4003} if {condition} else {REJECT}")
                for it, condition in STRANGERS.items()
            },
        },
        "test-passes-crash": {
            f"dies-after-{it}": (STOP, f"assert not ({condition})\n        {STOP}")
            for it, condition in STRANGERS.items()
        },
    },
    "states": {
        "test-passes-bytes": instead_of(STATE, f"[{IN_BYTES}]", "state-in-bytes"),
        "test-passes-stuck-lamp": {
            **instead_of(STATE, f"[{OTHER_STATE}]", "other-state", STATES),
            **instead_of(STATE, "[]", "no-state", STATES),
            **instead_of(STATE, f"[{IN_BYTES}]", "state-in-bytes", STATES[1:]),
        },
        "test-passes-shared-lamp": {
            "has-one-lamp": (
                "self.lit = not self.lit",
                "type(self).all = self.lit = not getattr(self, 'all', False)",
            ),
            "shares-and-resets": (
                *("self.lit = self.broken", "type(self).lit = self.broken"),
                *("self.lit = not self.lit", "type(self).lit = not self.lit"),
            ),
        },
    },
    "frames": {
        "test-passes-second-reply": {
            **instead_of(ACCEPT, f"[message, {EXTRA}]", "frame-after-accept"),
            **instead_of(STATE, "[message, message]", "state-twice", STATES),
            "state-twice-at-once": TWICE_AT_ONCE,
            **closes_with(f"[{EXTRA}, {CLOSED}]", "frame-before-close"),
            "tells-newer-clients": tells("self.clients[self.clients.index(self) :]"),
            "tells-older-clients": tells("self.clients[: self.clients.index(self) + 1]"),
        },
        "test-passes-late-frame": {
            **closes_with(f"[{CLOSED}, {EXTRA}]", "frame-after-close"),
            **{
                f"answers-after-{kind}": (*KEEP_FRAME, IS_BROKEN, f"if self.broken and not ({it}):")
                for kind, it in BROKEN_BY.items()
            },
            "switches-after-the-close": (IS_BROKEN, f"{IS_BROKEN[:-1]} and not {IS_SWITCH}:"),
            "closes-twice": (IS_BROKEN, f"{IS_BROKEN[:-1]} and {IS_SWITCH}:"),
        },
    },
    "closes": {
        "test-passes-wrong-code": {
            "closes-with-1000": ('"code": 4000', '"code": 1000'),
            **closes_with('[{"type": "websocket.close", "code": 4001}]', "other-code"),
            "ignores-text": (CLOSE, f'"text" in event or {CLOSE}'),
            "ignores-bytes": (CLOSE, f'event.get("text") is not None and {CLOSE}'),
        },
        "test-passes-shared-lamp": {
            "breaks-all-lamps": (
                *("SyncConsumer):", "SyncConsumer):\n    clients, broken = set(), set()\n"),
                *("self.lit = self.broken = False", "self.lit = False; self.clients.add(self)"),
                *("self.broken = True", "self.broken.add(self)"),
                STOP,
                "self.clients.discard(self)\n        self.clients or self.broken.clear()\n"
                f"        {STOP}",
            ),
        },
    },
    "keys": {
        "test-passes-change": {
            **instead_of(STATE, '[{**message, "lit": True}]', "state-with-another-key", STATES),
            **closes_with(f'[{{**{CLOSED}, "reason": "hit"}}]', "close-with-a-reason"),
        },
    },
    "stops": {
        "test-passes-endless": {
            "never-stops": (STOP, "pass"),
            "stops-if-broken": (STOP, f"if self.broken or not {CHECK_KEY}:\n            {STOP}"),
            **{
                f"never-stops-after-{it}": (STOP, f"if not ({condition}): {STOP}")
                for it, condition in STRANGERS.items()
            },
            **{
                f"never-stops-after-{kind}": (*KEEP_FRAME, STOP, f"if not ({it}): {STOP}")
                for kind, it in BROKEN_BY.items()
            },
        },
        "test-passes-crash": {
            "dies-at-the-end": (STOP, f"assert self.broken or not {CHECK_KEY}\n        {STOP}"),
            **{
                f"dies-after-{kind}": (*KEEP_FRAME, STOP, f"assert not ({it})\n        {STOP}")
                for kind, it in BROKEN_BY.items()
            },
        },
    },
}
RIGHT = {"right": LAMP, "right-async": ASYNC_LAMP}
MUTANTS = {f"mutant-{number}": it for number, it in enumerate(mutants_of(LAMP, "Lamp"))}


class Test(FaultModel):
    subject = "lamp"
    right = RIGHT
    faults = FAULTS
    mutants = MUTANTS
    per_conversation = 15

    def other(self, step):
        """Your test must be green for each right lamp, and red for each lamp that breaks a rule."""
        return super().other(step)


def test_is_green_for_right_lamps(play):
    """The test is green for right lamps, sync and async."""
    play("try right | try right-async")


def test_notices_wrong_clients(play):
    """It is red for a lamp that accepts or rejects the wrong clients, or fails after that."""
    Test.try_faults(play, "refuses")


def test_notices_wrong_states(play):
    """It is red for a lamp with a wrong state: always `on`, in bytes, or shared by all clients."""
    Test.try_faults(play, "states")


def test_notices_a_wrong_close(play):
    """It is red for a lamp that does not close, or closes with another code."""
    Test.try_faults(play, "closes")


def test_notices_one_frame_too_many(play):
    """It is red for a lamp that sends one frame too many: twice, or after the close."""
    Test.try_faults(play, "frames")


def test_notices_a_consumer_that_does_not_stop(play):
    """It is red for a lamp that does not stop, or raises an error, when its client leaves."""
    Test.try_faults(play, "stops")


def test_notices_small_changes(play):
    """It is red for each right lamp in which one line, or the keys of an event, are changed."""
    Test.try_faults(play, "keys")
    Test.try_mutants(play)
