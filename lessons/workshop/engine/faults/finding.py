"""What a check reports: a finding with the code of its diagnosis, at a line of a file."""

import asyncio
import inspect
import linecache
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType

from ..recording.consumer_state import waiting_frames
from ..recording.events import error_text


@dataclass(frozen=True)
class Place:
    """A line of a student's file, and the handler that contains it."""

    file: str = ""
    line: int = 0
    handler: str = ""

    @classmethod
    def of(cls, code: CodeType, line: int | None = None) -> "Place":
        """A line of this code; by default the first one."""
        return cls(code.co_filename, line or code.co_firstlineno, code.co_qualname)

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        where = f"{Path(self.file).name}{line}" if self.file else ""
        return " ".join(part for part in (self.handler, where and f"({where})") if part)


@dataclass(frozen=True)
class Finding:
    """A mistake: the code of its diagnosis, its place, and the event that was handled there.

    `detail` is longer: the exception, or both conversations side by side. `promise` is the sentence
    of the exercise that was not fulfilled. `conversation` holds the steps that show the mistake.
    `expected` is what the first wrong event or answer had to be, on one line, or "nothing more".

    `seen` is the code of a general diagnosis, if only that one was observed: `diagnosis` is then
    its usual cause. Without `seen`, the cause itself was observed, such as a broken rule of Daphne.

    `raised` is an exception of the code as "Type: message". If its text has a better diagnosis, the
    finding gets that one. `instead` has codes that mean another one where it was raised.
    """

    diagnosis: str
    file: str = ""
    line: int = 0
    handler: str = ""
    event: str = ""
    detail: str = ""
    promise: str = ""
    conversation: str = ""
    expected: str = ""
    seen: str = ""
    raised: str = ""
    instead: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        place = Place(self.file, self.line, self.handler)
        return " → ".join(part for part in (self.event, str(place)) if part)


class CheckFailed(AssertionError):
    """A check failed: `finding` says why."""

    def __init__(self, finding: Finding):
        super().__init__(f"{finding.where}: {finding.diagnosis}\n{finding.detail}".strip())
        self.finding = finding


def make_finding(
    code: str, place: Place = Place(), event: str = "", detail: str = "", **more
) -> Finding:
    """The finding with that diagnosis at `place`, while an event of type `event` was handled."""
    where = {"file": place.file, "line": place.line, "handler": place.handler}
    return Finding(code, **where, event=event, detail=detail, **more)


class SourceFile:
    """A student's file. It finds the lines of that file that run, or have raised."""

    def __init__(self, file: str):
        self.file = file

    def owns(self, file: str) -> bool:
        """Whether a finding may point at a line of that file."""
        return file == self.file

    def place_of(self, function) -> Place | None:
        """The line that defines a function, if that is in this file."""
        code = code_of(function)
        return Place.of(code) if code and self.owns(code.co_filename) else None

    def place_of_error(self, error: BaseException) -> Place | None:
        """The innermost own line that raised `error`; not the clean-up that raised it again."""
        raised = [error]
        while (first := raised[-1].__context__) and repr(first) == repr(error):
            raised.append(first)
        for one in reversed(raised):
            frames = [*traceback.walk_tb(one.__traceback__)]
            for frame, line in reversed(frames):
                if self.owns(frame.f_code.co_filename):
                    return Place.of(frame.f_code, line)
        return None

    def failure(self, code: str, error: Exception, **more) -> CheckFailed:
        """The failure to raise for an exception of this file's code outside its consumers."""
        place = self.place_of_error(error) or Place(self.file)
        return CheckFailed(make_finding(code, place, detail=error_text(error), **more))

    def place_of_wrong_call(self, error: BaseException) -> Place | None:
        """The own function that Django called with arguments that it does not take."""
        if not isinstance(error, TypeError) or error.__traceback__ is None:
            return None
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        # In Django's Signal.send() and in its on_commit() hooks.
        called = (frame.f_locals.get(name) for name in ("receiver", "func"))
        return next(filter(None, map(self.place_of, called)), None)

    def running_place(self, thread: int | None = None) -> Place | None:
        """The innermost own line that a thread is executing: this one, or else any thread."""
        return next((it for it in running_places(thread) if self.owns(it.file)), None)


class SubjectSource(SourceFile):
    """The file that defines the judged consumer or function."""

    def __init__(self, application):
        self.subject = getattr(application, "consumer_class", application)
        self.outermost = getattr(application, "outermost", None)
        code = self.subject if hasattr(self.subject, "__name__") else type(self.subject)
        module = sys.modules.get(code.__module__)
        super().__init__(getattr(module, "__file__", None) or "")

    def place_of_handler(self, event_type: str) -> Place:
        """The line that defines the handler for events of that type.

        With no type, no event was handled yet. Then it is the line of the outermost middleware.
        """
        handler = getattr(self.subject, event_type.replace(".", "_"), None)
        if not event_type:
            is_function = inspect.isfunction(self.outermost)
            handler = self.outermost if is_function else type(self.outermost).__call__
        return self.place_of(handler) or Place(self.file, self._first_line())

    def place_of_task(self, task: asyncio.Task) -> Place:
        """The line at which the coroutine of a task waits, if that is in this file."""
        coroutine = task.get_coro()
        code, frame = getattr(coroutine, "cr_code", None), getattr(coroutine, "cr_frame", None)
        if code is None or not self.owns(code.co_filename):
            return self.place_of_origin(task) or Place(self.file)
        return Place(code.co_filename, frame.f_lineno if frame else 0, coroutine.__qualname__)

    def place_of_origin(self, task: asyncio.Task) -> Place | None:
        """The line of this file that has made the coroutine of a task, if it is known."""
        origin = getattr(task.get_coro(), "cr_origin", None) or ()
        return next((Place(*line) for line in origin if self.owns(line[0])), None)

    def place_of_wait(self, task: asyncio.Task) -> Place | None:
        """The innermost line of this file at which a task waits, or None."""
        own = [it for it in waiting_frames(task) if self.owns(it.f_code.co_filename)]
        return Place.of(own[-1].f_code, own[-1].f_lineno) if own else None

    def _first_line(self) -> int:
        """The line that defines the subject.

        Python's inspect would parse the whole file each time. In Python before 3.11.8 that can fail
        while another thread parses (CPython's issue 106905).
        """
        if code := code_of(self.subject):
            return code.co_firstlineno
        source = "".join(linecache.getlines(self.file))
        name = re.escape(getattr(self.subject, "__name__", ""))
        found = re.search(rf"^[ \t]*class[ \t]+{name}\b", source, re.MULTILINE)
        return source.count("\n", 0, found.start()) + 1 if found else 0


def code_of(function) -> CodeType | None:
    """The code of a function, also within decorators and partial(); None for anything else."""
    while isinstance(function, partial):
        function = function.func
    return getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None


def running_places(thread: int | None = None) -> Iterator[Place]:
    """Every line that the threads are executing: this thread first, the innermost line first."""
    frames = sys._current_frames()
    for number in sorted(frames, key=threading.get_ident().__ne__):
        own = traceback.walk_stack(frames[number]) if thread in (None, number) else ()
        for caller, line in own:
            yield Place.of(caller.f_code, line)
