"""Judges a student's code again, and plays questions: in processes without the room's secrets.

The room's server never runs code of students or of the course. It starts
`python -m lessons.workshop.room.worker`, which reads one order from stdin, writes the answer to
stdout, both JSON, and ends. Code of students runs in the sandbox of that process.
"""

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import django

from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson, find

TIMEOUT = 120.0  # seconds
MAX_DETAIL = 4_000  # characters
# The worker has the settings of a workshop.
_WITHHELD = ("DJANGO_", "DATABASE_URL", "REDIS_URL")


class WorkerFailed(Exception):
    """The worker ended without an answer, or took too long. The text is for the instructor."""


# In the server's process. These functions block: never call them in the event loop.


def judge_code(lesson: Lesson, code: str) -> dict:
    """The verdict on the code, as _judge() describes it. Raises WorkerFailed."""
    return _run_worker({"order": "judge", "lesson": lesson.key, "code": code})


@lru_cache(maxsize=64)
def read_answer(slug: str, number: int, votes: frozenset[str] = frozenset()) -> dict:
    """What happens in a lesson's question, as _question() describes it. Raises WorkerFailed."""
    order = {"order": "question", "lesson": slug, "number": number, "votes": sorted(votes)}
    return _run_worker(order)


@lru_cache(maxsize=64)
def read_transcript(slug: str, number: int) -> dict:
    """The recording of that transcript, as _transcript() plays it. Raises WorkerFailed."""
    order = {"order": "transcript", "lesson": find(slug).key, "number": number}
    return _run_worker(order)


def _run_worker(order: dict) -> dict:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)
    }
    environment["PYTHONHASHSEED"] = "0"  # the order of a set of texts is the same in each verdict
    try:
        run = subprocess.run(
            [sys.executable, "-m", "lessons.workshop.room.worker"],
            input=json.dumps(order).encode(),
            capture_output=True,
            cwd=PROJECT_DIR,
            env=environment,
            timeout=TIMEOUT,
            check=False,
        )
        return json.loads(run.stdout)
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"The worker has not ended after {TIMEOUT:g} s.") from None
    except OSError as error:
        raise WorkerFailed(f"The worker did not start: {error.strerror}.") from None
    except ValueError:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        raise WorkerFailed(f"The worker failed: {(lines or ['it printed nothing'])[-1]}") from None


# In the worker


def main() -> None:
    order = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.environ["DJANGO_SETTINGS_MODULE"] = "lessons.settings"
    os.dup2(2, 1)  # what anything else prints does not belong to the answer
    django.setup()
    lesson = find(order.pop("lesson"))
    do = {"judge": _judge, "question": _question, "transcript": _transcript}[order.pop("order")]
    with answers:
        answers.write(json.dumps(do(lesson, **order)))


def _question(lesson: Lesson, number: int, votes: list[str]) -> dict:
    """A question of predict.toml, what really happens, and for each vote whether it is right."""
    from lessons.workshop.judge.study.predictions import predictions
    from lessons.workshop.page.markup import markdown_to_html
    from lessons.workshop.page.views.play_views import recording_json

    question = predictions(lesson)[number - 1].played(lesson)
    return {
        "kind": question.kind,
        "because": markdown_to_html(question.prediction.because),
        "cards": [card.label for card in question.shown],
        "clients": question.clients,
        "received": sorted(question.right_ticks),
        "grades": {one: question.is_right(*map(str.split, one.split("|", 1))) for one in votes},
        "recording": recording_json(question.recording),
    }


def _transcript(lesson: Lesson, number: int) -> dict:
    """What a transcript of the instructor's page plays. They are numbered in its order."""
    from lessons.workshop.course.lesson_text import recorded_conversations
    from lessons.workshop.engine.script.steps import split_steps
    from lessons.workshop.judge.study.recordings import record
    from lessons.workshop.page.views.play_views import recording_json

    text = lesson.teach_page.read_text(encoding="utf-8")
    found = recorded_conversations(text)[number]
    return recording_json(record(lesson, found.name, split_steps(found.steps)))


def _judge(lesson: Lesson, code: str) -> dict:
    """The verdict on a student's code, which runs in a sandbox; see judge_submission().

    {"state", "reason", "detail", "outcomes", "output", "finding", "comparison", "code"}. `finding`
    is the first one, as finding_json() writes it. `comparison` has the first conversation that
    fails, and the solution's.
    """
    from lessons.workshop.grading.sandbox import find_sandbox
    from lessons.workshop.grading.submission import NOT_JUDGED, judge_submission
    from lessons.workshop.judge.study.code_comparison import beside_solution
    from lessons.workshop.page.exercise.exercise_state import finding_json
    from lessons.workshop.page.markup import highlight_python

    sandbox = find_sandbox()
    if not sandbox.uses_bubblewrap:
        return {"state": NOT_JUDGED, "reason": "no sandbox", "detail": sandbox.warning}
    with TemporaryDirectory(prefix="room-") as folder:
        file = Path(folder) / f"{lesson.folder.name}.py"
        file.write_bytes(code.encode(errors="replace"))
        found = judge_submission(lesson, file.name, file.read_bytes(), sandbox=sandbox)
        answer = {name: getattr(found, name) for name in ("state", "reason", "detail")}
        if found.verdict is None:
            return answer
        verdict = found.verdict
        code = beside_solution(lesson, file, lesson.exercise_name, highlight_python)
        answer |= {
            "outcomes": [{"claim": one.claim, "state": one.state} for one in verdict.outcomes],
            "output": verdict.output[:MAX_DETAIL],
            "comparison": _comparison(lesson, verdict),
            "code": code and {**code, "wrong": file.name},
        }
    if verdict.findings:
        finding = finding_json(verdict.findings[0])
        answer["finding"] = {**finding, "detail": finding["detail"][:MAX_DETAIL]}
    return answer


def _comparison(lesson: Lesson, verdict) -> dict | None:
    """What the page's comparison.js draws; None if no conversation shows the fault."""
    from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
    from lessons.workshop.page.views.play_views import failing_json

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


if __name__ == "__main__":
    main()
