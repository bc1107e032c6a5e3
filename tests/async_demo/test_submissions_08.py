"""Submissions for lesson 8: each right countdown is green, each wrong one gets its diagnosis."""

import pytest

from lessons.core.catalogue import find
from tests.support.submissions import Submissions, named

RIGHT = find("http").solution.read_text(encoding="utf-8")
submissions = Submissions("http", "", RIGHT)

START = 'await self.send({"type": "http.response.start", "status": 200, "headers": headers})'
SLEEP = "await asyncio.sleep(1)"
BODY = 'await self.send({"type": "http.response.body"'
LAST = "await self.write(0, more_body=False)"
TASK = "self.task = asyncio.create_task(self.count_down(int(self.body)))"
PLUS = 'self.body += event.get("body", b"")'
WHOLE = 'if not event.get("more_body", False):'
CANCEL = "            self.task.cancel()"
STOP = "        raise StopConsumer()"


def judged(old="", new=""):
    assert old in RIGHT
    return submissions.verdict(source=RIGHT.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        as_it_is=("", ""),
        says_the_charset=('b"text/event-stream"', 'b"text/event-stream; charset=utf-8"'),
        writes_the_name_large=('b"content-type"', 'b"Content-Type"'),
        adds_a_header=('stream")]', 'stream"), (b"cache-control", b"no-store")]'),
        starts_with_a_comment=(START, f'{START}; {BODY}, "body": b": hi\\n\\n", "more_body": 1}})'),
        ends_with_an_empty_part=(LAST, "await self.write(0, more_body=True); " + BODY + "})"),
        writes_lines_of_windows=("{left}\\n\\n", "{left}\\r\\n\\r\\n"),
        writes_no_space=("data: {left}", "data:{left}"),
        numbers_its_events=('f"data:', 'f"id: {left}\\ndata:'),
        says_goodbye=(CANCEL, CANCEL + "; " + BODY + "})"),
        waits_for_its_task=(
            CANCEL,
            CANCEL + "; await asyncio.gather(self.task, return_exceptions=True)",
        ),
        stops_by_itself=("more_body=False)\n", "more_body=False)\n        return\n"),
        counts_with_while=(
            "for left in range(seconds, 0, -1):",
            "left = seconds + 1\n        while (left := left - 1):",
        ),
    ),
)
def test_a_right_change_stays_green(old, new):
    assert judged(old, new).findings == []


LISTENS_IN_PARALLEL = """\
import asyncio

from channels.consumer import AsyncConsumer


class Countdown(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        body, more = b"", True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body, more = body + event.get("body", b""), event.get("more_body", False)
        counting = asyncio.ensure_future(self.count_down(int(body), send))
        leaving = asyncio.ensure_future(receive())
        await asyncio.wait([counting, leaving], return_when=asyncio.FIRST_COMPLETED)
        counting.cancel()
        leaving.cancel()

    async def count_down(self, seconds, send):
        headers = [[b"content-type", b"text/event-stream"]]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while seconds >= 0:
            body = f"data: {seconds}\\n\\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": seconds > 0})
            await asyncio.sleep(1)
            seconds -= 1
"""


def test_any_shape_of_the_class_is_allowed():
    assert submissions.verdict(source=LISTENS_IN_PARALLEL).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        forgets_encode=("body-not-bytes", ".encode()", ""),
        sends_none=("body-not-bytes", 'f"data: {left}\\n\\n".encode()', "None"),
        misspells_the_start=("unknown-response-type", "http.response.start", "http.respons.start"),
        misspells_the_body=("unknown-response-type", "http.response.body", "http.response.bdoy"),
        forgets_the_status=("status-missing", '"status": 200, ', ""),
        answers_404=("not-an-event-stream", "200", "404"),
        declares_no_type=("not-an-event-stream", ', "headers": headers', ""),
        header_value_is_text=("headers-not-bytes", 'b"text/event-stream"', '"text/event-stream"'),
        header_alone=("headers-not-pairs", '[(b"content-type", b"text/event-stream")]', '[b"a"]'),
        does_not_start=("body-before-start", START, "pass"),
        starts_at_the_end=("body-before-start", START, "await self.write(seconds, True); " + START),
        stops_at_one=("response-not-finished", LAST, "pass"),
        does_nothing=("response-missing", TASK, "pass"),
        forgets_the_await_of_the_sleep=("never-awaited", SLEEP, "asyncio.sleep(1)"),
        forgets_the_await_of_the_start=("never-awaited", START, START.removeprefix("await ")),
        forgets_create_task=("never-awaited", TASK, "self.count_down(int(self.body))"),
        begins_at_two=("reply-differs", "range(seconds,", "range(seconds - 1,"),
        sleeps_first=("event-late", "await self.write(left", SLEEP + "; await self.write(left"),
        sleeps_half=("event-early", SLEEP, "await asyncio.sleep(0.5)"),
        sleeps_long=("event-late", SLEEP, "await asyncio.sleep(2)"),
        replaces_the_body=("body-read-once", PLUS, 'self.body = event.get("body", b"")'),
        forgets_to_ask_for_more=("body-read-once", WHOLE, "if self.body:"),
        adds_text=("str-with-bytes", PLUS, 'self.body += event.get("body", "").decode()'),
        always_cancels=("exception", "        if self.task is not None:\n", "        if True:\n"),
        does_not_cancel=("stream-outlives-client", CANCEL, "            pass"),
        cancels_the_wrong_thing=("exception", "self.task.cancel()", "self.cancel()"),
        counts_in_the_handler=(
            "stream-outlives-client",
            TASK,
            "await self.count_down(int(self.body))",
        ),
        does_not_stop=("http-no-stop-consumer", STOP, ""),
        returns_it=("http-no-stop-consumer", STOP, "        return StopConsumer()"),
        listens_to_the_wrong_event=(
            "no-http-disconnect-handler",
            "http_disconnect",
            "websocket_disconnect",
        ),
        stops_when_it_has_begun=(
            "response-not-finished",
            TASK,
            TASK + "\n            raise StopConsumer()",
        ),
        blocks=("event-early", SLEEP, "__import__('time').sleep(0.01)"),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert judged(old, new).diagnosis_ids[:1] == [diagnosis]
