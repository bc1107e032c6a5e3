"""A cache of recordings and verdicts, each valid while its files are unchanged."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

from lessons.workshop.course.diagnoses import diagnose, message_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import UnknownTarget, demo, resolve
from lessons.workshop.engine.faults.finding import CheckFailed, Finding
from lessons.workshop.engine.process.player_handle import PlayerEnded, PlayerFailed, play_once
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.script.action import UnknownStep
from lessons.workshop.engine.script.report import MAX_EVENTS, PlayOptions, Report
from lessons.workshop.engine.script.steps import parse_step
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.claims import Claims, CourseError
from lessons.workshop.judge.redaction import redacted

MAX_ENTRIES = 200
OPTIONS = PlayOptions(events=True, leftovers=False)


class NotPlayed(Exception):
    """A conversation that cannot be played; the text says why, and `finding` if the code does."""

    def __init__(self, text: str, finding: Finding | None = None):
        super().__init__(text)
        self.finding = finding


PLAYBACK_ERRORS = (UnknownTarget, UnknownStep, NotPlayed)

T = TypeVar("T")

# A second request for the same entry waits for its future, instead of making the entry again.
_entries: OrderedDict[tuple, Future] = OrderedDict()
_lock = threading.Lock()  # held while a future is looked up, never while an entry is made


@dataclass(frozen=True)
class Recording:
    """The events of a conversation; `cut` says why it was stopped before its end."""

    events: tuple[Event, ...]
    cut: str = ""

    @classmethod
    def of(cls, report: Report) -> "Recording":
        cut = f"Cut after {MAX_EVENTS} events." if len(report.events) == MAX_EVENTS else ""
        return cls(report.events, report.stuck.detail if report.stuck else cut)

    def as_json(self, clients: Mapping[str, int | str] | None = None) -> dict:
        """The recording in the form of a transcript that a page has saved, and why it was cut.

        `clients` names the client of each connection. By default, connections are counted.
        """
        last = {event.connection: event for event in self.events}
        first = {event.connection: event for event in reversed(self.events)}
        names = dict.fromkeys(event.connection for event in self.events)
        connections = [
            {
                "connection": name,
                "client": str(clients[name] if clients else number if len(last) > 1 else ""),
                "server": "",
                "begun": first[name].time,
                "recorded": last[name].seq,
            }
            for number, name in enumerate(names, start=1)
        ]
        events = [event.as_json() for event in self.events]
        return {"version": 1, "connections": connections, "events": events, "cut": self.cut}


def record(lesson: Lesson, name: str, steps: list[str]) -> Recording:
    """The recording of `steps` with the consumer `name`; played again after a file has changed.

    `name` is "solution", a mistake ("mistake:NoAccept"), the path of a student's file, or the
    qualified name of a consumer or application. Raises the exceptions in PLAYBACK_ERRORS. A
    recording that was cut is not kept, because a busy machine cuts earlier than another.
    """
    key = (lesson.folder, name, *steps, *modification_times(lesson, name))
    recording = cached(key, lambda: Recording.of(play_as_judged(lesson, name, steps)))
    if recording.cut:
        _entries.pop(key, None)
    return recording


def play_as_judged(lesson: Lesson, name: str, steps: list[str]) -> Report:
    """As play(). A version of the exercise has a database only if the judge gives it one.

    Channels closes old connections in another thread, so a seed would lead to another order.
    """
    subject = playable(lesson, name)
    if not subject.module and not _has_database(lesson):
        try:
            return play(subject, steps, database=False)
        except NotPlayed as failure:
            if failure.finding:
                raise
            # A link may hold a step that needs a database.
    return play(subject, steps)


def _has_database(lesson: Lesson) -> bool:
    """Whether the lesson's model needs a database; True if there is no model."""
    try:
        return Claims.of(lesson).model.database
    except CourseError:
        return True


def play(subject: Subject, steps: list[str], database: bool = True) -> Report:
    """What happens in a conversation in `steps`, with all events, without secrets.

    After the consumer has broken a rule, only the client's waits are played.
    """
    parsed = [parse_step(step) for step in steps]
    try:
        report = play_once(subject, parsed, replace(OPTIONS, database=database), diagnose)
    except (CheckFailed, PlayerEnded) as ended:
        finding = ended.finding
        raise NotPlayed(f"{message_of(finding)}\n{finding.detail}".strip(), finding) from None
    except PlayerFailed as failure:
        raise NotPlayed(str(failure)) from None
    bursts = (
        replace(burst, events=tuple((number, redacted(event)) for number, event in burst.events))
        for burst in report.bursts
    )
    return replace(report, events=tuple(map(redacted, report.events)), bursts=tuple(bursts))


def events_of(subject: Subject, steps: list[str]) -> tuple[Event, ...]:
    """All events of a conversation. Raises NotPlayed also if it was cut."""
    recording = Recording.of(play(subject, steps))
    if recording.cut:
        raise NotPlayed(recording.cut)
    return recording.events


def playable(lesson: Lesson, name: str) -> Subject:
    """The subject of that name; see record(). Raises UnknownTarget."""
    is_qualified = "." in name and not name.endswith(".py")
    return demo(lesson, name) if is_qualified else resolve(lesson, name)


def cached(key: tuple, make: Callable[[], T]) -> T:
    """The entry of that key, which `make` returns the first time.

    Raises what `make` raises, also in the requests that wait. The next request tries again.
    """
    with _lock:
        is_new = key not in _entries
        entry = _entries.setdefault(key, Future())
        _entries.move_to_end(key)
        while len(_entries) > MAX_ENTRIES:
            _entries.popitem(last=False)
    if is_new:
        try:
            entry.set_result(make())
        except BaseException as error:
            with _lock:
                if _entries.get(key) is entry:
                    del _entries[key]
            entry.set_exception(error)
    return entry.result()


def modification_times(lesson: Lesson, name: str) -> list[int]:
    """When the files that a recording depends on were last saved."""
    files = [lesson.solution, lesson.mistakes, lesson.check]
    if "." in name:
        try:
            files = sorted(demo(lesson, name).file.parent.glob("*.py"))
        except UnknownTarget:
            files = []
    return [file.stat().st_mtime_ns for file in files if file.is_file()]
