"""A forgotten await is named at the line that made the coroutine."""

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge import judge


def test_a_forgotten_await_names_the_line_that_made_the_coroutine():
    lesson = find("await")
    (finding, *_) = judge(lesson, "mistake:ForgetsToAwaitItsOwnMethod").findings
    line = lesson.mistakes.read_text(encoding="utf-8").splitlines()[finding.line - 1]
    assert finding.diagnosis == "never-awaited"
    assert line.strip().startswith("self.answer(")
    assert "ForgetsToAwaitItsOwnMethod.answer' was never awaited" in finding.detail
