"""What a finding names: the line, the misspelt key, the coroutine that was not awaited."""

import pytest

from lessons.workshop.course.diagnoses import message_of
from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import exercise
from lessons.workshop.judge import judge


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
            *("await", "await self.answer(", "self.answer(", "never-awaited"),
            *("self.answer(", ".answer' was never awaited"),
        ),
        (
            *("accept", "READINGS[self.unit]", "READINGS.pop(self.unit)", "exception"),
            *("READINGS.pop(self.unit)", "KeyError"),
        ),
        (
            *("ticket", "# A copy:", "raise ValueError(ticket_in(scope))  #", "exception"),
            *("raise ValueError", "ValueError: [hidden]"),
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
