"""Submissions for lesson 22: each right ticker is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio
import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import Max
from django.http import QueryDict

from db_demo.models import Entry


class Ticker(AsyncConsumer):
    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        if not re.fullmatch(r"[0-9]{1,18}", after):
            await self.send({"type": "websocket.close", "code": 4400})
            return
        self.last = int(after)
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.catch_up()

    async def websocket_receive(self, event):
        if event.get("text") and self.last is not None:
            entry = await Entry.objects.acreate(text=event["text"])
            news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
            await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        await self.catch_up()

    async def catch_up(self):
        async for entry in Entry.objects.filter(id__gt=self.last).order_by("id"):
            await self.tell(entry.id, entry.text)
            self.last = entry.id

    async def tell(self, id, text):
        await self.send({"type": "websocket.send", "text": json.dumps({"id": id, "text": text})})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""


def part(first, after):
    return RIGHT[RIGHT.index(first) : RIGHT.index(after)]


ACCEPT = '        await self.send({"type": "websocket.accept"})\n'
QUERY = part("        query = ", "        if not re")
QUERY_DICT = 'QueryDict(self.scope["query_string"]).get("after", "0")'
ASK = 're.fullmatch(r"[0-9]{1,18}", after)'
BEGIN = part("        self.last = int(after)", "    async def websocket_receive")
JOIN = '        await self.channel_layer.group_add("ticker", self.channel_name)\n'
NEWS = part("    async def ticker_news", "    async def catch_up")
CATCH_UP = part("    async def catch_up", "    async def tell")
PUBLISH = part("            entry = await", "    async def ticker_news")
SEND = 'await self.channel_layer.group_send("ticker", news)'
ROWS = 'Entry.objects.filter(id__gt=self.last).order_by("id")'
FRAME = 'json.dumps({"id": id, "text": text})'
CALL = part("    async def __call__", "    async def websocket_connect")
AGAIN = "await entry.asave(force_insert=True)"
COUNT = "await Entry.objects.acount()"
NOTE = "            self.last = entry.id\n"

IN_A_THREAD = """\
    async def catch_up(self):
        for entry in await self.newer():
            await self.tell(entry.id, entry.text)
            self.last = entry.id

    @database_sync_to_async
    def newer(self):
        return list(Entry.objects.filter(id__gt=self.last).order_by("id"))

"""
IN_A_TRANSACTION = IN_A_THREAD.replace(
    "        return list(", "        with transaction.atomic():\n            return list("
)
IN_BATCHES = """\
    async def catch_up(self):
        while rows := [row async for row in self.newer()[:7]]:
            for entry in rows:
                await self.tell(entry.id, entry.text)
            self.last = rows[-1].id

    def newer(self):
        return Entry.objects.filter(id__gt=self.last).order_by("id")

"""
WITH_A_SET = """\
    async def catch_up(self):
        self.sent = getattr(self, "sent", set())
        async for entry in Entry.objects.filter(id__gt=self.last).order_by("id"):
            if entry.id not in self.sent:
                self.sent.add(entry.id)
                await self.tell(entry.id, entry.text)

"""
IN_A_TASK = """\
    async def watch(self):
        while True:
            await self.bell.wait()
            self.bell.clear()
            await self.look()

    async def catch_up(self):
        if self.task is None:
            self.bell = asyncio.Event()
            self.task = asyncio.create_task(self.watch())
        self.bell.set()

    task = None

""" + CATCH_UP.replace("catch_up", "look")
CANCELS = CALL.replace(
    "        finally:\n",
    "        finally:\n            if self.task:\n                self.task.cancel()\n",
)
LOOKS_NOW_AND_THEN = """\
    async def now_and_then(self):
        while True:
            await asyncio.sleep(30)
            await self.channel_layer.send(self.channel_name, {"type": "ticker.news"})

"""

submissions = Submissions("replay", "", RIGHT)


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        in_a_transaction=([(CATCH_UP, IN_A_TRANSACTION)],),
        in_batches=([(CATCH_UP, IN_BATCHES)],),
        in_its_own_task=([(CATCH_UP, IN_A_TASK), (CALL, CANCELS)],),
        looks_now_and_then_too=(
            [
                (NEWS, LOOKS_NOW_AND_THEN + NEWS),
                (
                    BEGIN,
                    BEGIN.rstrip() + "\n        self.task = asyncio.create_task("
                    "self.now_and_then())\n\n    task = None\n\n",
                ),
                (CALL, CANCELS),
            ],
        ),
        knows_a_bell_that_is_late=(
            [
                (
                    "        await self.catch_up()\n\n    async def catch_up",
                    '        if event["id"] > self.last:\n'
                    "            await self.catch_up()\n\n    async def catch_up",
                )
            ],
        ),
        joins_before_the_accept=(
            [
                (ACCEPT, ""),
                (JOIN, JOIN + ACCEPT),
                (
                    '            await self.send({"type": "websocket.close"',
                    "    " + ACCEPT + '            await self.send({"type": "websocket.close"',
                ),
            ],
        ),
        sends_itself_a_bell=(
            [
                (
                    JOIN + "        await self.catch_up()\n",
                    JOIN + "        await self.channel_layer.send(self.channel_name, "
                    '{"type": "ticker.news"})\n',
                )
            ],
        ),
        in_other_words=(
            [
                (QUERY, f"        after = {QUERY_DICT}\n"),
                (ASK, "(after.isascii() and after.isdecimal() and len(after) < 19)"),
                ("            return\n", "            raise StopConsumer()\n"),
                (ROWS, ROWS + '.values_list("id", "text")'),
                ("async for entry in", "async for id, text in"),
                ("self.tell(entry.id, entry.text)", "self.tell(id, text)"),
                ("self.last = entry.id", "self.last = id"),
                (FRAME, 'json.dumps({"text": text, "id": id}, ensure_ascii=False, indent=1)'),
                ("self.channel_layer", "get_channel_layer()"),
            ],
        ),
        saves_in_a_transaction=(
            [
                (
                    'await Entry.objects.acreate(text=event["text"])',
                    "await database_sync_to_async(transaction.atomic(Entry.objects.create))("
                    'text=event["text"])',
                )
            ],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    verdict = submissions.changed(*changes)
    assert verdict.green, verdict.as_json()


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        fetches_and_joins_and_sends=(
            [
                (
                    JOIN + "        await self.catch_up()\n",
                    f"        rows = [row async for row in {ROWS}]\n"
                    + JOIN
                    + "        for row in rows:\n"
                    "            await self.tell(row.id, row.text)\n"
                    "            self.last = row.id\n",
                )
            ],
            "history-before-joining",
        ),
        never_joins=([(JOIN, "")], "group-not-joined"),
        keeps_what_it_has_sent_in_a_set_on_the_class=(
            [
                (
                    CATCH_UP,
                    WITH_A_SET.replace(
                        'self.sent = getattr(self, "sent", set())',
                        'self.sent = Ticker.__dict__.get("seen") or set()\n'
                        "        Ticker.seen = self.sent",
                    ),
                )
            ],
            "history-cut",
        ),
        counts_up=([(NOTE, "            self.last += 1\n")], "sent-twice"),
        takes_the_number_of_rows=(
            [(CATCH_UP, CATCH_UP.rstrip() + f"\n        self.last = {COUNT}\n\n")],
            "sent-twice",
        ),
        asks_for_the_greatest_id_first=(
            [
                (
                    CATCH_UP,
                    CATCH_UP.replace(NOTE, "")
                    .replace(
                        "        async for",
                        '        newest = await Entry.objects.aaggregate(Max("id"))\n'
                        "        async for",
                    )
                    .rstrip()
                    + '\n        self.last = newest["id__max"] or 0\n\n',
                )
            ],
            "sent-twice",
        ),
        takes_the_bell_for_the_place=(
            [(NEWS, NEWS.rstrip() + '\n        self.last = event["id"]\n\n')],
            "layer-message-trusted",
        ),
        goes_back_to_the_bell=(
            [
                (
                    "        await self.catch_up()\n\n    async def catch_up",
                    '        self.last = event["id"] - 1\n'
                    "        await self.catch_up()\n\n    async def catch_up",
                )
            ],
            "sent-twice",
        ),
        sends_what_rings_and_then_looks=(
            [
                (
                    "        await self.catch_up()\n\n    async def catch_up",
                    '        if event["id"] == self.last + 1:\n'
                    '            self.last = event["id"]\n'
                    '            await self.tell(event["id"], event["text"])\n'
                    "        else:\n"
                    "            await self.catch_up()\n\n    async def catch_up",
                )
            ],
            "layer-message-trusted",
        ),
        in_no_order=([('.order_by("id")', '.order_by("?")')], "wrong-order"),
        all_but_the_next=([("id__gt=self.last", "id__gt=self.last + 1")], "history-cut"),
        sets_no_limit=([("{1,18}", "+")], "last-id-unchecked"),
        takes_a_line_feed=([(ASK, 're.match(r"^[0-9]{1,18}$", after)')], "last-id-unchecked"),
        refuses_nought=([("[0-9]{1,18}", "[1-9][0-9]{0,17}")], "last-id-refused"),
        too_low_a_limit=([("{1,18}", "{1,17}")], "last-id-refused"),
        wants_an_id=([('["0"]', '[""]')], "last-id-refused"),
        catches_and_starts_again=(
            [
                (part("        if not re", "        self.last"), ""),
                (
                    "        self.last = int(after)\n",
                    "        try:\n            self.last = int(after)\n"
                    "        except ValueError:\n            self.last = 0\n",
                ),
            ],
            "last-id-unchecked",
        ),
        refuses_and_goes_on=(
            [("            return\n", "            after = 0\n")],
            "send-after-close",
        ),
        rings_without_what=(
            [('"id": entry.id, "text": entry.text', '"last": entry.id')],
            "message-differs",
        ),
        saves_twice=(
            [(PUBLISH, PUBLISH.rstrip() + f"\n            {AGAIN}\n\n")],
            "exception",
        ),
        says_html=([("entry.id, entry.text)", 'entry.id, f"<p>{entry.text}")')], "reply-differs"),
        says_a_list=([(FRAME, "json.dumps([id, text])")], "reply-differs"),
        sends_the_id_as_text=([('{"id": id,', '{"id": str(id),')], "reply-differs"),
        looks_on_the_loop=([("async for", "for")], "lazy-queryset"),
        forgets_to_await=(
            [
                (
                    "        await self.catch_up()\n\n    async def websocket_receive",
                    "        self.catch_up()\n\n    async def websocket_receive",
                )
            ],
            "never-awaited",
        ),
        leaves_on_disconnect=(
            [
                (CALL, ""),
                (
                    "        raise StopConsumer()\n",
                    '        await self.channel_layer.group_discard("ticker", self.channel_name)\n'
                    "        raise StopConsumer()\n",
                ),
            ],
            "group-leak-after-a-crash",
        ),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
