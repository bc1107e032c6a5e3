"""Finds the consumer that serves a client, and lines in any module of the project."""

import asyncio
import sys
import traceback
from threading import get_ident

from channels.consumer import AsyncConsumer

from ..faults.finding import Place, SubjectSource
from ..recording.consumer_state import waiting_frames
from ..scheduling.blocking_calls import is_students
from ..scheduling.threads import this_thread

# What a generic consumer defines instead of the handler.
_GENERIC = {
    "websocket_connect": ("connect",),
    "websocket_receive": ("receive_json", "receive"),
    "websocket_disconnect": ("disconnect",),
}
_RUN_ONCE = asyncio.BaseEventLoop._run_once.__code__


class ProjectSource(SubjectSource):
    """All files of the project, and the consumer behind its routing, once look() has found it."""

    def __init__(self, application):
        self.subject = self.outermost = application
        self.file = ""

    def owns(self, file):
        return is_students(file)

    def look(self, client) -> None:
        """Find the consumer that serves this client, unless it is known.

        It is among what the application's task waits for, or has raised from.
        """
        if self.file:
            return
        frames = [*waiting_frames(client.future)]
        if client.error is not None:
            frames += [frame for frame, _ in traceback.walk_tb(client.error.__traceback__)]
        owners = (frame.f_locals.get("self") for frame in frames)
        if consumer := next((it for it in owners if isinstance(it, AsyncConsumer)), None):
            self.subject = type(consumer)
            self.file = getattr(sys.modules.get(self.subject.__module__), "__file__", None) or ""

    def place_of_handler(self, event_type):
        name = event_type.replace(".", "_")
        handlers = (getattr(self.subject, it, None) for it in (name, *_GENERIC.get(name, ())))
        default = Place(self.file, self._first_line() if self.file else 0)
        return next(filter(None, map(self.place_of, handlers)), default)

    def running_place(self, thread=None):
        """As in the base class, without threads of earlier tests, and without the test itself."""
        running, numbers = this_thread(), [thread or get_ident()]
        if thread is None and running:
            numbers += [job.ident for job in running.scheduler.unfinished_jobs()]
        frames = sys._current_frames()
        for number in numbers:
            for caller, line in traceback.walk_stack(frames[number]) if number in frames else ():
                if caller.f_code is _RUN_ONCE:
                    break
                if self.owns(caller.f_code.co_filename):
                    return Place.of(caller.f_code, line)
        return None
