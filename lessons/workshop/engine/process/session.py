"""Plays many conversations with one target in a child process, one after the other.

The child plays, the parent judges. The parent sends steps. The child imports the student's file
again for each conversation, plays the steps, and sends what happened: plain data, each field of
which the parent checks. The child does not know what the exercise promises. So a submission that
changes its own process can change nothing but its own transcript.
"""

import gc
import io
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from typing import NoReturn, Protocol

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import (
    CheckFailed,
    Finding,
    Place,
    make_finding,
    running_place,
)
from lessons.workshop.engine.process.child_process import (
    kill_process_group,
    read_dataclass,
    receive_data,
    send_data,
    set_up_django,
    start_child,
)
from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.script.other_processes import CallMade
from lessons.workshop.engine.script.steps import Step, parse_step
from lessons.workshop.engine.world.loop import ThreadSleep
from lessons.workshop.engine.world.threads import EngineThread

PLAY_TIMEOUT = 5.0  # seconds that one conversation may take
_START_TIMEOUT = 30.0  # seconds: on a busy machine a child starts slowly
_REPORT_TIMEOUT = 1.0  # seconds for a child whose conversation has timed out to report that
PROCESSES = 2 if (os.cpu_count() or 1) > 1 else 1  # that play side by side
IN_ADVANCE = 6  # conversations that a child may play before the parent has read the first
MAX_IN_ADVANCE = 4000  # characters of steps that one child may have been sent in advance
MAX_REPORT = 32 * 1024**2  # bytes of a report; a longer one is not read
MAX_OUTPUT = 4000  # characters of printed text that are kept
WATCH_INTERVAL = 0.1  # seconds between two looks at a conversation
WAITING_FACTOR = 4  # how much longer than it may work a conversation may take in all
_process_time, _monotonic = time.process_time, time.monotonic  # others may be replaced


@dataclass(frozen=True)
class PlayOptions:
    """How to play: with a database, with the lines that send each message, with all events."""

    database: bool = False
    lines: bool = False
    events: bool = False
    stop_timeout: float = 10.0  # seconds for a consumer whose client has left
    # Sources of consumers on which a student's test runs, by the name in a step `try NAME`.
    consumers: dict[str, str] = field(default_factory=dict)
    leftovers: bool = True  # whether threads and forgotten awaits are looked for
    thorough: bool = True  # whether it collects garbage, to find each forgotten await


@dataclass(frozen=True)
class ClientSeen:
    """What one client has seen of a burst; see player.ClientTurn."""

    received: tuple[tuple[float, dict], ...]
    sent_at: tuple[tuple[int, str] | None, ...]
    is_busy: bool
    ended: bool
    too_late: tuple[dict, ...]
    silence: str
    place: Place
    raised: str = ""
    raised_kinds: tuple[str, ...] = ()
    scope_changes: tuple[str, ...] = ()
    failed_task: Finding | None = None
    channel: str = ""
    handled: int = 0
    waits: bool = False


@dataclass(frozen=True)
class Fault:
    """A fault that shows without a model: `client` is None if no single client has it."""

    client: int | None
    finding: Finding


@dataclass(frozen=True)
class PlayedTurn:
    """What happened in one burst of steps."""

    steps: tuple[str, ...]
    clients: dict[int, ClientSeen]
    answers: tuple
    faults: tuple[Fault, ...]
    time: float
    points: int
    layers: tuple[str, ...] = ()
    at_point: dict[int, int] = field(default_factory=dict)
    thread_jobs: int = 0
    held: tuple[tuple[int, int, str], ...] = ()
    calls: tuple[CallMade, ...] = ()


@dataclass(frozen=True)
class Played:
    """What happened in one conversation. `leftovers` are the faults that show at its end.

    `events` are all recorded events, if they were asked for. `stuck` is the finding for a
    conversation that did not end, and then `turns` is not complete. `output` is what the code
    printed, and `cut` the number of further characters.
    """

    turns: tuple[PlayedTurn, ...]
    leftovers: tuple[Finding, ...] = ()
    events: tuple[Event, ...] = ()
    stuck: Finding | None = None
    thread_sleeps: tuple[ThreadSleep, ...] = ()
    output: str = ""
    cut: int = 0


class SessionEnded(Exception):
    """The child process cannot play any more: `finding` says why."""

    def __init__(self, finding: Finding):
        super().__init__(finding.message)
        self.finding = finding


class CourseError(Exception):
    """The course's own code is broken. The text says where, or is a traceback."""


class PlayerNotStarted(Exception):
    """The process that plays did not start. The text says why: the target's code did not run."""


class PlayerProcess(Protocol):
    """A process that has been started with (lesson, target, timeout), and runs run_player()."""

    pipe: Connection

    def exit_code(self, timeout: float) -> int | None:
        """The exit code, or minus the signal that has ended it. None if it runs after `timeout`."""

    def end(self) -> None:
        """End it and all that it has started, and remove its files."""


class ForkedPlayer:
    """A child of this process, with the rights of this process."""

    def __init__(self, lesson: Lesson, target: Target, timeout: float):
        self.pipe, child_pipe = multiprocessing.Pipe()
        self._folder = tempfile.TemporaryDirectory()
        order = lesson, target, timeout, self._folder.name
        self._child = start_child(_run_forked, child_pipe, self.pipe, *order)
        child_pipe.close()

    def exit_code(self, timeout: float) -> int | None:
        self._child.join(timeout)
        return self._child.exitcode

    def end(self) -> None:
        kill_process_group(self._child)
        self.pipe.close()
        self._folder.cleanup()


class Session:
    """A process that plays conversations with `target`. Use it as a context manager."""

    def __init__(
        self,
        lesson: Lesson,
        target: Target,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = ForkedPlayer,
    ):
        self._arguments = lesson, target, timeout
        self._start_player = start_player
        self.file = str(target.file)
        self._timeout = timeout
        self._player: PlayerProcess | None = None
        # The conversations that receive() has not returned.
        self._unread: deque[tuple[list, PlayOptions]] = deque()
        self._number = 0  # of the last conversation that the child was asked for
        self.output = LimitedOutput()  # what the file printed when it was imported
        self.problem: Finding | None = None  # why the file cannot be run

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._stop()

    def wait_until_loaded(self) -> None:
        """Wait until the file has been imported: `output` and `problem` are known then."""
        try:
            kind, value = self._receive(self._timeout + _START_TIMEOUT)
            with _unreadable_reports_end_it():
                if kind == "problem":
                    self.problem = read_finding(value)
                else:
                    self.output = LimitedOutput(_text(value["output"]), int(value["cut"]))
        except SessionEnded as ended:
            self.problem = ended.finding

    def play(self, steps, options: PlayOptions = PlayOptions()) -> Played:
        """Play one conversation. Raises SessionEnded if the process has died.

        What was asked for before and not received is thrown away.
        """
        self.drop_unread()
        self.send(steps, options)
        return self.receive()

    def drop_unread(self) -> None:
        """Receive and forget what was asked for before."""
        while self._unread:
            self.receive()

    def send(self, steps, options: PlayOptions = PlayOptions()) -> None:
        """Ask for a conversation; receive() returns it. Several may be asked for at once."""
        if self._player is None:  # the last conversation has ended the process
            self._start()
            self.wait_until_loaded()
        try:
            send_data(self._player.pipe, (self._number + 1, [str(step) for step in steps], options))
        except OSError:
            raise SessionEnded(self._how_it_ended()) from None
        self._number += 1
        self._unread.append((steps, options))

    def receive(self) -> Played:
        """What happened in the next conversation that was asked for."""
        number = self._number - len(self._unread) + 1
        conversation = self._unread.popleft()
        kind, value = self._receive(
            self._timeout * WAITING_FACTOR + _REPORT_TIMEOUT + _START_TIMEOUT, conversation
        )
        with _unreadable_reports_end_it():
            if kind not in ("played", "stuck") or value["number"] != number:
                raise ValueError(f"it is not the report on conversation {number}")
            if unknown := value["unknown step"]:
                self._end_by_fault(_text(unknown), conversation)
            played = _read_played(value)
        if kind == "stuck":
            self._stop()
        return played

    def _start(self) -> None:
        self._player = self._start_player(*self._arguments)

    def _stop(self) -> None:
        if self._player is not None:
            self._player.end()
        self._player = None
        self._unread.clear()

    def _receive(self, seconds: float, conversation: tuple[list, PlayOptions] | None = None):
        try:
            with _unreadable_reports_end_it():
                kind, value = self._receive_message(seconds)
                if kind == "fault":
                    self._end_by_fault(_text(value), conversation)
        except EOFError:
            raise SessionEnded(self._how_it_ended()) from None
        return kind, value

    def _end_by_fault(self, text: str, conversation: tuple[list, PlayOptions] | None) -> NoReturn:
        """Raise CourseError if the lesson's solution has a fault too, or else SessionEnded.

        The student's code runs in the process that has reported the fault, so it can forge one.
        """
        if self._is_fault_of_course(conversation):
            raise CourseError(text)
        detail = f"The process reported a fault that the solution does not have: {text}"
        raise SessionEnded(make_finding("process-died", detail=detail[:MAX_OUTPUT]))

    def _is_fault_of_course(self, conversation: tuple[list, PlayOptions] | None) -> bool:
        lesson, target, timeout = self._arguments
        names = lesson.exercise_name, lesson.exercise_base
        solution = Target("solution", lesson.solution, *names)
        if (target.file, target.source) == (solution.file, solution.source):
            return True
        try:
            with Session(lesson, solution, timeout) as session:
                session.wait_until_loaded()
                if conversation and not session.problem:
                    session.play(*conversation)
                return session.problem is not None
        except CourseError:
            return True
        except SessionEnded:
            return False

    def _receive_message(self, seconds: float):
        if not self._player.pipe.poll(seconds):
            finding = make_finding("stuck", detail=f"No report for {seconds:g} s.")
            raise SessionEnded(finding)
        return receive_data(self._player.pipe, MAX_REPORT)

    def _how_it_ended(self) -> Finding:
        code = self._player.exit_code(_REPORT_TIMEOUT)
        how = f"with exit code {code}"
        if code is not None and code < 0:
            how = f"by {_signal_name(-code)}"
        return make_finding("process-died", detail=f"The process ended {how}.")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"


class SessionPool:
    """Some sessions with one target, which play side by side. Use it as a context manager."""

    def __init__(
        self,
        lesson: Lesson,
        target: Target,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = ForkedPlayer,
    ):
        # In a worker process, such as one of `lesson verify`, others already play side by side.
        size = 1 if multiprocessing.parent_process() else PROCESSES
        self._sessions = [Session(lesson, target, timeout, start_player) for _ in range(size)]
        self._first = self._sessions[0]
        self._are_loaded = False
        self.file = self._first.file
        self.play = self._first.play
        self.wait_until_loaded = self._first.wait_until_loaded

    def __enter__(self):
        with ExitStack() as stack:
            for session in self._sessions:
                stack.enter_context(session)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    @property
    def output(self) -> "LimitedOutput":
        """What the file printed when it was imported."""
        return self._first.output

    @property
    def problem(self) -> Finding | None:
        """Why the file cannot be run."""
        return self._first.problem

    def play_all(
        self, conversations: Iterable[list[Step]], options: PlayOptions = PlayOptions()
    ) -> Iterator[tuple[list[Step], Played]]:
        """Each conversation and what happened in it, in their order.

        The sessions take turns, and each plays some conversations in advance. So the result does
        not depend on their number. Raises SessionEnded if a process has died.
        """
        if not self._are_loaded:
            for session in self._sessions[1:]:
                session.wait_until_loaded()
            self._are_loaded = True
        for session in self._sessions:
            session.drop_unread()
        waiting: deque[tuple[Session, list[Step]]] = deque()
        for session, steps in zip(cycle(self._sessions), conversations, strict=False):
            # A full pipe would block both the parent and the child.
            while waiting and (
                len(waiting) == IN_ADVANCE * len(self._sessions)
                or _size(steps, *(it for other, it in waiting if other is session)) > MAX_IN_ADVANCE
            ):
                sender, sent = waiting.popleft()
                yield sent, sender.receive()
            session.send(steps, options)
            waiting.append((session, steps))
        for sender, sent in waiting:
            yield sent, sender.receive()


def _size(*conversations: list[Step]) -> int:
    """How many characters these conversations have."""
    return sum(len(str(step)) for steps in conversations for step in steps)


# The student's code runs in the process that sends these values, so each field is checked.
_UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError),
)


@contextmanager
def _unreadable_reports_end_it():
    """Within it, a report that cannot be read raises SessionEnded."""
    try:
        yield
    except EOFError:
        raise
    except _UNREADABLE as error:
        detail = f"The process sent a report that cannot be read: {error}"
        raise SessionEnded(make_finding("process-died", detail=detail)) from None


def _read_played(data: dict) -> Played:
    return Played(
        tuple(_read_turn(turn) for turn in data["turns"]),
        tuple(read_finding(finding) for finding in data["leftovers"]),
        tuple(read_dataclass(Event, event) for event in data["events"]),
        data["stuck"] and read_finding(data["stuck"]),
        tuple(read_dataclass(ThreadSleep, sleep) for sleep in data["thread_sleeps"]),
        _text(data["output"]),
        int(data["cut"]),
    )


def _read_turn(data: dict) -> PlayedTurn:
    faults = [
        Fault(None if client is None else int(client), read_finding(finding))
        for client, finding in data["faults"]
    ]
    clients = {int(number): _read_client(client) for number, client in data["clients"].items()}
    steps = tuple(_text(step) for step in data["steps"])
    time, points = float(data["time"]), int(data["points"])
    layers = tuple(_text(layer) for layer in data["layers"])
    at_point = {int(number): int(count) for number, count in data["at_point"].items()}
    answers = tuple(data["answers"])
    held = tuple((int(client), int(line), _text(name)) for client, line, name in data["held"])
    calls = tuple(read_dataclass(CallMade, call) for call in data["calls"])
    others = layers, at_point, int(data["thread_jobs"]), held, calls
    return PlayedTurn(steps, clients, answers, tuple(faults), time, points, *others)


def _read_client(data: dict) -> ClientSeen:
    received = tuple((float(time), message) for time, message in data["received"])
    if not all(isinstance(message, dict) for _, message in received):
        raise TypeError("a message is not a dict")
    sent_at = tuple(at and (int(at[0]), _text(at[1])) for at in data["sent_at"])
    too_late = tuple(data["too_late"])
    silence = _text(data["silence"])
    diagnosis(silence)  # raises KeyError if it does not exist
    place = Place(_text(data["file"]), int(data["line"]), _text(data["handler"]))
    is_busy, ended = bool(data["is_busy"]), bool(data["ended"])
    common = received, sent_at, is_busy, ended, too_late
    raised = _text(data["raised"]), tuple(map(_text, data["raised_kinds"]))
    changes = tuple(map(_text, data["scope_changes"]))
    failed = data["failed_task"] and read_finding(data["failed_task"])
    last = _text(data["channel"]), int(data["handled"]), bool(data["waits"])
    return ClientSeen(*common, silence, place, *raised, changes, failed, *last)


def read_finding(data: dict) -> Finding:
    """The finding that a child process sent. Raises TypeError or LookupError."""
    finding = read_dataclass(Finding, data)
    diagnosis(finding.diagnosis)  # raises KeyError if it does not exist
    return finding


def _text(value) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


class LimitedOutput(io.TextIOBase):
    """Replaces stdout and stderr: keeps the beginning of the text and counts the rest."""

    def __init__(self, text: str = "", cut: int = 0):
        self.forget()
        self.add(text, cut)

    def writable(self):
        return True

    def write(self, text):
        kept = text[: self._free]
        if kept:
            self._kept.append(kept)
            self._free -= len(kept)
        self._cut += len(text) - len(kept)
        return len(text)

    def forget(self) -> None:
        """Begin again."""
        self._kept, self._free, self._cut = [], MAX_OUTPUT, 0

    def add(self, text: str, cut: int) -> None:
        """Add what another output has kept, and the number of characters that it has cut."""
        self.write(text)
        self._cut += cut

    def report(self) -> dict:
        """As a part of what the child process sends."""
        return {"output": "".join(self._kept), "cut": self._cut}

    def text(self) -> str:
        """What was kept, and a note if something was cut."""
        note = f"\n[{self._cut} more characters were printed and cut]" if self._cut else ""
        return "".join(self._kept) + note


# In the child process


class _Reporter:
    """Sends reports to the parent. The watchdog's thread sends the last one if the code hangs."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: str, value) -> None:
        with self._lock:
            try:
                send_data(self._pipe, (kind, value))
            except OSError:  # the parent has ended
                os._exit(1)


def _run_forked(pipe, parents_end, *order) -> None:
    """Run the player in a forked process."""
    # It has a copy. With that copy open, the end of the parent would not be noticed.
    parents_end.close()
    run_player(pipe, *order)


def run_player(pipe, lesson: Lesson, target: Target, timeout: float, folder: str) -> None:
    """Play what the parent asks for, until the pipe is closed; never returns.

    Its database is in `folder`, which the parent removes. It is the working folder, too: a student
    may open a log with a relative name, which must not end up in the project.
    """
    set_up_django()
    from lessons.workshop.engine.world.database import keep_file_in

    keep_file_in(folder)
    os.chdir(folder)
    output = sys.stdout = sys.stderr = LimitedOutput()
    reporter = _Reporter(pipe)
    gc.freeze()  # later collections skip the objects of the parent
    try:
        _serve(pipe, reporter, lesson, target, timeout, output)
    except CheckFailed as failure:
        reporter.send("problem", failure.finding)
    except (EOFError, OSError):  # the parent needs no more conversations
        pass
    except BaseException:
        reporter.send("fault", traceback.format_exc())
    os._exit(0)  # at once: the target's code may have registered exit handlers


def _serve(pipe, reporter, lesson, target, timeout, output) -> None:
    """Play what the parent asks for."""
    from lessons.workshop.engine.process.conversation_run import ConversationRun
    from lessons.workshop.engine.world.student_module import load_subject

    def report_stuck_import():
        place = running_place(str(target.file)) or Place(str(target.file))
        reporter.send("problem", make_finding("stuck", place))

    with _Watchdog(timeout, report_stuck_import):
        load_subject(target)  # the output keeps what the file prints during this import only
    reporter.send("loaded", output.report())
    while True:
        number, steps, options = receive_data(pipe)
        options = PlayOptions(**options)
        printed = LimitedOutput()
        with redirect_stdout(printed), redirect_stderr(printed):
            # Imported again for each conversation: the code may have changed its own module.
            run = ConversationRun(lesson, target, options, on_load=printed.forget)

            def report_stuck(run=run, number=number, printed=printed):
                place = running_place(str(target.file)) or Place(str(target.file))
                detail = f"Stopped after {timeout:g} seconds."
                finding = make_finding("stuck", place, run.last_event, detail)
                report = run.report(stuck=finding) | printed.report()
                reporter.send("stuck", {**report, "number": number})

            with _Watchdog(timeout, report_stuck):
                run.play([parse_step(step) for step in steps])
        report = run.report() | printed.report()
        reporter.send("played", {**report, "number": number})


class _Watchdog:
    """If its block takes more than `seconds`, call `report_stuck` and end the process.

    The seconds are those of the processor, so a busy machine does not change a verdict. Code that
    only waits may take longer.
    """

    def __init__(self, seconds: float, report_stuck):
        self._seconds = seconds
        self._report_stuck = report_stuck
        self._is_over = threading.Event()

    def __enter__(self):
        self._processor_time, self._begun = _process_time(), _monotonic()
        EngineThread(target=self._watch, daemon=True).start()

    def __exit__(self, *_):
        self._is_over.set()

    def _watch(self):
        while not self._is_over.wait(WATCH_INTERVAL):
            used = _process_time() - self._processor_time
            waited = _monotonic() - self._begun
            if used > self._seconds or waited > self._seconds * WAITING_FACTOR:
                self._report_stuck()
                os._exit(0)
