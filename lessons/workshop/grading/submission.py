"""Judges one submission of a stranger.

What a verdict can prove. A judging process sends conversations to the sandbox and compares what
comes back with what the exercise promises. It believes nothing that comes back. So a submission
cannot change the verdict of another one, the files of this machine, or the judge. But its
transcript comes from the process in which its code runs. Code that knows the right answers can send
a forged transcript, as it could simply give the right answers. So green means: this process
answered every conversation as the exercise demands. It does not mean that the code is honest, that
its author has written it, or that it is good code. If a grade depends on it, read the code.
"""

import os
import stat
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.process.limits import Limits, limit_resources
from lessons.workshop.engine.process.player_handle import PlayerNotStarted
from lessons.workshop.grading.found_files import printable
from lessons.workshop.grading.isolated_function import ChildRaised, NoAnswer, run_isolated
from lessons.workshop.grading.sandbox import SUBMISSION, Sandbox, find_sandbox
from lessons.workshop.judge.runner import CourseError, judge
from lessons.workshop.judge.verdict import Verdict

TOTAL_TIME = 60.0  # seconds; the solutions take about one, and ten on a very busy machine
# Seconds until a judging process that does not report the timeout is killed. On a busy machine it
# waits some seconds for the end of the player first.
_EXTRA_TIME = 20.0
MAX_SIZE = 1024**2  # bytes of a submission

# Of the process that judges: what it receives may be large.
JUDGE = Limits(memory=4 * 1024**3, file_size=64 * 1024**2, processor_time=120)
_MEMORY = f"The sandbox gives a submission {SUBMISSION.memory // 1024**2} MiB of memory."
_COPY = "submission.py"  # the name that a submission has in its sandbox

NOT_JUDGED = "not judged"
NOT_A_FILE = "not a file that can be read"
TOO_LARGE = "too large"
TIMED_OUT = "timed out"
SANDBOX_FAILED = "the sandbox failed"
JUDGE_FAILED = "the judge failed"


@dataclass(frozen=True)
class SubmissionVerdict:
    """The verdict on a submission, or why it was not judged.

    `state` is "green", "red" or NOT_JUDGED. If it is NOT_JUDGED, `reason` is one of the texts
    above, `detail` says more, and `verdict` is None. `name` is the file's name, printable.
    `warning` says what the sandbox lacks on this machine.
    """

    name: str
    state: str
    verdict: Verdict | None = None
    reason: str = ""
    detail: str = ""
    warning: str = ""

    def renamed(self, name: str) -> "SubmissionVerdict":
        """The same verdict on a file with the same bytes and this name."""
        name = printable(name)
        verdict = self.verdict and _named(self.verdict, self.name, name)
        return replace(self, name=name, verdict=verdict)


class _Unreadable(Exception):
    """A submission that is not read: the arguments are the reason and the detail."""


def judge_submission(
    lesson: Lesson,
    file: str | bytes | os.PathLike,
    total_time: float = TOTAL_TIME,
    sandbox: Sandbox | None = None,
) -> SubmissionVerdict:
    """The verdict on the code in `file`, which runs in a new sandbox and is never changed.

    Raises nothing for anything that the file is or does.
    """
    sandbox = sandbox or find_sandbox()
    name = printable(os.path.basename(os.fsdecode(file)))

    def not_judged(reason: str, detail: str) -> SubmissionVerdict:
        return SubmissionVerdict(name, NOT_JUDGED, None, reason, detail, sandbox.warning)

    try:
        content = _read(file)
    except _Unreadable as error:
        return not_judged(*error.args)
    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        copy = Path(folder) / _COPY  # an odd name, or a changed file, stays outside
        copy.write_bytes(content)
        copy.chmod(0o444)
        arguments = lesson, copy, sandbox, total_time
        try:
            answer = run_isolated(_judge, *arguments, timeout=total_time + _EXTRA_TIME)
            if "reason" in answer:
                return not_judged(answer["reason"], answer["detail"])
            verdict = _named(Verdict.from_json(answer), str(copy), name, _COPY)
        except NoAnswer:
            return not_judged(JUDGE_FAILED, "The judging process ended, or hung.")
        except ChildRaised as error:
            return not_judged(JUDGE_FAILED, str(error).strip().splitlines()[-1])
    verdict = _with_findings(verdict, _name_memory_limit)
    state = "green" if verdict.green else "red"
    return SubmissionVerdict(name, state, verdict, warning=sandbox.warning)


def _read(file) -> bytes:
    """The bytes of a regular file. Raises _Unreadable."""
    no_link = getattr(os, "O_NOFOLLOW", 0)  # the link of a stranger may lead to a solution
    flags = os.O_RDONLY | no_link | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if os.path.islink(file):
            raise _Unreadable(NOT_A_FILE, "It is a symbolic link: ask for the file itself.")
        with open(os.open(file, flags), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise _Unreadable(NOT_A_FILE, "It is a folder, a pipe or a device.")
            content = opened.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        raise _Unreadable(NOT_A_FILE, getattr(error, "strerror", None) or str(error)) from None
    if len(content) > MAX_SIZE:
        raise _Unreadable(TOO_LARGE, f"It has more than {MAX_SIZE // 1024} KiB.")
    return content


def _judge(answer, lesson: Lesson, copy: Path, sandbox: Sandbox, total_time: float) -> None:
    """Judge in a separate process: a hostile report can make only this one large or slow."""
    limit_resources(JUDGE)
    start_player = sandbox.starter(copy.parent / "files")
    players = []

    def start(*arguments):
        players[:] = [start_player(*arguments)]
        return players[0]

    deciding = threading.Lock()

    def time_out():
        with deciding:  # the judge sees the players end, and must not report that as a fault
            for player in players:
                player.end()
            detail = f"It has not ended after {total_time:g} s."
            answer({"reason": TIMED_OUT, "detail": detail})

    timer = threading.Timer(total_time, time_out)
    timer.daemon = True
    timer.start()
    target = exercise(lesson, "submission", copy)
    try:
        found = judge(lesson, target, start_player=start).as_json()
    except PlayerNotStarted as error:
        found = {"reason": SANDBOX_FAILED, "detail": str(error)}
    except CourseError as error:
        found = {"reason": JUDGE_FAILED, "detail": str(error).strip().splitlines()[-1]}
    with deciding:
        answer(found)


def _named(verdict: Verdict, file: str, name: str, *others: str) -> Verdict:
    """The verdict with this name instead of `file` and `others`. No finding keeps a path."""

    def renamed(finding: Finding) -> Finding:
        detail = finding.detail
        for old in (file, *others):
            detail = detail.replace(old, name)
        return replace(finding, file=name if finding.file == file else "", detail=detail)

    return replace(_with_findings(verdict, renamed), target=name)


def _name_memory_limit(finding: Finding) -> Finding:
    """Add the limit to a MemoryError: on the student's machine the code may have more memory.

    The code can raise the exception itself, so it is red, as an endless loop is. If the sandbox has
    too little memory for the player itself, the player reports a fault: then nothing is judged.
    """
    if sys.platform != "linux" or "MemoryError" not in finding.detail:  # others have no such limit
        return finding
    return replace(finding, detail=f"{finding.detail}\n{_MEMORY}")


def _with_findings(verdict: Verdict, change: Callable[[Finding], Finding]) -> Verdict:
    """The verdict with each of its findings changed."""
    outcomes = [replace(it, finding=it.finding and change(it.finding)) for it in verdict.outcomes]
    problem = verdict.problem and change(verdict.problem)
    return replace(verdict, outcomes=tuple(outcomes), problem=problem)
