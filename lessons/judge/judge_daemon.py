"""The workshop's judge: a process beside the server that judges each exercise when it is saved.

    python -m lessons.judge.judge_daemon PID

It ends when the process PID does. Pages learn of a verdict from the student's progress, as they do
of one that a terminal has asked for; the server itself never runs a student's code.
"""

import logging
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

import lessons.judge.preload  # noqa: F401 - all that a verdict needs, made before the fork
from lessons.core import catalogue, exercise_copies, progress
from lessons.core.catalogue import Lesson
from lessons.judge import judge_status
from lessons.judge.file_watch import WatchedFile
from lessons.judge.runner import judge
from lessons.playback.target import resolve

LOOK = 0.04  # seconds between two looks at the exercises
CENSUS = 0.5  # seconds between two looks at the process that this one belongs to

log = logging.getLogger(__name__)


def serve(pid: int) -> None:
    """Judge until process `pid` is gone; wait meanwhile where another judge is at work."""
    owner = psutil.Process(pid)
    watch = lock = None
    census = 0.0
    while True:
        if time.monotonic() > census:
            census = time.monotonic() + CENSUS
            if not is_alive(owner):
                return
            with suppress(OSError):  # where nothing can be kept, no verdict can
                lock = lock or judge_status.acquire_lock()
        if lock and watch is None:
            watch = Watch(catalogue.lessons())
        elif lock:
            watch.look()
        time.sleep(LOOK)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Watch:
    """The exercises of some lessons. What was saved before it began is judged at once."""

    def __init__(self, some: Iterable[Lesson]):
        self._files = [(lesson, WatchedFile(lesson.exercise)) for lesson in some]
        judge_status.announce("")
        for lesson, _ in self._files:
            judge_if_due(lesson)

    def look(self) -> None:
        """Judge what was saved since the last look."""
        for lesson, file in self._files:
            if file.was_saved():
                file.look()
                judge_if_due(lesson)


def judge_if_due(lesson: Lesson) -> None:
    """Whatever the exercise is, and whatever the course itself lacks, the next one is judged."""
    try:
        if is_due(lesson):
            judge_status.announce(lesson.key)
            verdict = judge(lesson)
            # Saved again meanwhile, or put back as it came: then this is no verdict on it any more.
            if verdict.digest == resolve(lesson).digest():
                progress.keep_verdict(lesson, verdict)
            judge_status.announce("")
    except Exception:
        judge_status.announce("")
        log.exception("Lesson %s could not be judged.", lesson.key)


def is_due(lesson: Lesson) -> bool:
    """Whether this version of the exercise has no verdict, and is not the one that came."""
    digest = resolve(lesson).digest()
    known = progress.of(lesson)
    if not digest or known.state == "new":
        return bool(digest) and not exercise_copies.is_unedited(lesson)
    return digest != (known.verdict or {}).get("digest")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # ends what is being judged, too
    serve(int(sys.argv[1]))
