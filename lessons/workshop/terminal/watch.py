"""`lesson watch`: a verdict at every save, from the judge process that serves the page too."""

import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from queue import SimpleQueue
from threading import Thread

from django.core.management.base import CommandError

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.lesson_actions import list_lessons, show_hint, show_lesson
from lessons.workshop.terminal.terminal_output import print_text, short_path
from lessons.workshop.terminal.verdict_text import print_verdict

QUIT = "q"  # a closed terminal counts as this key
_INTERVAL = 0.005  # seconds between two looks at the keyboard
_KEYS = "t text   h hint   l list   c check again   n next lesson   q quit   (then Enter)"
_MISSING_TIME = 0.5  # seconds; an editor that renames files removes the exercise for a moment


def watch(console, lesson: Lesson) -> int:
    """Judge at every save until q or Ctrl-C. Returns 0 if the last verdict was green, else 1."""
    session = Session(console, lesson)
    try:
        with judge_client.JudgeKeeper(lambda text: print_text(console, text, style="dim")):
            if console.is_terminal and sys.stdin.isatty():
                Thread(target=session.read_keys, daemon=True).start()
            with suppress(KeyboardInterrupt):
                session.run()
    except judge_client.JudgeUnavailable as error:
        command = f"{lesson_index.MANAGE} lesson check {lesson.number}"
        fault = f"No judge can be started: {error} To judge once: {command}"
        raise CommandError(fault, returncode=2) from None
    return 0 if session.verdict and session.verdict.green else 1


class Session:
    """One run of `lesson watch`: the lesson that it shows and the last verdict on it."""

    def __init__(self, console, lesson: Lesson):
        self.console = console
        self.lesson = lesson
        self.verdict: Verdict | None = None
        self._keys: SimpleQueue[str] = SimpleQueue()
        self._last_seen: float | None = None  # when the exercise was there, until a verdict on it

    def read_keys(self) -> None:
        """Queue the first letter of each word that the user types. Runs in its own thread.

        It does not use sys.stdin: Python aborts at its end if a thread holds the lock of that file.
        """
        with suppress(OSError):  # the terminal was closed
            while line := os.read(sys.stdin.fileno(), 1024):
                for word in line.decode(errors="replace").split():
                    self._keys.put(word[0])
        self._keys.put(QUIT)

    def _pressed(self) -> str:
        return "" if self._keys.empty() else self._keys.get()

    def run(self) -> None:
        self._begin()
        # No key is used while the judge works: a list would show the state before the verdict.
        while (pressed := "" if self.is_judging else self._pressed()) != QUIT:
            if self.console.quiet:
                return
            if pressed:
                self._handle_key(pressed)
            if (report := self.reports.receive(_INTERVAL)) is not None:
                self._handle_report(report)
            self._report_missing_file()

    def _begin(self) -> None:
        """Ask for a verdict on the lesson."""
        self.is_judging = False
        self.reports = judge_client.Reports(self.lesson.key)
        self.reports.ask()

    def _handle_report(self, report: dict) -> None:
        self.is_judging = report.get("judging", False)
        if not report:  # a new judge has taken over
            self.reports.ask()
        elif "fault" in report:
            self.verdict = None
            text = f"The checks of lesson {self.lesson.key} are broken, whatever the target:"
            print_text(self.console, f"{text}\n{report['fault']}", style="red")
        elif "claims" in report and self.console.is_terminal:  # a pipe gets each verdict once
            self._draw(Verdict.from_json(report["claims"]))
        elif "verdict" in report:
            self.verdict = Verdict.from_json(report["verdict"])
            self._draw(self.verdict)

    def _report_missing_file(self) -> None:
        """Ask for a verdict when the exercise was moved away; its next save brings another one."""
        if self.lesson.exercise.exists():
            self._last_seen = time.monotonic()
        elif self._last_seen and time.monotonic() - self._last_seen > _MISSING_TIME:
            self._last_seen = None
            self.reports.ask()

    def _draw(self, verdict: Verdict) -> None:
        if self.console.is_terminal:
            self.console.clear()
        print_verdict(self.console, self.lesson, verdict, time=f"{datetime.now():%H:%M:%S}")
        print_text(self.console, f"Watching {short_path(self.lesson.exercise)}", style="dim")
        if self.console.is_terminal:
            print_text(self.console, _KEYS, style="dim")

    def _handle_key(self, pressed: str) -> None:
        if pressed == "h":
            show_hint(self.console, self.lesson)
        elif pressed == "t":
            show_lesson(self.console, self.lesson)
        elif pressed == "l":
            list_lessons(self.console)
        elif pressed == "c":
            self.reports.ask()
        elif pressed == "n":
            later = [one for one in lesson_index.lessons() if one.number > self.lesson.number]
            self.lesson = later[0] if later else self.lesson
            self._begin()
        else:
            print_text(self.console, f"{pressed} is not a key. {_KEYS}", style="dim")
