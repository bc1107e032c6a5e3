"""`lesson watch`: a verdict at every save.

No thread is started, so the runner can fork this process, in which everything is loaded that a
verdict needs.
"""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from django.core.management.base import CommandError

import lessons.judge.preload  # noqa: F401 - what a judging process needs, made before the fork
from lessons.cli.check import judge_or_fail
from lessons.cli.keyboard import END, keyboard
from lessons.cli.lesson_actions import list_lessons, show_hint
from lessons.cli.screen import print_text, short_path
from lessons.cli.verdict_text import print_verdict
from lessons.core import catalogue, progress
from lessons.core.catalogue import Lesson
from lessons.judge.file_watch import WatchedFile
from lessons.judge.verdict import Verdict

_LOOK = 0.005  # seconds between two looks at the file
_KEYS = "h hint   l list   c check again   n next lesson   q quit"


def watch(console, lesson: Lesson) -> int:
    """Judge at every save until q or Ctrl-C; 0 when the last verdict was green, else 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # lets keyboard() put the terminal back
    session = Session(console, lesson)
    with suppress(KeyboardInterrupt), keyboard(console) as key:
        session.run(key)
    return 0 if session.verdict and session.verdict.green else 1


class Session:
    """One sitting: the lesson under work, its exercise, the verdict on it."""

    def __init__(self, console, lesson: Lesson):
        self.console = console
        self.lesson = lesson
        self.exercise = WatchedFile(lesson.exercise)
        self.verdict: Verdict | None = None

    def run(self, key: Callable[[float], str]) -> None:
        self.judge()
        while (pressed := key(_LOOK)) != END:
            if pressed:
                self.obey(pressed)
            elif self.exercise.was_saved():
                self.judge()

    def judge(self) -> None:
        self.exercise.look()
        try:
            self.verdict = judge_or_fail(self.lesson)
        except CommandError as error:
            self.verdict = None
            print_text(self.console, str(error), style="red")
            return
        if self.console.is_terminal:
            self.console.clear()
        print_verdict(self.console, self.lesson, self.verdict)
        self._draw_foot()
        progress.keep_verdict(self.lesson, self.verdict)  # only now: the disk takes its time

    def obey(self, pressed: str) -> None:
        if pressed == "h":
            self.console.print()
            show_hint(self.console, self.lesson)
        elif pressed == "l":
            self.console.print()
            list_lessons(self.console)
        elif pressed == "c":
            self.judge()
        elif pressed == "n":
            self.move_on()

    def move_on(self) -> None:
        later = [one for one in catalogue.lessons() if one.number > self.lesson.number]
        if not later:
            print_text(self.console, "This is the last lesson.")
            return
        self.lesson = later[0]
        self.exercise = WatchedFile(self.lesson.exercise)
        self.judge()

    def _draw_foot(self) -> None:
        self.console.print()
        print_text(self.console, f"Watching {short_path(self.lesson.exercise)}", style="dim")
        if self.console.is_terminal:
            print_text(self.console, _KEYS, style="dim")
