"""Submissions for lesson 13: each right waiter is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio
import json
from collections import deque
from datetime import UTC, datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer
from channels.layers import get_channel_layer
from django.utils import timezone


class Waiter(AsyncConsumer):
    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("waiters", self.channel_name)

    async def websocket_connect(self, event):
        self.number = 0
        self.earlier = {}
        await self.channel_layer.group_add("waiters", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        self.number += 1
        order = {
            "type": "order.new",
            "number": self.number,
            "dish": event["text"],
            "at": timezone.now().isoformat(),
            "earlier": self.earlier,
        }
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            self.earlier[str(self.number)] = event["text"]
            await self.tell(f"{self.number} ordered")

    async def dish_ready(self, event):
        if self.last is not None and event["number"] > self.last + 1:
            await self.tell(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.tell(f"{event['dish']} is ready")

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""

SENDING = RIGHT[RIGHT.index("        try:\n            await self.channel_layer.send(") :]
SENDING = SENDING[: SENDING.index("    async def dish_ready")]
READY = RIGHT[RIGHT.index("    async def dish_ready") : RIGHT.index("    async def tell")]
AT = "timezone.now().isoformat()"
KEY = "self.earlier[str(self.number)]"

submissions = Submissions("delivery", "", RIGHT)


RETURNS = """\
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
            return
        self.earlier[str(self.number)] = event["text"]
        await self.tell(f"{self.number} ordered")

"""

ANSWER_LAST = """\
        answer = "not ordered"
        try:
            await get_channel_layer().send("kitchen", order)
            self.earlier = {**self.earlier, f"{self.number}": event["text"]}
            answer = "ordered"
        except ChannelFull as full:
            print(full)
        await self.tell(f"{self.number} {answer}")

"""

ANY_EXCEPTION = SENDING.replace("except ChannelFull", "except Exception")

COUNTED = """\
    async def dish_ready(self, event):
        number = event["number"]
        missed = max(0, number - (number - 1 if self.last is None else self.last) - 1)
        self.last = number
        for text in ([f"{missed} missed"] if missed else []) + [f"{event['dish']} is ready"]:
            await self.tell(text)

"""

EXPECTED = """\
    async def dish_ready(self, event):
        expected = getattr(self, "expected", event["number"])
        self.expected = event["number"] + 1
        if expected < event["number"]:
            await self.tell(f"{event['number'] - expected} missed")
        await self.tell(f"{event['dish']} is ready")

"""

IN_A_TASK = """\
        self.at_work = asyncio.create_task(self.pass_on(order, event["text"]))

    async def pass_on(self, order, dish):
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{order['number']} not ordered")
        else:
            self.earlier[str(order["number"])] = dish
            await self.tell(f"{order['number']} ordered")

"""

TWICE = """\
        for _ in range(2):
            try:
                await self.channel_layer.send("kitchen", order)
            except ChannelFull:
                await asyncio.sleep(0.5)
            else:
                self.earlier[str(self.number)] = event["text"]
                await self.tell(f"{self.number} ordered")
                break
        else:
            await self.tell(f"{self.number} not ordered")

"""

right = named(
    as_the_solution=[],
    returns_early=[(SENDING, RETURNS)],
    answers_at_the_end=[(SENDING, ANSWER_LAST)],
    catches_exceptions_that_there_are_not=[(SENDING, ANY_EXCEPTION)],
    tries_twice_and_gives_up=[(SENDING, TWICE)],
    works_in_a_task=[(SENDING, IN_A_TASK)],
    counts_with_max=[(READY, COUNTED)],
    keeps_what_it_expects=[(READY, EXPECTED)],
    time_with_a_space=[(AT, "str(timezone.now())")],
    time_of_this_place=[(AT, "datetime.now().isoformat(timespec='seconds')")],
    time_from_the_library=[(AT, "datetime.now(UTC).isoformat()")],
    more_in_the_order=[('"earlier": self.earlier,', '"earlier": self.earlier, "to": [1],')],
    a_copy_of_the_earlier=[('"earlier": self.earlier,', '"earlier": dict(self.earlier),')],
    as_json_and_back=[('"kitchen", order)', '"kitchen", json.loads(json.dumps(order)))')],
)


@pytest.mark.parametrize("changes", right)
def test_right(changes):
    assert submissions.changed(*changes).diagnosis_ids == []


SILENT = SENDING.replace(
    '            await self.tell(f"{self.number} not ordered")\n', "            pass\n"
)
CLOSES = SENDING.replace(
    'await self.tell(f"{self.number} not ordered")', 'await self.send({"type": "websocket.close"})'
)
BEFORE = """\
        self.earlier[str(self.number)] = event["text"]
        try:
            await self.channel_layer.send("kitchen", order | {"earlier": order["earlier"] | {}})
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            await self.tell(f"{self.number} ordered")

"""
FINALLY = """\
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        finally:
            self.earlier[str(self.number)] = event["text"]
            await self.tell(f"{self.number} ordered")

"""
MAKES_ROOM = """\
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.channel_layer.receive("kitchen")
            await self.channel_layer.send("kitchen", order)
        self.earlier[str(self.number)] = event["text"]
        await self.tell(f"{self.number} ordered")

"""
FLUSHES = MAKES_ROOM.replace('receive("kitchen")', "flush()")
QUEUES = """\
        self.waiting = [*getattr(self, "waiting", []), order]
        try:
            while self.waiting:
                await self.channel_layer.send("kitchen", self.waiting[0])
                done = self.waiting.pop(0)
                self.earlier[str(done["number"])] = done["dish"]
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            await self.tell(f"{self.number} ordered")

"""
BOTH = """\
        await self.tell(f"{self.number} ordered")
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            self.earlier[str(self.number)] = event["text"]

"""
AGAIN = """\
        else:
            await self.channel_layer.send("kitchen", order)
"""
SAYS_ALL_MISSED = READY.replace("event['number'] - self.last - 1", "event['number'] - self.last")
AFTERWARDS = """\
    async def dish_ready(self, event):
        await self.tell(f"{event['dish']} is ready")
        if self.last is not None and event["number"] > self.last + 1:
            await self.tell(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]

"""
KEEPS_THE_HIGHEST = READY.replace(
    'self.last = event["number"]', 'self.last = max(event["number"], self.last or 0)'
)
LISTS = READY.replace(
    "{event['number'] - self.last - 1} missed", "{[*range(self.last + 1, event['number'])]} missed"
)
ON_THE_CLASS = READY.replace("self.last = ", "Waiter.last = ")

wrong = named(
    a_datetime=([(AT, "timezone.now()")], "not-serializable"),
    a_datetime_and_any_exception=(
        [(AT, "timezone.now()"), ("except ChannelFull", "except Exception")],
        "swallowed-error",
    ),
    int_keys=([(KEY, "self.earlier[self.number]")], "int-keys"),
    a_deque=([("self.earlier,", "deque(self.earlier),")], "not-serializable"),
    pairs_instead_of_a_dict=(
        [("self.earlier,", "list(self.earlier.items()),")],
        "message-differs",
    ),
    a_text_instead_of_a_dict=([("self.earlier,", "json.dumps(self.earlier),")], "message-differs"),
    a_time_since_1970=([(AT, "timezone.now().timestamp()")], "message-differs"),
    its_own_time_format=([(AT, "timezone.now().strftime('%d.%m. %H:%M')")], "message-differs"),
    another_type=([('"order.new"', '"order_new"')], "message-differs"),
    no_type=([('            "type": "order.new",\n', "")], "message-differs"),
    json_for_the_layer=(
        [('"kitchen", order)', '"kitchen", json.dumps(order))')],
        "message-not-a-dict",
    ),
    to_the_group=([('send("kitchen"', 'group_send("kitchen"')], "delivery-assumed"),
    another_channel=([('send("kitchen"', 'send("kitchens"')], "message-differs"),
    no_except=([("except ChannelFull", "except ValueError")], "channel-full"),
    silent_where_full=([(SENDING, SILENT)], "loss-not-reported"),
    closes_where_full=([(SENDING, CLOSES)], "closed-early"),
    remembers_first=([(SENDING, BEFORE)], "message-differs"),
    remembers_and_says_so_in_any_case=([(SENDING, FINALLY)], "reply-differs"),
    takes_anothers_order_out=([(SENDING, MAKES_ROOM)], "loss-not-reported"),
    flushes_the_layer=([(SENDING, FLUSHES)], "loss-not-reported"),
    gives_the_number_to_the_next=(
        [('} not ordered")', '} not ordered")\n            self.number -= 1')],
        "reply-differs",
    ),
    says_so_before_it_sends=([(SENDING, BOTH)], "reply-differs"),
    sends_twice=([(SENDING, SENDING.replace("        else:\n", AGAIN, 1))], "message-differs"),
    one_dict_for_all=(
        [("        self.earlier = {}\n", ""), ("last = None", "earlier = {}\n    last = None")],
        "wrong-connection",
    ),
    one_number_for_all=(
        [
            ("        self.number = 0\n", ""),
            ("last = None", "number = 0\n    last = None"),
            ("self.number += 1", "Waiter.number += 1"),
        ],
        "wrong-connection",
    ),
    sends_it_later=([(SENDING, QUEUES)], "delivery-assumed"),
    forgets_the_await=(
        [("await self.channel_layer.send(", "self.channel_layer.send(")],
        "never-awaited",
    ),
    no_gap=([("> self.last + 1", "< 0")], "delivery-assumed"),
    one_too_many=([(READY, SAYS_ALL_MISSED)], "reply-differs"),
    says_so_afterwards=([(READY, AFTERWARDS)], "reply-differs"),
    lists_the_missed=([(READY, LISTS)], "reply-differs"),
    keeps_the_highest=([(READY, KEEPS_THE_HIGHEST)], "delivery-assumed"),
    begins_at_nothing=([("last = None", "last = 0")], "false-gap"),
    any_other_number=([("> self.last + 1", "!= self.last + 1")], "false-gap"),
    last_of_all_clients=([(READY, ON_THE_CLASS)], "wrong-connection"),
    never_joins=([('.group_add("waiters"', '.group_discard("waiters"')], "no-reply"),
)


@pytest.mark.parametrize("changes, diagnosis", wrong)
def test_wrong(changes, diagnosis):
    assert submissions.changed(*changes).diagnosis_ids[:1] == [diagnosis]
