"""Submissions for lesson 1: right weather stations are green, wrong ones get their diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

BEGINNING = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_receive(self, event):
        self.tell()

    def websocket_disconnect(self, event):
        raise StopConsumer()

    def tell(self):
        self.reply(text=READINGS[self.chosen])

    def reply(self, **payload):
        self.send({"type": "websocket.send", **payload})

    def websocket_connect(self, event):
"""

RIGHT = """
offered = self.scope["subprotocols"]
self.chosen = next((one for one in offered if one in READINGS), None)
if self.chosen is None:
    self.send({"type": "websocket.close"})
    return
self.send({"type": "websocket.accept", "subprotocol": self.chosen})
self.tell()
"""

CLOSE = '    self.send({"type": "websocket.close"})\n'
TELL = "self.tell()\n"

submissions = Submissions("accept", BEGINNING, RIGHT)


def test_the_usual_version_is_green():
    assert submissions.verdict().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        code_1000=('close"}', 'close", "code": 1000}'),
        code_none_and_a_reason=('close"}', 'close", "code": None, "reason": "no"}'),
        no_headers=("self.chosen})", 'self.chosen, "headers": []})'),
        stops_after_the_close=("    return", "    raise StopConsumer"),
        prints=(TELL, 'print("chosen", self.chosen)\n' + TELL),
        reads_the_header=(
            'self.scope["subprotocols"]',
            'dict(self.scope["headers"]).get(b"sec-websocket-protocol", b"").decode().split(", ")',
        ),
    ),
)
def test_a_right_change_stays_green(old, new):
    assert submissions.verdict(old=old, new=new).findings == []


@pytest.mark.parametrize(
    "body",
    named(
        match="""
            match [one for one in self.scope["subprotocols"] if one in READINGS]:
                case [first, *_]:
                    self.chosen = first
                    self.send({"type": "websocket.accept", "subprotocol": first})
                    self.tell()
                case _:
                    self.send({"type": "websocket.close"})
            """,
        for_else="""
            for self.chosen in self.scope["subprotocols"]:
                if self.chosen in READINGS:
                    break
            else:
                return self.send(dict(type="websocket.close"))
            self.send(dict(type="websocket.accept", subprotocol=self.chosen))
            self.websocket_receive(event)
            """,
        index_error="""
            try:
                self.chosen = [one for one in self.scope["subprotocols"] if one in READINGS][0]
            except IndexError:
                self.send({"type": "websocket.close"})
            else:
                self.send({"type": "websocket.accept", "subprotocol": self.chosen})
                self.tell()
            """,
    ),
)
def test_another_right_body_is_green(body):
    assert submissions.verdict(body=body).findings == []


OVERRIDES = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Base(SyncConsumer):
    async def __call__(self, scope, receive, send):
        self.known = [one for one in scope["subprotocols"] if one[8:] in self.readings]
        await super().__call__(scope, receive, send)

    def send(self, message):
        super().send({**message})

    def websocket_disconnect(self, event):
        raise StopConsumer("the client has left")


class Weather(Base):
    readings = dict(celsius="21", fahrenheit="70")

    def websocket_connect(self, event):
        if not self.known:
            return self.send({"type": "websocket.close"})
        self.send({"type": "websocket.accept", "subprotocol": self.known[0]})
        self.tell(event)

    def tell(self, event):
        text = self.readings[self.known[0][8:]]
        self.send({"type": "websocket.send", "text": text, "bytes": None})

    websocket_receive = tell
"""

GENERIC = """\
from channels.generic.websocket import WebsocketConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(WebsocketConsumer):
    def connect(self):
        known = [one for one in self.scope["subprotocols"] if one in READINGS]
        if not known:
            return self.close()
        self.text = READINGS[known[0]]
        self.accept(known[0])
        self.send(self.text)

    def receive(self, text_data=None, bytes_data=None):
        self.send(self.text)
"""


@pytest.mark.parametrize("source", named(overrides=OVERRIDES, generic=GENERIC))
def test_any_shape_of_the_class_is_allowed(source):
    assert submissions.verdict(source=source).findings == []


ACCEPT_TO_SAY_WHY = """\
    self.send({"type": "websocket.accept"})
    self.send({"type": "websocket.close", "code": 4003})
"""


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        no_answer_for_strangers=("no-accept", CLOSE, ""),
        stops_instead_of_a_refusal=("stopped-unanswered", CLOSE, "    raise StopConsumer()\n"),
        raises_instead_of_a_refusal=("exception", CLOSE, "    raise PermissionError()\n"),
        crashes_on_strangers=("exception", "if self.chosen", "if offered[0]"),
        goes_on_after_the_refusal=("answered-after-refusal", "    return\n", ""),
        looks_up_nothing_after_the_refusal=(
            "answered-after-refusal",
            """    return
self.send({"type": "websocket.accept", "subprotocol": self.chosen})
""",
            """else:
    self.send({"type": "websocket.accept", "subprotocol": self.chosen})
""",
        ),
        misspells_the_accept=("unknown-event-type", "websocket.accept", "websocket.acept"),
        misspells_the_close=("unknown-event-type", "websocket.close", "websocket.refuse"),
        misspells_the_key=("subprotocol-not-echoed", '"subprotocol":', '"subprotocols":'),
        echoes_bytes=("subprotocol-not-offered", "self.chosen})", "self.chosen.encode()})"),
        echoes_all=("subprotocol-not-offered", "self.chosen})", "offered})"),
        takes_the_last=("wrong-subprotocol", "in offered", "in reversed(offered)"),
        looks_at_the_first_only=("refuses-everyone", "in offered", "in offered[:1]"),
        searches_in_a_string=(
            "wrong-subprotocol",
            "in offered if one in READINGS",
            "in READINGS if one in str(offered)",
        ),
        accepts_to_say_why=("accepts-everyone", CLOSE, ACCEPT_TO_SAY_WHY),
        keeps_it_on_the_class=("wrong-connection", "self.chosen =", "type(self).chosen ="),
        sends_nothing=("no-reply", TELL, ""),
        sends_twice=("reply-differs", TELL, TELL + TELL),
        sends_bytes=("reply-differs", TELL, "self.reply(bytes=READINGS[self.chosen].encode())"),
        sends_a_number=("payload-not-text", TELL, "self.reply(text=int(READINGS[self.chosen]))"),
        sends_celsius_always=("reply-differs", TELL, "self.reply(text='21')"),
        closes_at_the_end=("reply-differs", TELL, TELL + 'self.send({"type": "websocket.close"})'),
        leaves_the_type_out=("reply-without-type", '"type": "websocket.accept", ', ""),
        sends_a_word=("reply-not-a-dict", '{"type": "websocket.close"}', '"websocket.close"'),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert submissions.verdict(old=old, new=new).diagnosis_ids[:1] == [diagnosis]


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        refuses_a_guest=("in offered", "in offered[:1]"),
        gives_a_code=('close"}', 'close", "code": 4003}'),
        goes_on=("    return\n", ""),
    ),
)
def test_a_wrong_rejection_names_the_handler_that_rejected(old, new):
    (finding, *_) = submissions.verdict(old=old, new=new).findings
    assert finding.message.startswith("websocket.connect → Weather.")
    assert finding.handler != "Weather.websocket_disconnect"
