"""Submissions for lesson 11: each right letterbox is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import json

from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer


class Letterbox(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": self.channel_name})

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        message = {"type": "letter.arrived", "text": letter["text"]}
        try:
            async_to_sync(self.channel_layer.send)(letter["to"], message)
        except TypeError:
            self.send({"type": "websocket.send", "text": "no such address"})

    def letter_arrived(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()
"""

MESSAGE = '{"type": "letter.arrived", "text": letter["text"]}'
CALL = 'async_to_sync(self.channel_layer.send)(letter["to"], message)'
HANDLER = RIGHT[RIGHT.index("    def letter_arrived") : RIGHT.index("    def websocket_disc")]
TRY = RIGHT[RIGHT.index("        try:") : RIGHT.index("    def letter_arrived")]
ANSWER = '            self.send({"type": "websocket.send", "text": "no such address"})\n'
TELL = '        self.send({"type": "websocket.send", "text": self.channel_name})\n'

submissions = Submissions("channel", "", RIGHT)


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        asks_for_the_layer=([("self.channel_layer", "get_channel_layer()")],),
        makes_the_function_once=(
            [
                (
                    CALL,
                    "send = async_to_sync(self.channel_layer.send)\n"
                    '            send(letter["to"], message)',
                )
            ],
        ),
        wraps_its_own_method=(
            [
                (CALL, 'self.deliver(letter["to"], message)'),
                (
                    HANDLER,
                    "    @async_to_sync\n    async def deliver(self, channel, message):\n"
                    "        await get_channel_layer().send(channel, message)\n\n" + HANDLER,
                ),
            ],
        ),
        another_type_between_letterboxes=(
            [
                (MESSAGE, '{"type": "post", "words": letter["text"]}'),
                (
                    HANDLER,
                    HANDLER
                    + HANDLER.replace("letter_arrived", "post").replace('"text"]', '"words"]'),
                ),
            ],
        ),
        sends_the_frame_in_the_message=(
            [
                (
                    MESSAGE,
                    '{"type": "go", "frame": {"type": "websocket.send", "text": letter["text"]}}',
                ),
                (
                    HANDLER,
                    HANDLER + '    def go(self, event):\n        self.send(event["frame"])\n\n',
                ),
            ],
        ),
        asks_whether_the_name_is_valid=(
            [
                (
                    TRY,
                    '        if not isinstance(letter["to"], str):\n'
                    "            return self.refuse()\n"
                    "        try:\n"
                    '            self.channel_layer.require_valid_channel_name(letter["to"])\n'
                    "        except TypeError:\n"
                    "            return self.refuse()\n"
                    f"        {CALL}\n\n"
                    "    def refuse(self):\n" + ANSWER[4:] + "\n",
                )
            ],
        ),
        copies_and_sets_the_type=([(MESSAGE, '{**letter, "type": "letter.arrived"}')],),
        sends_in_the_accept_helper=(
            [
                (TELL, "        self.tell(self.channel_name)\n"),
                (
                    HANDLER,
                    HANDLER.replace(
                        'self.send({"type": "websocket.send", "text": event["text"]})',
                        'self.tell(event["text"])',
                    )
                    + "    def tell(self, text):\n"
                    + '        self.send({"type": "websocket.send", "text": text})\n\n',
                ),
            ],
        ),
        catches_more_than_it_must=([("except TypeError", "except (TypeError, ValueError)")],),
        gets_the_text_with_get=(
            [('event["text"])\n        message', 'event.get("text"))\n        message')],
        ),
        sends_bytes_none_too=(
            [('"text": event["text"]})', '"text": event["text"], "bytes": None})')],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    verdict = submissions.changed(*changes)
    assert verdict.green, verdict.as_json()


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        keeps_the_coroutine=(
            [(CALL, f"self.sent = {CALL[14:].replace('send)(', 'send(')}")],
            "layer-not-called",
        ),
        calls_nothing=([(CALL, "async_to_sync(self.channel_layer.send)")], "no-reply"),
        awaits=(
            [("async_to_sync(self.channel_layer.send)(", "await self.channel_layer.send(")],
            "await-in-def",
        ),
        calls_the_result=(
            [(CALL, 'async_to_sync(self.channel_layer.send(letter["to"], message))()')],
            "layer-not-called",
        ),
        wraps_what_is_not_async=(
            [("async_to_sync(self.channel_layer.send)(", "async_to_sync(lambda: None)(")],
            "refused-a-right-address",
        ),
        the_type_first=([(MESSAGE, '{"type": "letter.arrived"} | letter')], "client-chosen-type"),
        the_type_by_name=(
            [(MESSAGE, '{"type": letter.get("type", "letter.arrived"), "text": letter["text"]}')],
            "client-chosen-type",
        ),
        refuses_some_types=(
            [
                (
                    MESSAGE,
                    '{"type": "letter.arrived", **letter}\n'
                    '        if message["type"] == "websocket.disconnect":\n'
                    '            message["type"] = "letter.arrived"',
                )
            ],
            "client-chosen-type",
        ),
        a_dash=(
            [(MESSAGE, '{"type": "letter-arrived", "text": letter["text"]}')],
            "no-layer-handler",
        ),
        no_handler=([(HANDLER, "")], "no-layer-handler"),
        a_handler_without_event=(
            [("def letter_arrived(self, event)", "def letter_arrived(self)")],
            "exception",
        ),
        async_handler=(
            [("def letter_arrived", "async def letter_arrived")],
            "async-handler-in-sync-consumer",
        ),
        another_key=(
            [(MESSAGE, '{"type": "letter.arrived", "words": letter["text"]}')],
            "message-key-missing",
        ),
        a_set_in_the_message=(
            [(MESSAGE, '{"type": "letter.arrived", "text": letter["text"], "seen": set()}')],
            "refused-a-right-address",
        ),
        sends_itself_along=(
            [(MESSAGE, '{"type": "letter.arrived", "text": letter["text"], "by": self}')],
            "refused-a-right-address",
        ),
        numbers_the_letters=(
            [(MESSAGE, '{"type": "letter.arrived", "text": letter["text"], "n": {1: 2}}')],
            "int-keys",
        ),
        to_a_group=(
            [("self.channel_layer.send", "self.channel_layer.group_send")],
            "refused-a-right-address",
        ),
        answers_the_writer_too=(
            [(CALL, CALL + '\n            self.send({"type": "websocket.send", "text": "sent"})')],
            "wrong-connection",
        ),
        says_nothing_of_a_bad_address=([(ANSWER, "            pass\n")], "no-reply"),
        closes_on_a_bad_address=(
            [(ANSWER, '            self.send({"type": "websocket.close"})\n')],
            "reply-differs",
        ),
        stops_on_a_bad_address=([(ANSWER, "            raise StopConsumer()\n")], "zombie"),
        sends_no_address=([(TELL, "")], "no-reply"),
        sends_its_class=([("self.channel_name})", "type(self).__name__})")], "wrong-address"),
        sends_too_much=(
            [("self.channel_name})", 'f"you are {self.channel_name}"})')],
            "wrong-address",
        ),
        sends_before_the_accept=(
            [
                (
                    '        self.send({"type": "websocket.accept"})\n' + TELL,
                    TELL + '        self.send({"type": "websocket.accept"})\n',
                )
            ],
            "send-before-accept",
        ),
        shares_the_layer_call=(
            [
                ("letter = json", "type(self).letter = letter = json"),
                (
                    'event["text"]})\n\n    def websocket_disc',
                    'self.letter["text"]})\n\n    def websocket_disc',
                ),
            ],
            "exception",
        ),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
