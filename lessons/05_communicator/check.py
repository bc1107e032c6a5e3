"""Lesson 5: is the test green for each right lamp, and red for each lamp with a fault?

The lamps are here, because mistakes.py holds wrong versions of what the student writes: a test.
"""

from pathlib import Path

from lessons.workshop.judge import FaultModel, altered, mutants_of

LAMP = Path(__file__).with_name("lamp.py").read_text(encoding="utf-8")
ASYNC_LAMP = (
    LAMP.replace("SyncConsumer", "AsyncConsumer")
    .replace("    def ", "    async def ")
    .replace("self.send(", "await self.send(")
)
CHECK_KEY = 'self.scope["query_string"] == b"key=brass"'
CLOSE = 'self.send({"type": "websocket.close", "code": 4000})'
STOP = "raise StopConsumer()"
SEND_ACCEPT = 'self.send({"type": "websocket.accept"})'
SEND_STATE = 'self.send({"type": "websocket.send", "text": "on" if self.lit else "off"})'
FORGET = "self.clients.discard(self)"
EXTRA = '{"type": "websocket.send", "text": "on"}'
IS_SWITCH = 'event.get("text") == "switch"'
IS_BROKEN = "if self.broken:"
ACCEPT, STATE, REFUSAL = "websocket.accept", "websocket.send", "websocket.close"
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


def instead_of(key, messages, name, numbers=(1,)):
    """Return lamps that send other messages, each instead of one with this type or code."""
    return {f"{name}-{it}": altered(LAMP, "Lamp", key, it, messages) for it in numbers}


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
            **instead_of(REFUSAL, '[{**message, "code": 4003}]', "refusal-with-code"),
        },
        "test-passes-crash": {
            "dies-after-a-refusal": (STOP, f"assert {CHECK_KEY}\n        {STOP}"),
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
            **instead_of(4000, f"[{EXTRA}, message]", "frame-before-close"),
            "tells-all-lamps": (
                *("SyncConsumer):", "SyncConsumer):\n    clients = set()\n"),
                *(SEND_ACCEPT, f"self.clients.add(self)\n            {SEND_ACCEPT}"),
                *(SEND_STATE, f"for lamp in self.clients:\n                lamp.{SEND_STATE[5:]}"),
                *("self.broken = True", f"{FORGET}\n            self.broken = True"),
                *(STOP, f"{FORGET}\n        {STOP}"),
            ),
        },
        "test-passes-late-frame": {
            **instead_of(4000, f"[message, {EXTRA}]", "frame-after-close"),
            "answers-after-the-close": (IS_BROKEN, "if False:"),
            "switches-after-the-close": (IS_BROKEN, f"{IS_BROKEN[:-1]} and not {IS_SWITCH}:"),
            "closes-twice": (IS_BROKEN, f"{IS_BROKEN[:-1]} and {IS_SWITCH}:"),
        },
    },
    "closes": {
        "test-passes-wrong-code": {
            **{
                f"closes-with-{code}": ('"code": 4000', f'"code": {code}')
                for code in (1000, 3999, 4001)
            },
            **instead_of(4000, "[]", "no-close"),
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
            **instead_of(STATE, '[{**message, "lit": True}]', "state-with-another-key"),
            **instead_of(4000, '[{**message, "reason": "hit"}]', "close-with-a-reason"),
        },
    },
    "stops": {
        "test-passes-endless": {
            "never-stops": (STOP, "pass"),
            "stops-if-broken": (STOP, f"if self.broken or not {CHECK_KEY}:\n            {STOP}"),
            "stops-if-whole": (STOP, f"if not self.broken:\n            {STOP}"),
            "stops-if-accepted": (STOP, f"if {CHECK_KEY}:\n            {STOP}"),
        },
        "test-passes-crash": {
            "dies-at-the-end": (STOP, f"assert self.broken or not {CHECK_KEY}\n        {STOP}"),
            "dies-when-broken": (STOP, f"assert not self.broken\n        {STOP}"),
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
