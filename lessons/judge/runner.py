"""Judges a target in a process of its own: the one way to a verdict."""

import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import replace

from lessons.core.catalogue import Lesson
from lessons.judge.verdict import Outcome, Verdict
from lessons.playback.child_process import kill_process_group, set_up_django, start_child
from lessons.playback.target import Target, resolve
from lessons.simulator.finding import Finding, make_finding

LIMIT = 5.0  # seconds that one check may take
_GRACE = 1.0  # seconds more, after which a child that cannot even say that it is stuck is killed


class CourseFault(Exception):
    """The checks themselves went wrong, whatever the target did; holds the child's traceback."""


def judge(
    lesson: Lesson,
    target: str | Target = "exercise",
    limit: float = LIMIT,
    meanwhile: Callable[[], object] = lambda: None,
) -> Verdict:
    """Run the lesson's checks on `target` ("exercise", "solution", "mistake:NAME", a path).

    `limit` is in seconds, for each check; `meanwhile` is called while the checks run. Raises
    UnknownTarget; whatever the target's code does, the answer is a Verdict. Raises CourseFault
    where the lesson's own files are broken.
    """
    if isinstance(target, str):
        target = resolve(lesson, target)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    digest = target.digest()  # first: what is saved meanwhile is another version, to be judged too
    started = time.monotonic()
    child = start_child(_child, theirs, lesson, target, limit)
    theirs.close()
    try:
        meanwhile()
        report = _listen(ours, child, limit)
    finally:
        kill_process_group(child)
        ours.close()
    seconds = time.monotonic() - started
    return replace(report.verdict(lesson, target), digest=digest, seconds=seconds)


class _Report:
    """What a child has said so far."""

    def __init__(self):
        self.names: list[tuple[str, str]] = []
        self.outcomes: list[Outcome] = []
        self.problem: Finding | None = None
        self.output = ""
        self.complete = False

    def take(self, kind: str, value) -> None:
        if kind == "checks":
            self.names = value
        elif kind == "outcome":
            self.outcomes.append(value)
        elif kind == "problem":
            self.problem = value
        elif kind == "output":
            self.output = value
        elif kind == "fault":
            raise CourseFault(value)
        self.complete = kind == "done"

    def end(self, finding: Finding) -> None:
        """The child is gone: the check that was under way is red, or nothing could be run."""
        if len(self.outcomes) < len(self.names):
            name, claim = self.names[len(self.outcomes)]
            self.outcomes.append(Outcome(name, claim, "red", finding))
        elif self.problem is None:
            self.problem = finding

    def verdict(self, lesson: Lesson, target: Target) -> Verdict:
        left = [Outcome(name, claim, "not run") for name, claim in self.names[len(self.outcomes) :]]
        outcomes = (*self.outcomes, *left)
        return Verdict(lesson.key, target.title, outcomes, self.problem, self.output)


def _listen(pipe, child, limit: float) -> _Report:
    report = _Report()
    while not report.complete:
        # The first wait also covers the child's start, which a busy machine may draw out.
        patience = limit + _GRACE + (0 if report.names else 30)
        try:
            if not pipe.poll(patience):
                report.end(make_finding("stuck", detail=f"No sign of life for {patience:g} s."))
                break
            report.take(*pipe.recv())
        except EOFError:
            child.join(_GRACE)
            report.end(make_finding("process-died", detail=_how_it_ended(child.exitcode)))
            break
    return report


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"The process was ended by {signal.Signals(-code).name}."
    return f"The process ended with exit code {code}."


def _child(pipe, lesson: Lesson, target: Target, limit: float) -> None:
    set_up_django()
    from lessons.judge import check_process

    check_process.run(pipe, lesson, target, limit)
