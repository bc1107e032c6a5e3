"""A program that does one thing for the room and ends: it judges code, or plays a question.

It runs as `python -m lessons.workshop.room.worker.program`: the server itself never runs code of
students or of the course. Stdin has the order, and stdout the answer, both JSON. ORDERS has the two
orders.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lessons.workshop.course.lesson_index import Lesson, find
from lessons.workshop.engine.process.child_process import set_up_django

MAX_ANSWER = 4 * 1024**2  # characters
MAX_LINES = 400  # of code that is set beside the solution: it takes the square of their number
MAX_DETAIL = 4_000  # characters
NO_SANDBOX = "no sandbox"


def main() -> None:
    order = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what anything else prints does not belong to the answer
    set_up_django()
    lesson = find(order.pop("lesson"))
    with answers:
        answers.write(ORDERS[order.pop("order")](lesson, **order))


def play_question(lesson: Lesson, number: int, answers: list[str]) -> str:
    from lessons.workshop.room.worker.poll_question import question_json

    return json.dumps(question_json(lesson, number, answers))


def judge_code(lesson: Lesson, code: str) -> str:
    """The verdict on a student's code, which runs in a sandbox; see judge_submission().

    {"state", "reason", "detail", "warning", "outcomes", "output", "finding", "diagnosis",
    "comparison", "code"}. `comparison` has the first conversation that fails, and the solution's.
    """
    from lessons.workshop.grading.sandbox import find_sandbox
    from lessons.workshop.grading.submission import NOT_JUDGED, judge_submission

    sandbox = find_sandbox()
    if not sandbox.uses_bubblewrap:
        return json.dumps({"state": NOT_JUDGED, "reason": NO_SANDBOX, "detail": sandbox.problem})
    with TemporaryDirectory(prefix="room-") as folder:
        file = Path(folder) / f"{lesson.folder.name}.py"
        file.write_bytes(code.encode(errors="replace"))
        found = judge_submission(lesson, file, sandbox=sandbox)
        answer = {name: getattr(found, name) for name in ("state", "reason", "detail", "warning")}
        if found.verdict is None:
            return json.dumps(answer)
        answer |= _verdict_json(found.verdict)
        more = {"comparison": _comparison(lesson, found.verdict), "code": _code(lesson, file)}
    text = json.dumps(answer | more)
    return text if len(text) <= MAX_ANSWER else json.dumps(answer)


def _verdict_json(verdict) -> dict:
    from lessons.workshop.course.diagnoses import diagnosis, message_of

    answer = {
        "outcomes": [{"claim": one.claim, "state": one.state} for one in verdict.outcomes],
        "output": verdict.output[:MAX_DETAIL],
    }
    if not verdict.findings:
        return answer
    finding = verdict.findings[0]
    known = diagnosis(finding.diagnosis)
    texts = {name: getattr(finding, name) for name in ("promise", "conversation")}
    texts["message"] = message_of(finding)
    return {
        **answer,
        "finding": {**texts, "detail": finding.detail[:MAX_DETAIL], "line": finding.line},
        "diagnosis": {name: getattr(known, name) for name in ("title", "symptom", "cause", "cure")},
    }


def _comparison(lesson: Lesson, verdict) -> dict | None:
    """What the page's comparison.js draws; None if no conversation shows the fault."""
    from lessons.workshop.engine.script.steps import parse_step, split_steps
    from lessons.workshop.judge.study.compared_mistake import is_playable
    from lessons.workshop.judge.study.recording_difference import find_visible_difference
    from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS, Recording, record
    from lessons.workshop.page.views.play_views import recording_json

    red = (one for one in verdict.outcomes if one.finding and one.transcript)
    outcome = next((one for one in red if one.finding.conversation), None)
    if outcome is None or not is_playable(lesson):
        return None
    steps = split_steps(outcome.finding.conversation)
    received = Recording(outcome.transcript)
    try:
        expected = record(lesson, "solution", steps)
        parsed = [parse_step(step).as_json() for step in steps]
    except PLAYBACK_ERRORS:
        return None
    differs = find_visible_difference(expected.events, received.events)
    return {
        "steps": parsed,
        "claim": outcome.claim,
        "right": recording_json(expected),
        "wrong": recording_json(received),
        "differs": differs and differs._asdict(),
    }


def _code(lesson: Lesson, file: Path) -> dict | None:
    """The solution beside the student's code, in aligned rows; None if that cannot be read."""
    from lessons.workshop.judge.study.code_comparison import aligned_rows, read_parts
    from lessons.workshop.page.markup import highlight_code

    try:
        right = read_parts(lesson.solution, lesson.exercise_name)
        wrong = read_parts(file, lesson.exercise_name)
    except (OSError, SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None
    if sum(len(part.lines) for part in wrong) > MAX_LINES:
        return None
    rows = aligned_rows(right, wrong, partial(highlight_code, language="python"))
    return {"right": "the course's solution", "wrong": file.name, "rows": rows}


ORDERS = {"judge": judge_code, "question": play_question}

if __name__ == "__main__":
    main()
