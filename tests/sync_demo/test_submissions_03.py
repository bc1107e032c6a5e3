"""Submissions for lesson 3: each right game is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if not self.tries:
            return
        text = event.get("text")
        if text == "7":
            self.tries = 0
            self.say("Right.")
            self.send({"type": "websocket.close", "code": 1000})
        else:
            self.tries -= 1
            self.say("Wrong.")
            if not self.tries:
                self.send({"type": "websocket.close", "code": 4000})

    def say(self, text):
        self.send({"type": "websocket.send", "text": text})

    def websocket_disconnect(self, event):
        raise StopConsumer()
"""

GUARD = "        if not self.tries:\n            return\n"
STOP = "        raise StopConsumer()"
WON, LOST = ', "code": 1000})', ', "code": 4000})'

submissions = Submissions("stop", "", RIGHT)


def judged(old="", new=""):
    assert old in RIGHT
    return submissions.verdict(source=RIGHT.replace(old, new))


def test_the_usual_version_is_green():
    assert judged().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        leaves_1000_out=(WON, "})"),
        says_none_for_1000=(WON, ', "code": None})'),
        gives_a_reason=(LOST, ', "code": 4000, "reason": "three tries"})'),
        tries_on_class=("        self.tries = 3\n", "        type(self).tries = 3\n"),
        asks_the_scope=("self.tries", 'self.scope["tries"]'),
        speaks_to_one_who_has_left=(STOP, '        self.say("bye")\n' + STOP),
        closes_one_who_has_left=(STOP, '        self.send({"type": "websocket.close"})\n' + STOP),
        gives_none_a_meaning=(STOP, "        assert (event['code'] or 1005) >= 1000\n" + STOP),
        stops_in_finally=(STOP, "        try:\n            1 / 0\n        finally:\n    " + STOP),
    ),
)
def test_a_right_change_stays_green(old, new):
    assert judged(old, new).findings == []


def test_a_consumer_may_stop_as_soon_as_it_has_closed():
    source = RIGHT.replace(GUARD, "")
    for close, indent in ((WON, 12), (LOST, 16)):
        source = source.replace(close, f"{close}\n{' ' * indent}raise StopConsumer")
    assert submissions.verdict(source=source).findings == []


MATCH = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Guess(SyncConsumer):
    over = False

    def websocket_connect(self, event):
        self.wrong = []
        self.send({"type": "websocket.accept", "subprotocol": None, "headers": []})

    def websocket_receive(self, event):
        match event:
            case _ if self.over:
                pass
            case {"text": "7"}:
                self.finish("Right.", 1000)
            case _ if len(self.wrong) == 2:
                self.finish("Wrong.", 4000)
            case _:
                self.wrong.append(event)
                self.send({"type": "websocket.send", "text": "Wrong.", "bytes": None})

    def finish(self, text, code):
        self.over = True
        self.send({"type": "websocket.send", "text": text})
        self.send({"code": code, "type": "websocket.close"})

    def websocket_disconnect(self, event):
        raise StopConsumer
"""

GENERATOR = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Base(SyncConsumer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.game = self.play()
        next(self.game)

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def leave(self, event):
        self.game.close()
        raise StopConsumer("the client has left")

    websocket_disconnect = leave


class Guess(Base):
    def play(self):
        for left in (2, 1, 0):
            right = (yield).get("text") == "7"
            self.send({"type": "websocket.send", "text": "Right." if right else "Wrong."})
            if right or not left:
                self.send({"type": "websocket.close", "code": 1000 if right else 4000})
                break
        while True:
            yield

    def websocket_receive(self, event):
        self.game.send(event)
"""

GENERIC = """\
from channels.generic.websocket import WebsocketConsumer


class Guess(WebsocketConsumer):
    tries = 3

    def receive(self, text_data=None, bytes_data=None):
        if not self.tries:
            return
        right = text_data == "7"
        self.tries = 0 if right else self.tries - 1
        self.send("Right." if right else "Wrong.")
        if not self.tries:
            self.close(None if right else 4000)
"""


@pytest.mark.parametrize("source", named(match=MATCH, generator=GENERATOR, generic=GENERIC))
def test_any_shape_of_the_class_is_allowed(source):
    assert submissions.verdict(source=source).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        goes_on_after_a_win=("send-after-close", "            self.tries = 0\n", ""),
        answers_frames_after_the_close=("send-after-close", GUARD, ""),
        closes_what_is_closed=(
            "reply-differs",
            "            return\n",
            "            return self.send({'type': 'websocket.close'})\n",
        ),
        closes_twice=("reply-differs", LOST, LOST + '; self.send({"type": "websocket.close"})'),
        gives_two_tries=("closed-early", "= 3", "= 2"),
        gives_four_tries=("not-closed-as-asked", "= 3", "= 4"),
        mixes_the_codes_up=("wrong-close-code", "1000", "4000"),
        gives_the_code_as_text=("forbidden-close-code", "4000", '"4000"'),
        gives_the_code_as_an_enum=(
            "forbidden-close-code",
            "4000",
            '__import__("enum").IntEnum("Code", {"L": 4000}).L',
        ),
        says_going_away=("forbidden-close-code", "4000", "1001"),
        disconnects_instead_of_a_close=(
            "unknown-event-type",
            "websocket.close",
            "websocket.disconnect",
        ),
        calls_close=(
            "generic-method",
            'self.send({"type": "websocket.close"' + LOST,
            "self.close(4000)",
        ),
        takes_a_number=("closed-early", 'text == "7"', '(text or "").isdigit() and int(text) == 7'),
        looks_inside=("closed-early", 'text == "7"', '"7" in (text or "")'),
        decodes=(
            "closed-early",
            'event.get("text")',
            'event.get("text") or event["bytes"].decode()',
        ),
        passes_empty_frames_over=(
            "no-reply",
            'if text == "7"',
            'if text == "":\n            pass\n        elif text == "7"',
        ),
        stops_while_the_game_is_on=(
            "no-stop-consumer",
            STOP,
            "        if self.tries:\n    " + STOP,
        ),
        stops_when_it_is_over=("no-stop-consumer", STOP, "        if not self.tries:\n    " + STOP),
        stops_unless_lost=(
            "no-stop-consumer",
            STOP,
            "        if event['code'] != 1006:\n    " + STOP,
        ),
        stops_for_a_code_alone=("no-stop-consumer", STOP, "        if event['code']:\n    " + STOP),
        returns_it=("no-stop-consumer", "raise StopConsumer", "return StopConsumer"),
        formats_none=("code-is-none", STOP, "        print('%d' % event['code'])\n" + STOP),
        reckons_with_none=("code-is-none", STOP, "        print(event['code'] // 1000)\n" + STOP),
        does_not_import=("stop-not-imported", "from channels.exceptions import StopConsumer\n", ""),
        misspells_the_handler=("no-disconnect-handler", "_disconnect", "_disconect"),
        wants_the_code=(
            "handler-without-event",
            "_disconnect(self, event",
            "_disconnect(self, event, code",
        ),
        awaits=("async-handler-in-sync-consumer", "def websocket_disc", "async def websocket_disc"),
        stops_itself=("recursion", STOP, "        self.websocket_disconnect(event)"),
        leaves_a_timer=(
            "thread-left-behind",
            STOP,
            "        import threading\n        threading.Timer(60, print).start()\n" + STOP,
        ),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert judged(old, new).diagnosis_ids[:1] == [diagnosis]


def test_attempts_in_a_module_variable_are_called_shared():
    source = "tries = 3\n" + RIGHT.replace("        self.tries = 3\n", "").replace(
        "self, event):\n" + GUARD, "self, event):\n        global tries\n" + GUARD
    ).replace("self.tries", "tries")
    assert submissions.verdict(source=source).diagnosis_ids[:1] == ["wrong-connection"]
