"""Judges a target in a process of its own: the one way to a verdict."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from lessons.catalogue import PROJECT_DIR, Lesson
from lessons.checking.finding import Finding, find
from lessons.checking.target import Target, resolve
from lessons.checking.verdict import Outcome, Verdict

LIMIT = 5.0  # seconds that one check may take
_GRACE = 1.0  # seconds more, after which a child that cannot even say that it is stuck is killed

_SIGNALS = {signal.SIGINT, signal.SIGTERM}


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
        put_an_end_to(child)
        ours.close()
    seconds = time.monotonic() - started
    return replace(report.verdict(lesson, target), digest=digest, seconds=seconds)


def start_child(function, *args):
    """A process that runs `function(*args)`, begun; it ends with this one.

    No signal is heard meanwhile: what its handler raises, as Ctrl-C does, would be lost in what
    Python and its libraries do around a fork.
    """
    context = multiprocessing.get_context(start_method())
    child = context.Process(target=_heeding, args=(function, *args), daemon=True)
    if not hasattr(signal, "pthread_sigmask"):
        child.start()
        return child
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _heeding(function, *args) -> None:
    """In the child, which has begun as deaf as the process that started it was then."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    function(*args)


def start_method() -> str:
    """Fork where that is safe: from a process that has no thread, so has run no async code.

    Elsewhere on POSIX a fork server, itself warm and without threads, does the forking.
    """
    if not hasattr(os, "fork"):
        return "spawn"
    if threading.active_count() == 1:
        return "fork"
    start_fork_server()
    return "forkserver"


def start_fork_server() -> None:
    """Start the warm process that forks, unless it runs.

    It looks for what it loads where Python itself would, and keeps silent about what is not there:
    the command may have been given in another folder.
    """
    from multiprocessing import forkserver
    from unittest import mock

    forkserver.set_forkserver_preload(["lessons.checking.warm"])
    path = os.pathsep.join(filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH")]))
    with mock.patch.dict(os.environ, PYTHONPATH=path):
        forkserver.ensure_running()


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
                report.end(find("stuck", detail=f"No sign of life for {patience:g} s."))
                break
            report.take(*pipe.recv())
        except EOFError:
            child.join(_GRACE)
            report.end(find("killed", detail=_how_it_ended(child.exitcode)))
            break
    return report


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"The process was ended by {signal.Signals(-code).name}."
    return f"The process ended with exit code {code}."


def put_an_end_to(child) -> None:
    """Leave no process behind: neither the child nor what the target's code has started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            child.kill()
    else:
        child.kill()
    child.join()
    child.close()


def _child(pipe, lesson: Lesson, target: Target, limit: float) -> None:
    from lessons.checking import child

    child.run(pipe, lesson, target, limit)
