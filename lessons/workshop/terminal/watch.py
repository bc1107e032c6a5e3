"""`lesson watch`: a verdict at every save.

The judge process judges. Where it cannot be started, as in a read-only folder, this process does.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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


class LocalJudge:
    """The judge in this process, with the methods of a JudgeConnection."""

    def __init__(self, watch: str):
        self._messages: list[dict] = []
        self.send(watch=watch)

    def send(self, watch: str) -> None:
        from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge

        self._judge = ExerciseJudge([lesson_index.find(watch)], self._messages.append)
        self._judge.watched = {watch}
        self._judge.request(watch)

    def receive(self, timeout: float) -> dict | None:
        self._judge.look()
        if not self._messages:
            time.sleep(timeout)
            return None
        return self._messages.pop(0)


class Session:
    """One run of `lesson watch`: the lesson that it shows and the last verdict on it."""

    def __init__(self, console, lesson: Lesson):
        self.console = console
        self.lesson = lesson
        self.verdict: Verdict | None = None
        self._last_seen: float | None = None  # when the exercise was there, until a verdict on it
        self._restart_pause = judge_client.RestartPause()

    def run(self, key: Callable[[float], str]) -> None:
        self._find_judge()
        # No key is read while the judge works: a list would show the state before the verdict.
        while (pressed := "" if self.is_judging else key(0)) != QUIT_KEY and not self.console.quiet:
            try:
                if pressed:
                    self._handle_key(pressed)
                if message := self.judge.receive(_KEY_INTERVAL):
                    self._handle_message(message)
                self._report_missing_file()
            except OSError:  # the judge was killed
                pause = self._restart_pause.seconds()
                wait = f" in {pause:g} s" if pause else ""
                print_text(
                    self.console, f"The judge has ended. A new one starts{wait}.", style="dim"
                )
                if key(pause) == QUIT_KEY:
                    return
                self._find_judge()

    def _find_judge(self) -> None:
        self.is_judging = False
        try:
            self.judge = judge_client.connect(watch=self.lesson.key)
        except judge_client.JudgeUnavailable as error:
            print_text(self.console, f"The verdicts do not reach the page: {error}", style="dim")
            self.judge = LocalJudge(self.lesson.key)

    def _handle_message(self, message: dict) -> None:
        if "judging" in message:
            self.is_judging = message["judging"] == self.lesson.key
        if message.get("lesson") != self.lesson.key:
            return
        if "fault" in message:
            self.verdict = None
            text = f"The checks of lesson {self.lesson.key} are broken, whatever the target:"
            print_text(self.console, f"{text}\n{message['fault']}", style="red")
            return
        if "claims" in message:
            if self.console.is_terminal:  # a file or a pipe gets each verdict once
                self._draw(Verdict.from_json(message["claims"]))
            return
        self.verdict = Verdict.from_json(message["verdict"])
        self._draw(self.verdict)

    def _report_missing_file(self) -> None:
        """Ask for a verdict when the exercise was moved away; its next save brings another one."""
        if self.lesson.exercise.exists():
            self._last_seen = time.monotonic()
        elif self._last_seen and time.monotonic() - self._last_seen > _MISSING_TIME:
            self._last_seen = None
            self.judge.send(watch=self.lesson.key)

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
            self.judge.send(watch=self.lesson.key)
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
        self.judge.send(watch=self.lesson.key)

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
