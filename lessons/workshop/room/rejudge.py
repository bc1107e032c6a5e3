"""Judges a student's code again.

The code runs in the sandbox of the judge, without the room's environment, files or network.
"""

from django.urls import set_urlconf

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.grading.judging import NOT_JUDGED, compare_code, judge_submission
from lessons.workshop.grading.sandbox import find_sandbox
from lessons.workshop.grading.submissions import Submission
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.page.exercise.exercise_state import finding_json
from lessons.workshop.page.markup import highlight_python
from lessons.workshop.page.views.play_views import failing_json

MAX_DETAIL = 4_000  # characters


def judge_again(lesson: Lesson, code: str) -> dict:
    """The verdict on a student's code, with its first finding, and the code beside the solution.

    `comparison` has the first conversation that fails. This blocks for some seconds.
    """
    sandbox = find_sandbox()
    if not sandbox.uses_bubblewrap:
        return {"state": NOT_JUDGED, "reason": "no sandbox", "detail": sandbox.warning}
    submission = Submission("", lesson, lesson.exercise.name, code.encode(errors="replace"))
    found = judge_submission(submission, sandbox)
    if found.verdict is None:
        return {name: getattr(found, name) for name in ("state", "reason", "detail")}
    compared = compare_code(submission, highlight_python)
    answer = {
        "state": found.state,
        "outcomes": [{"claim": one.claim, "state": one.state} for one in found.outcomes],
        "output": found.verdict.output[:MAX_DETAIL],
        "comparison": _comparison(lesson, found.verdict),
        "code": compared and {**compared, "wrong": submission.path},
    }
    if found.first:
        set_urlconf("lessons.workshop.page.urls")  # for this request: a finding has a lesson's URL
        finding = finding_json(found.first[0])
        answer["finding"] = {**finding, "detail": finding["detail"][:MAX_DETAIL]}
    return answer


def _comparison(lesson: Lesson, verdict: Verdict) -> dict | None:
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
