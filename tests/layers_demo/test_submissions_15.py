"""Submissions for lesson 15: each right clerk is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio
import datetime
import uuid

from asgiref.sync import async_to_sync, sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import ChannelFull, StopConsumer
from channels.layers import get_channel_layer


class Clerk(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        job = {"type": "weekday.find", "date": text, "answer_to": self.channel_name}
        try:
            await self.channel_layer.send("weekdays", job)
        except ChannelFull:
            await self.say("busy")
        else:
            await self.say("asked")

    async def weekday_found(self, event):
        await self.say(event["text"])

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Calendar(AsyncConsumer):
    async def weekday_find(self, event):
        text = event["date"]
        try:
            answer = datetime.date.fromisoformat(text).strftime("%A")
        except ValueError:
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{text}: {answer}"}
        await self.channel_layer.send(event["answer_to"], message)


channel_name_patterns = {"weekdays": Calendar.as_asgi()}
"""

CALENDAR = RIGHT[RIGHT.index("class Calendar") : RIGHT.index("channel_name_patterns")]
ASK = RIGHT[RIGHT.index("        try:") : RIGHT.index("    async def weekday_found")]
FOUND = RIGHT[RIGHT.index("    async def weekday_found") : RIGHT.index("    async def say")]
ANSWER = '        await self.channel_layer.send(event["answer_to"], message)\n'
ACCEPT = '        await self.send({"type": "websocket.accept"})\n'
STOP = "        raise StopConsumer()\n"

submissions = Submissions("worker", "", RIGHT)


SYNC = """\
class Calendar(SyncConsumer):
    def weekday_find(self, event):
        try:
            answer = datetime.date.fromisoformat(event["date"]).strftime("%A")
        except ValueError:
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{event['date']}: {answer}"}
        async_to_sync(self.channel_layer.send)(event["answer_to"], message)


"""

BARE = """\
async def calendar(scope, receive, send):
    while True:
        event = await receive()
        try:
            answer = datetime.date.fromisoformat(event["date"]).strftime("%A")
        except ValueError:
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{event['date']}: {answer}"}
        await get_channel_layer().send(event["answer_to"], message)


"""

TASKS = """\
class Calendar(AsyncConsumer):
    def __init__(self):
        self.tasks = set()

    async def weekday_find(self, event):
        task = asyncio.create_task(self.find(event))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def find(self, event):
        text = event["date"]
        try:
            answer = (await asyncio.to_thread(datetime.date.fromisoformat, text)).strftime("%A")
        except ValueError:
            answer = "not a date"
        message = {"type": "weekday.found", "text": f"{text}: {answer}"}
        await self.channel_layer.send(event["answer_to"], message)


"""

DEADLINES = """\
        else:
            await self.say("asked")
            self.tasks = getattr(self, "tasks", [])
            self.tasks.append(asyncio.create_task(self.give_up(text)))

    async def give_up(self, text):
        await asyncio.sleep(10)
        await self.say(f"{text}: no answer")

"""

OWN_GROUP = [
    (
        ACCEPT,
        '        self.group = f"clerk.{uuid.uuid4().hex}"\n'
        "        await self.channel_layer.group_add(self.group, self.channel_name)\n" + ACCEPT,
    ),
    (
        STOP,
        "        await self.channel_layer.group_discard(self.group, self.channel_name)\n" + STOP,
    ),
    ("self.channel_name}", "self.group}"),
    ('layer.send(event["answer_to"]', 'layer.group_send(event["answer_to"]'),
]


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        with_a_sync_worker=([(CALENDAR, SYNC)],),
        with_an_application_that_is_not_a_consumer=(
            [(CALENDAR, BARE), ("Calendar.as_asgi()", "calendar")],
        ),
        with_a_task_for_each_job=([(CALENDAR, TASKS)],),
        with_the_work_in_a_thread=(
            [
                (
                    "datetime.date.fromisoformat(text).strftime",
                    "(await sync_to_async(datetime.date.fromisoformat, "
                    "thread_sensitive=False)(text)).strftime",
                )
            ],
        ),
        with_a_group_of_each_connections_own=(OWN_GROUP,),
        with_other_names=(
            [
                ("weekday.find", "calendar.look.up"),
                ("weekday_find", "calendar_look_up"),
                ("weekday.found", "looked.up"),
                ("weekday_found", "looked_up"),
                ("answer_to", "channel"),
            ],
        ),
        with_the_answer_in_pieces=(
            [
                ('"text": f"{text}: {answer}"}', '"date": text, "weekday": answer}'),
                ('self.say(event["text"])', "self.say(f\"{event['date']}: {event['weekday']}\")"),
            ],
        ),
        with_an_early_return=(
            [
                (
                    ASK,
                    "        try:\n"
                    '            await self.channel_layer.send("weekdays", job)\n'
                    "        except ChannelFull:\n"
                    '            return await self.say("busy")\n'
                    '        await self.say("asked")\n\n',
                )
            ],
        ),
        with_the_layer_asked_for=([("self.channel_layer", "get_channel_layer()")],),
        with_the_layer_asked_for_once=(
            [
                ("class Clerk", "layer = get_channel_layer()\n\n\nclass Clerk"),
                ("self.channel_layer", "layer"),
            ],
        ),
        with_everything_caught=([("except ValueError", "except Exception")],),
        with_jobs_that_take_their_time=([(ANSWER, "        await asyncio.sleep(1)\n" + ANSWER)],),
        with_a_count_of_no_client=(
            [(ANSWER, '        self.done = getattr(self, "done", 0) + 1\n' + ANSWER)],
        ),
        with_more_channels_routed=(
            [("Calendar.as_asgi()}", 'Calendar.as_asgi(), "other": Calendar.as_asgi()}')],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    assert submissions.changed(*changes).findings == []


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        sends_no_job=(
            [
                (
                    '            await self.channel_layer.send("weekdays", job)\n',
                    "            pass\n",
                )
            ],
            "job-not-sent",
        ),
        sends_another_name=([('send("weekdays"', 'send("Weekdays"')], "wrong-channel"),
        sends_to_its_own_channel=(
            [('send("weekdays"', "send(self.channel_name")],
            "no-layer-handler",
        ),
        awaits_no_send=(
            [('await self.channel_layer.send("weekdays"', 'self.channel_layer.send("weekdays"')],
            "never-awaited",
        ),
        calls_the_layer_from_outside=(
            [
                (
                    'await self.channel_layer.send("weekdays", job)',
                    'async_to_sync(self.channel_layer.send)("weekdays", job)',
                )
            ],
            "async-to-sync-in-loop",
        ),
        has_no_routes=(
            [('channel_name_patterns = {"weekdays": Calendar.as_asgi()}', "")],
            "channel-unrouted",
        ),
        routes_the_clerk=([("Calendar.as_asgi()}", "Clerk.as_asgi()}")], "job-not-handled"),
        routes_a_class=([("Calendar.as_asgi()}", "Calendar}")], "class-without-as-asgi"),
        names_the_handler_as_way_back=(
            [("self.channel_name}", '"weekday.found"}')],
            "reply-channel-missing",
        ),
        sends_itself=(
            [('"answer_to": self.channel_name', '"answer_to": self.channel_name, "clerk": self')],
            "not-serializable",
        ),
        sends_a_date=(
            [('"date": text,', '"date": datetime.date.today(),')],
            "not-serializable",
        ),
        answers_an_empty_group=(
            [(ANSWER, ANSWER.replace('send(event["answer_to"]', 'group_send("clerks"'))],
            "group-as-channel",
        ),
        answers_a_channel_as_a_group=(
            [(ANSWER, ANSWER.replace("send(", "group_send("))],
            "group-as-channel",
        ),
        sends_no_answer=([(ANSWER, "")], "job-unanswered"),
        answers_in_the_try_alone=(
            [
                (
                    CALENDAR[CALENDAR.index("        try:") :].rstrip("\n") + "\n",
                    "        try:\n"
                    '            answer = datetime.date.fromisoformat(text).strftime("%A")\n'
                    '            message = {"type": "weekday.found", '
                    '"text": f"{text}: {answer}"}\n'
                    '            await self.channel_layer.send(event["answer_to"], message)\n'
                    "        except ValueError:\n"
                    "            pass\n",
                )
            ],
            "job-unanswered",
        ),
        stops_after_a_bad_job=(
            [('            answer = "not a date"\n', "            raise StopConsumer()\n")],
            "worker-stopped",
        ),
        misspells_the_answers_handler=([("weekday_found", "weekday_is")], "no-layer-handler"),
        remembers_the_first=(
            [
                (
                    ANSWER,
                    '        self.__dict__.setdefault("client", event["answer_to"])\n'
                    "        await self.channel_layer.send(self.client, message)\n",
                )
            ],
            "worker-remembers",
        ),
        remembers_on_the_class=(
            [
                (
                    ANSWER,
                    '        Calendar.client = getattr(Calendar, "client", event["answer_to"])\n'
                    "        await self.channel_layer.send(Calendar.client, message)\n",
                )
            ],
            "worker-remembers",
        ),
        leaves_the_answer_on_the_class=(
            [(ANSWER, "        Clerk.answer = message\n")],
            "job-unanswered",
        ),
        polls_for_the_answer=(
            [
                (
                    '            await self.say("asked")\n',
                    '            await self.say("asked")\n'
                    '            while not getattr(self, "answer", None):\n'
                    "                await asyncio.sleep(0.1)\n",
                )
            ],
            "waits-for-answer",
        ),
        says_asked_after_the_answer=(
            [
                ('            await self.say("asked")\n', "            pass\n"),
                (
                    '        await self.say(event["text"])',
                    '        await self.say("asked")\n        await self.say(event["text"])',
                ),
            ],
            "no-reply",
        ),
        hangs_up_when_it_is_full=(
            [('await self.say("busy")', 'await self.send({"type": "websocket.close"})')],
            "full-channel-not-reported",
        ),
        says_both_when_it_is_full=(
            [
                (
                    '        else:\n            await self.say("asked")',
                    '        await self.say("asked")',
                )
            ],
            "full-channel-not-reported",
        ),
        passes_a_full_channel_over=(
            [('await self.say("busy")', "pass")],
            "full-channel-not-reported",
        ),
        waits_until_there_is_room=(
            [
                (
                    ASK,
                    "        while True:\n"
                    "            try:\n"
                    '                await self.channel_layer.send("weekdays", job)\n'
                    "                break\n"
                    "            except ChannelFull:\n"
                    "                await asyncio.sleep(1)\n"
                    '        await self.say("asked")\n\n',
                )
            ],
            "full-channel-not-reported",
        ),
        answers_in_other_words=([("{text}: {answer}", "{text} {answer}")], "reply-differs"),
        says_asked_in_other_words=([('"asked"', '"Asked"')], "reply-differs"),
        answers_twice=([(ANSWER, ANSWER * 2)], "reply-differs"),
        hangs_up_after_the_answer=(
            [
                (
                    FOUND,
                    FOUND.rstrip() + '\n        await self.send({"type": "websocket.close"})\n\n',
                )
            ],
            "reply-differs",
        ),
        answers_with_the_next_job=(
            [
                (
                    ANSWER,
                    '        last, self.last = getattr(self, "last", None), message\n'
                    "        if last:\n"
                    '            await self.channel_layer.send(event["answer_to"], last)\n',
                )
            ],
            "job-unanswered",
        ),
        never_ends_a_job=(
            [(ANSWER, ANSWER + "        while True:\n            await asyncio.sleep(1)\n")],
            "job-holds-others",
        ),
        leaves_deadlines_running=(
            [('        else:\n            await self.say("asked")\n\n', DEADLINES)],
            "task-left-behind",
        ),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
