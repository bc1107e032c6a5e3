"""What a finding names: the line, the misspelt key, the coroutine that was not awaited."""

import pytest

from lessons.workshop.course.diagnoses import catalogue, message_of
from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import exercise
from lessons.workshop.judge import judge
from lessons.workshop.judge.verdict import explain

CLOSE = 'self.send({"type": "websocket.close"})'
ACCEPT = 'self.send({"type": "websocket.accept"})'
SLEEP = "await sync_to_async(time.sleep)(1)"
NAP = "await __import__('asyncio').sleep(3)"
CLOSE_ON_BYTES = f"""
        bread = event.get("text")
        if bread is None:
            await {CLOSE}
            return"""
SEND = 'await self.send({"type": "websocket.send", "text": self.name})'


@pytest.mark.parametrize(
    ("lesson", "old", "new", "diagnosis", "line", "words"),
    [
        ("stop", '"code":', '"close_code":', "unknown-key", '"close_code":', "Write 'code'."),
        ("frames", '"text":', '"txt":', "send-without-payload", '"txt":', "Write 'text'."),
        (
            *("stop", '"code": code', '"code": str(code)', "forbidden-close-code"),
            *("str(code)", "a str. It must be an int."),
        ),
        (
            *("communicator", "await one.receive_nothing()", "one.receive_nothing()"),
            *(
                "never-awaited",
                "assert one.receive_nothing()",
                "receive_nothing' was never awaited",
            ),
        ),
        (
            *("ticket", "# A copy:", "raise ValueError(ticket_in(scope))  #", "exception"),
            *("raise ValueError", "ValueError: [hidden]"),
        ),
        (
            *("accept", CLOSE, f"{ACCEPT}\n            {CLOSE}"),
            *("rejected-after-accept", ACCEPT, "accepted first, and then closed"),
        ),
        (
            *("blocking", "        bread", f"        {SLEEP}\n        bread"),
            *("wrong-time", SLEEP, "It came 1 s later."),
        ),
        (
            *(
                "push",
                "self, event):\n        await",
                f"self, event):\n        await {CLOSE}\n        await",
            ),
            *("closed-early", "", "and then it still sent an event."),
        ),
        (
            *("blocking", '        bread = event.get("text")', CLOSE_ON_BYTES),
            *("closed-early", "", "The client had not left."),
        ),
        (
            *("http", "        for left", f"        {NAP}\n        for left"),
            *("event-late", "def http_request", "An expected message did not come"),
        ),
        (
            *("stream", "        return await next", f"        {NAP}\n        return await next"),
            *("wrong-time", "", "s later."),
        ),
        (
            *("worker", 'answer = "not a date"', f'answer = "not a date"; {NAP}'),
            *("wrong-time", "", "It came 1 s later."),
        ),
        (
            *("redis", "            question", f"            {SEND}\n            question"),
            *("reply-too-many", "", "Equal messages came from lines 24 and 34."),
        ),
    ],
)
def test_a_finding_names_the_line_and_the_cause(lesson, old, new, diagnosis, line, words):
    lesson = find(lesson)
    source = lesson.solution.read_text(encoding="utf-8")
    assert old in source
    source = source.replace(old, new)
    target = exercise(lesson, "changed", lesson.exercise, source)
    [finding, *_] = judge(lesson, target, stops_at_red=True).findings
    assert finding.diagnosis == diagnosis
    assert line in source.splitlines()[finding.line - 1]
    assert words in f"{message_of(finding)} {finding.detail}"


def test_a_request_ends_with_http_disconnect():
    lesson = find("http")
    source = lesson.solution.read_text(encoding="utf-8").replace("self.task", "Countdown.task")
    target = exercise(lesson, "changed", lesson.exercise, source)
    [finding, *_] = judge(lesson, target, stops_at_red=True).findings
    assert (finding.diagnosis, finding.event) == ("wrong-connection", "http.disconnect")


def test_a_cause_that_only_the_messages_suggest_is_called_the_usual_one():
    suggested = judge(find("page"), "mistake:BeginsAgain", stops_at_red=True)
    seen = judge(find("stop"), "mistake:OnlyTakesNote", stops_at_red=True)
    title = catalogue()["last-id-ignored"].title
    assert message_of(suggested.findings[0]).endswith(": The consumer sent something else")
    assert f"\nUsually: {title}. " in explain(suggested)
    assert "\nIf so: " in explain(suggested)
    assert "\nWhy: " in explain(seen)
    assert "\nCure: " in explain(seen)
