"""Submissions for lesson 12: each right lounge is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio
import hashlib
import re
import string

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer


class Lounge(AsyncConsumer):
    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)
                await self.tell("someone left")

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,50}", name):
            await self.send({"type": "websocket.accept"})
            await self.send({"type": "websocket.close", "code": 4004})
            return
        self.group = f"lounge-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.tell("someone came")

    async def tell(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if self.group is not None and event.get("text"):
            await self.tell(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""

ASK = 'not re.fullmatch(r"[a-zA-Z0-9_.-]{1,50}", name)'
ADD = "        await self.channel_layer.group_add(self.group, self.channel_name)\n"
DISCARD = "await self.channel_layer.group_discard(self.group, self.channel_name)\n"
GROUP = '        self.group = f"lounge-{name}"\n'
ACCEPT = '        await self.send({"type": "websocket.accept"})\n        await self.tell('
CAME = '        await self.tell("someone came")\n'
LEAVE = RIGHT[
    RIGHT.index("                await self.channel_layer.group_d") : RIGHT.index(
        "    async def websocket_connect"
    )
]
CALL = RIGHT[RIGHT.index("    async def __call__") : RIGHT.index("    async def websocket_connect")]
TELL = RIGHT[
    RIGHT.index("        await self.channel_layer.group_send") : RIGHT.index(
        "    async def lounge_news"
    )
]
STOP = "        raise StopConsumer()\n"
CLOSE = '            await self.send({"type": "websocket.close", "code": 4004})\n'
REFUSAL = '            await self.send({"type": "websocket.accept"})\n' + CLOSE
ALPHABET = 'string.ascii_letters + string.digits + "-_."'

submissions = Submissions("group", "", RIGHT)


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        the_name_is_the_group=([('f"lounge-{name}"', "name")],),
        asks_character_by_character=(
            [
                (
                    ASK,
                    f"not 1 <= len(name) <= 50 or set(name) - set({ALPHABET})",
                )
            ],
        ),
        asks_for_ascii=([(ASK, 'not (name.isascii() and re.fullmatch(r"[\\w.-]{1,50}", name))')],),
        matches_to_the_very_end=([(ASK, 'not re.match(r"[\\w.-]{1,50}\\Z", name, re.ASCII)')],),
        searches_for_what_does_not_fit=(
            [(ASK, 'not name or re.search(r"[^a-zA-Z0-9_.-]", name) or len(name) > 50')],
        ),
        quotes_the_name=([('f"lounge-{name}"', "hashlib.sha256(name.encode()).hexdigest()")],),
        sends_before_the_accept=(
            [
                (
                    ACCEPT + '"someone came")',
                    '        await self.tell("someone came")\n'
                    '        await self.send({"type": "websocket.accept"})',
                )
            ],
        ),
        sends_to_itself_directly=(
            [
                (
                    CAME,
                    '        await self.send({"type": "websocket.send", "text": "someone came"})\n',
                ),
                (ADD, '        await self.tell("someone came")\n' + ADD),
            ],
        ),
        sends_before_it_leaves=(
            [
                (
                    LEAVE,
                    '                await self.tell("someone left")\n                '
                    + DISCARD
                    + "\n",
                )
            ],
        ),
        leaves_in_its_own_task_group=(
            [
                (
                    LEAVE,
                    "                await asyncio.gather(self.leave(), "
                    'self.tell("someone left"))\n\n'
                    "    async def leave(self):\n        " + DISCARD + "\n",
                )
            ],
        ),
        asks_for_the_layer=([("self.channel_layer", "get_channel_layer()")],),
        catches_base_exceptions=(
            [
                (
                    CALL,
                    "    async def __call__(self, scope, receive, send):\n"
                    "        try:\n"
                    "            await super().__call__(scope, receive, send)\n"
                    "        except BaseException:\n"
                    "            await self.leave()\n"
                    "            raise\n"
                    "        await self.leave()\n\n"
                    "    async def leave(self):\n"
                    "        if self.group:\n"
                    "            " + DISCARD + '            await self.tell("someone left")\n\n',
                )
            ],
        ),
        leaves_twice=([(STOP, "        if self.group:\n            " + DISCARD + STOP)],),
        carries_the_frame=(
            [
                (
                    '"type": "lounge.news", "text": text',
                    '"type": "lounge.news", "frame": {"type": "websocket.send", "text": text}',
                ),
                (
                    'self.send({"type": "websocket.send", "text": event["text"]})',
                    'self.send(event["frame"])',
                ),
            ],
        ),
        refuses_and_stops=([("            return\n", "            raise StopConsumer()\n")],),
        keeps_its_name_too=([(GROUP, "        self.name = name\n" + GROUP)],),
    ),
)
def test_a_right_version_is_green(changes):
    verdict = submissions.changed(*changes)
    assert verdict.green, verdict.as_json()


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        no_end=([(CALL, "")], "group-leak"),
        leaves_without_brackets=(
            [
                (
                    DISCARD,
                    DISCARD.replace("(self.group, self.channel_name)", "").replace("await ", ""),
                )
            ],
            "group-leak",
        ),
        leaves_with_the_class_name=(
            [("group_discard(self.group,", "group_discard(type(self).__name__,")],
            "group-leak",
        ),
        forgets_the_discard=([(DISCARD, DISCARD.replace("await ", ""))], "never-awaited"),
        forgets_where_it_was=(
            [(DISCARD, "self.group, group = None, self.group\n")],
            "wrong-group-name",
        ),
        after_the_call=(
            [
                (
                    "        try:\n            await super",
                    "        if True:\n            await super",
                ),
                ("        finally:\n", "        if True:\n"),
            ],
            "group-leak-after-a-crash",
        ),
        after_an_exception_alone=([("finally:", "except Exception:")], "group-leak"),
        on_cancel_alone=([("finally:", "except asyncio.CancelledError:")], "group-leak"),
        guards_dispatch=(
            [
                (
                    CALL,
                    CALL.replace("__call__(self, scope, receive, send)", "dispatch(self, message)")
                    .replace("__call__(scope, receive, send)", "dispatch(message)")
                    .replace("finally:", "except BaseException:")
                    .replace('left")\n', 'left")\n            raise\n'),
                ),
            ],
            "group-leak-after-a-crash",
        ),
        never_says_that_one_left=(
            [('                await self.tell("someone left")\n', "")],
            "member-missed",
        ),
        leaves_without_asking=(
            [("            if self.group is not None:\n    ", "            if True:\n    ")],
            "wrong-group-name",
        ),
        asks_for_alnum=([(ASK, "not name.isalnum()")], "room-name-refused"),
        matches_the_beginning=(
            [(ASK, 're.match(r"[a-zA-Z0-9_.-]{1,50}", name) is None')],
            "wrong-group-name",
        ),
        too_short_a_limit=([("{1,50}", "{1,49}")], "room-name-refused"),
        too_long_a_limit=([("{1,50}", "{1,60}")], "room-name-unchecked"),
        asks_for_digits_of_every_script=([("0-9", r"\d")], "room-name-unchecked"),
        asks_for_words_of_every_script=([("a-zA-Z0-9_", r"\w")], "wrong-group-name"),
        tries_and_catches=(
            [
                (ASK, "len(name) > 50"),
                (
                    ADD,
                    "        try:\n    " + ADD + "        except TypeError:\n"
                    "            self.group = None\n" + REFUSAL + "            return\n",
                ),
            ],
            "room-name-unchecked",
        ),
        lower_case=([('f"lounge-{name}"', 'f"lounge-{name.lower()}"')], "wrong-room"),
        no_dots=([('f"lounge-{name}"', 'f"lounge-{name}".replace(".", "-")')], "wrong-room"),
        refuses_with_another_code=([("4004", "4040")], "wrong-close-code"),
        refuses_with_1008=([("4004", "1008")], "forbidden-close-code"),
        refuses_and_stays=(
            [('            await self.send({"type": "websocket.close", "code": 4004})\n', "")],
            "room-name-unchecked",
        ),
        refuses_and_goes_on=([("            return\n", "")], "wrong-group-name"),
        refuses_with_a_word=(
            [
                (
                    CLOSE,
                    '            await self.send({"type": "websocket.send", "text": "no"})\n'
                    + CLOSE,
                )
            ],
            "reply-differs",
        ),
        joins_at_the_first_frame=(
            [
                (ADD, ""),
                ("            await self.tell(f", "    " + ADD + "            await self.tell(f"),
            ],
            "member-missed",
        ),
        never_joins=([(ADD, "")], "member-missed"),
        joins_by_another_name=(
            [("group_add(self.group, self.channel_name)", "group_add(self.group, name)")],
            "member-missed",
        ),
        sends_one_channel=(
            [("group_send(self.group,", "send(self.channel_name,")],
            "member-missed",
        ),
        sends_the_group_as_a_channel=(
            [("group_send(self.group,", "send(self.group,")],
            "group-as-channel",
        ),
        sends_twice=([(TELL, TELL.rstrip("\n") + "\n" + TELL)], "reply-differs"),
        no_handler=([("def lounge_news", "def lounge_new")], "no-layer-handler"),
        hidden_handler=([("lounge.news", "_lounge.news")], "leading-underscore"),
        passes_the_event_on=(
            [
                (
                    "self.tell(f\"someone: {event['text']}\")",
                    "self.channel_layer.group_send(self.group, {**event, 'type': 'lounge.news'})",
                )
            ],
            "reply-differs",
        ),
        packs_itself=([('"text": text}', '"text": text, "by": self}')], "not-serializable"),
        says_bytes=([('event.get("text")', "event")], "text-on-binary"),
        says_nothing_as_none=(
            [
                (
                    ' and event.get("text"):\n'
                    "            await self.tell(f\"someone: {event['text']",
                    ":\n            await self.tell(f\"someone: {event.get('text')",
                )
            ],
            "reply-differs",
        ),
        forgets_to_await_the_telling=(
            [('await self.tell("someone came")', 'self.tell("someone came")')],
            "never-awaited",
        ),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        raised_again_by_the_clean_up=("            return\n", ""),
        seen_when_the_first_message_comes=("{1,50}", "{1,60}"),
    ),
)
def test_the_handler_with_the_taken_name_is_named(old, new):
    (finding,) = submissions.changed((old, new)).findings
    assert finding.handler == "Lounge.websocket_connect"
