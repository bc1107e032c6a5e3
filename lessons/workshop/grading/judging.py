"""Judges one submission of a stranger.

A judging process sends conversations to the sandbox and compares what comes back with what the
exercise promises. It believes nothing that comes back. lessons/guides/grading.md says what such a
verdict proves.
"""

import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path

from lessons.workshop.course.diagnoses import message_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.process.child_process import end_child, set_up_django, start_child
from lessons.workshop.engine.process.data import receive_data, send_data
from lessons.workshop.engine.process.player_handle import PlayerNotStarted, forked_player
from lessons.workshop.grading.sandbox import SUBMISSION, Sandbox, SandboxedPlayer
from lessons.workshop.grading.submissions import Submission
from lessons.workshop.judge.runner import judge
from lessons.workshop.judge.study.code_comparison import beside_solution
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.setup.limits import Limits, limit_resources

TOTAL_TIME = 60.0  # seconds; the solutions take about one, and ten on a very busy machine

# Of the process that judges: what it receives may be large.
JUDGE = Limits(memory=4 * 1024**3, file_size=64 * 1024**2, processor_time=120)
_MEMORY = f"The sandbox gives a submission {SUBMISSION.memory // 1024**2} MiB of memory."
MAX_MESSAGE = 2_000  # characters; a student's code decides how long an exception's text is

NOT_JUDGED = "not judged"
TIMED_OUT = "timed out"
SANDBOX_FAILED = "the sandbox failed"
JUDGE_FAILED = "the judge failed"


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict, or with the reason why it has none.

    If `state` is NOT_JUDGED, `reason` is one of the texts above, and `detail` says more.
    """

    submission: Submission
    state: str
    verdict: Verdict | None = None
    reason: str = ""
    detail: str = ""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.verdict.outcomes if self.verdict else ()

    @property
    def claims(self) -> tuple[int, int]:
        """How many claims are green, and how many the lesson has: 0 if the file does not load."""
        return sum(one.state == "green" for one in self.outcomes), len(self.outcomes)

    @property
    def first(self) -> tuple[Finding, Outcome | None] | None:
        """The first finding with its outcome; what stops the loading has no outcome."""
        if self.verdict and self.verdict.problem:
            return self.verdict.problem, None
        return next(((one.finding, one) for one in self.outcomes if one.finding), None)

    @property
    def message(self) -> str:
        """What to know first: the first finding, or why the submission was not judged."""
        if self.reason:
            return f"{self.reason}: {self.detail}"[:MAX_MESSAGE]
        return message_of(self.first[0])[:MAX_MESSAGE] if self.first else ""


def judge_submission(one: Submission, sandbox: Sandbox, total_time: float = TOTAL_TIME) -> Grade:
    """The verdict on the code of a submission, which runs in a new sandbox.

    Findings call its file as the exercise is called. Raises nothing for anything that the code is
    or does.
    """
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        copy = Path(folder) / one.lesson.exercise.name
        copy.write_bytes(one.content)
        copy.chmod(0o444)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        child = start_child(_judge, theirs, one.lesson, copy, sandbox)
        theirs.close()
        late = {"reason": TIMED_OUT, "detail": f"It has not ended after {total_time:g} s."}
        try:
            answer = receive_data(ours) if ours.poll(total_time) else late
        except (EOFError, ValueError, TypeError):
            detail = "The judging process ended without an answer."
            answer = {"reason": JUDGE_FAILED, "detail": detail}
        finally:
            end_child(child, everywhere=True)  # a player without bubblewrap has its own group
            ours.close()
    if "reason" in answer:
        return Grade(one, NOT_JUDGED, **answer)
    verdict = _verdict(answer, copy)
    return Grade(one, "green" if verdict.green else "red", verdict)


def _judge(pipe, lesson: Lesson, copy: Path, sandbox: Sandbox) -> None:
    """Judge in a separate process: a hostile report can make only this one large or slow."""
    set_up_django()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    limit_resources(JUDGE)
    target = exercise(lesson, "submission", copy)
    start_player = partial(SandboxedPlayer, sandbox, copy.parent / "files")
    if os.name == "nt":  # descriptors cannot be passed on to a program
        start_player = forked_player
    try:
        answer = judge(lesson, target, start_player=start_player).as_json()
    except PlayerNotStarted as error:
        answer = {"reason": SANDBOX_FAILED, "detail": str(error)}
    except Exception as error:  # the text of a CourseError is a whole traceback
        text = traceback.format_exception_only(error)[-1]
        answer = {"reason": JUDGE_FAILED, "detail": text.strip().splitlines()[-1]}
    try:
        send_data(pipe, answer)
    finally:  # even if the parent process has ended
        os._exit(0)


def _verdict(answer: dict, copy: Path) -> Verdict:
    """The verdict, in which no finding keeps the path of the copy.

    A MemoryError gets the limit: on the student's machine, the code may have more memory.
    """
    for finding in (answer["problem"], *(one["finding"] for one in answer["outcomes"])):
        if finding:
            finding["file"] = copy.name if finding["file"] == str(copy) else ""
            finding["detail"] = finding["detail"].replace(str(copy), copy.name)
            if sys.platform == "linux" and "MemoryError" in finding["detail"]:
                finding["detail"] += f"\n{_MEMORY}"
    return replace(Verdict.from_json(answer), target=copy.name)


def compare_code(one: Submission, highlight: Callable[[str], str] = escape) -> dict | None:
    """The solution beside the code of a submission: see beside_solution()."""
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        file = Path(folder) / one.lesson.exercise.name
        file.write_bytes(one.content)
        return beside_solution(one.lesson, file, one.lesson.exercise_name, highlight)
