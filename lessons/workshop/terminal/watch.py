"""`lesson watch`: a verdict at every save.

The judge process judges. Where it cannot be started, as in a read-only folder, this process does.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.lesson_actions import list_lessons, show_hint, show_lesson
from lessons.workshop.terminal.terminal_output import print_text, short_path
from lessons.workshop.terminal.verdict_text import print_verdict

QUIT_KEY = "q"  # the key to quit; a closed terminal counts as this key
_KEY_INTERVAL = 0.005  # seconds between two looks at the keyboard
_KEYS = "t text   h hint   l list   c check again   n next lesson   q quit"
_MISSING_TIME = 0.5  # seconds; an editor that renames files removes the exercise for a moment


def watch(console, lesson: Lesson) -> int:
    """Judge at every save until q or Ctrl-C. Returns 0 if the last verdict was green, else 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # keyboard() then resets the terminal
    session = Session(console, lesson)
    with suppress(KeyboardInterrupt), keyboard(console) as key:
        session.run(key)
    return 0 if session.verdict and session.verdict.green else 1


class LocalReports:
    """The judge in this process, with the methods of Reports."""

    def __init__(self, lesson: Lesson):
        from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge

        self._reports: list[dict] = []
        self._judge = ExerciseJudge([lesson], lambda key, report: self._reports.append(report))
        self._key = lesson.key

    def ask(self) -> None:
        self._judge.request(self._key)

    def receive(self, timeout: float) -> dict | None:
        self._judge.look()
        if not self._reports:
            time.sleep(timeout)
            return None
        return self._reports.pop(0)


class Session:
    """One run of `lesson watch`: the lesson that it shows and the last verdict on it."""

    def __init__(self, console, lesson: Lesson):
        self.console = console
        self.lesson = lesson
        self.verdict: Verdict | None = None
        self._last_seen: float | None = None  # when the exercise was there, until a verdict on it
        self._process: judge_client.Judge | None = None

    def run(self, key: Callable[[float], str]) -> None:
        with ExitStack() as stack:
            try:
                self._process = stack.enter_context(judge_client.Judge())
            except judge_client.JudgeUnavailable as error:
                print_text(
                    self.console, f"The verdicts do not reach the page: {error}", style="dim"
                )
            self._begin()
            # No key is read while the judge works: a list would show the state before the verdict.
            while (pressed := "" if self.is_judging else key(0)) != QUIT_KEY:
                if self.console.quiet:
                    return
                if pressed:
                    self._handle_key(pressed)
                if (report := self.reports.receive(_KEY_INTERVAL)) is not None:
                    self._handle_report(report)
                self._report_missing_file()
                if self._process and self._process.has_ended():
                    text = "The judge has ended. A new one starts."
                    print_text(self.console, text, style="dim")
                    self._begin()

    def _begin(self) -> None:
        """Ask for a verdict on the lesson."""
        self.is_judging = False
        key = self.lesson.key
        self.reports = judge_client.Reports(key) if self._process else LocalReports(self.lesson)
        self.reports.ask()

    def _handle_report(self, report: dict) -> None:
        self.is_judging = report.get("judging", False)
        if "fault" in report:
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
        self._draw_footer()

    def _handle_key(self, pressed: str) -> None:
        if pressed == "h":
            self.console.print()
            show_hint(self.console, self.lesson)
        elif pressed == "t":
            self.console.print()
            show_lesson(self.console, self.lesson)
        elif pressed == "l":
            self.console.print()
            list_lessons(self.console)
        elif pressed == "c":
            self.reports.ask()
        elif pressed == "n":
            self._go_to_next_lesson()
        elif pressed.isalpha() and pressed.islower():  # an arrow key sends no small letter
            print_text(self.console, f"{pressed} is not a key. {_KEYS}", style="dim")

    def _go_to_next_lesson(self) -> None:
        later = [one for one in lesson_index.lessons() if one.number > self.lesson.number]
        if not later:
            print_text(self.console, "This is the last lesson.")
            return
        self.lesson = later[0]
        self._begin()

    def _draw_footer(self) -> None:
        print_text(self.console, f"Watching {short_path(self.lesson.exercise)}", style="dim")
        if self.console.is_terminal:
            print_text(self.console, _KEYS, style="dim")


# Single key presses


@contextmanager
def keyboard(console) -> Iterator[Callable[[float], str]]:
    """Yield a function that waits some seconds for a key and returns the key, or "".

    The terminal does not echo keys. Its settings are restored at the end. Ctrl-C still raises
    KeyboardInterrupt. An arrow or function key arrives as several keys without small letters.
    """
    if not (console.is_terminal and sys.stdin.isatty()):
        yield _no_key
    elif os.name == "nt":
        yield _windows_key
    else:
        with _single_keys(sys.stdin.fileno()) as key:
            yield key


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""


@contextmanager
def _single_keys(terminal: int) -> Iterator[Callable[[float], str]]:
    import select
    import termios
    import tty

    def key(seconds: float) -> str:
        if not select.select([terminal], [], [], seconds)[0]:
            return ""
        try:
            pressed = os.read(terminal, 1)
        except OSError:
            return QUIT_KEY
        return pressed.decode(errors="replace") if pressed else QUIT_KEY

    def read_single_keys(*_):
        tty.setcbreak(terminal, termios.TCSANOW)

    before = termios.tcgetattr(terminal)
    # A shell that continues this process after Ctrl-Z has changed the settings.
    signal.signal(signal.SIGCONT, read_single_keys)
    try:
        read_single_keys()
        yield key
    finally:
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _windows_key(seconds: float) -> str:
    import msvcrt

    until = time.monotonic() + seconds
    while not msvcrt.kbhit():
        if time.monotonic() >= until:
            return ""
        time.sleep(min(seconds, 0.01))
    return msvcrt.getwch()
