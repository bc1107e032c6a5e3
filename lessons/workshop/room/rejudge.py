"""Judges a student's code again, in a separate process.

The code runs in the sandbox of the judge, without the room's environment, files or network. Code
that breaks even the process that compares it with the solution does not end the room.
"""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from django.urls import set_urlconf

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.process.child_process import clean_start_method, set_up_django
from lessons.workshop.grading.sandbox import find_sandbox
from lessons.workshop.grading.submission import (
    JUDGE_FAILED,
    NOT_JUDGED,
    compare_code,
    judge_submission,
)
from lessons.workshop.grading.submissions import Submission
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.page.exercise.exercise_state import finding_json
from lessons.workshop.page.markup import highlight_python
from lessons.workshop.page.views.play_views import failing_json

MAX_DETAIL = 4_000  # characters


def judge_again(lesson: Lesson, code: str) -> dict:
    """The verdict on a student's code; see judge_submission(). This blocks for some seconds.

    {"state", "reason", "detail", "outcomes", "output", "finding", "comparison", "code"}. `finding`
    is the first one, as finding_json() writes it. `comparison` has the first conversation that
    fails, and the solution's.
    """
    with ProcessPoolExecutor(1, get_context(clean_start_method())) as pool:
        try:
            return pool.submit(_judge, lesson, code).result()
        except BrokenProcessPool:
            detail = "The process that judges has ended."
            return {"state": NOT_JUDGED, "reason": JUDGE_FAILED, "detail": detail}


def _judge(lesson: Lesson, code: str) -> dict:
    set_up_django()
    set_urlconf("lessons.workshop.page.urls")  # a finding has the address of its lesson
    sandbox = find_sandbox()
    if not sandbox.uses_bubblewrap:
        return {"state": NOT_JUDGED, "reason": "no sandbox", "detail": sandbox.warning}
    submission = Submission("", lesson, lesson.exercise.name, code.encode(errors="replace"))
    found = judge_submission(submission, sandbox)
    answer = {name: getattr(found, name) for name in ("state", "reason", "detail")}
    verdict = found.verdict
    if verdict is None:
        return answer
    compared = compare_code(submission, highlight_python)
    answer |= {
        "outcomes": [{"claim": one.claim, "state": one.state} for one in verdict.outcomes],
        "output": verdict.output[:MAX_DETAIL],
        "comparison": _comparison(lesson, verdict),
        "code": compared and {**compared, "wrong": submission.path},
    }
    if verdict.findings:
        finding = finding_json(verdict.findings[0])
        answer["finding"] = {**finding, "detail": finding["detail"][:MAX_DETAIL]}
    return answer


def _comparison(lesson: Lesson, verdict) -> dict | None:
    """What the page's comparison.js draws; None if no conversation shows the fault."""
    red = (one for one in verdict.outcomes if one.finding and one.transcript)
    outcome = next((one for one in red if one.finding.conversation), None)
    try:
        found = outcome and failing_json(lesson, outcome)
    except PLAYBACK_ERRORS:
        return None
    if not found or found["expected"] is None:
        return None
    sides = {"right": found["expected"], "wrong": found["received"]}
    return {"claim": outcome.claim, "steps": found["steps"], "differs": found["differs"], **sides}
