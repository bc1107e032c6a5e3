"""What belongs to one check: the consumer that is judged, and every connection to it."""

from lessons.core.catalogue import Lesson
from lessons.simulator.communicator import StrictClient
from lessons.simulator.finding import (
    CheckFailed,
    SubjectSource,
    make_finding,
    place_of_error,
    running_place,
)
from lessons.simulator.student_module import application_for
from lessons.simulator.worker import Workers
from lessons.wire.events import Event


class CheckContext:
    """The judged consumer or function (`subject`), and the clients and workers of one check."""

    def __init__(self, lesson: Lesson, subject):
        self.lesson = lesson
        self.subject = subject
        self.source = SubjectSource(subject)
        self.clients: list[StrictClient] = []
        self.workers: list[Workers] = []

    @property
    def application(self):
        """The subject as an ASGI application, with the middleware that its lesson demands."""
        return application_for(self.subject, self.lesson)

    @property
    def transcript(self) -> tuple[Event, ...]:
        """The events of all connections and workers so far, in the order of time."""
        recorded = (*self.clients, *self.workers)
        events = (event for one in recorded for event in one.transcript)
        return tuple(sorted(events, key=lambda event: event.time))

    @property
    def last_event(self) -> str:
        """Type of the event that was handled last."""
        handled = [event for event in self.transcript if event.direction == "in"]
        return str(handled[-1].message.get("type", "")) if handled else ""

    def failure(
        self, name: str, error: BaseException | None = None, detail: str = ""
    ) -> CheckFailed:
        """The CheckFailed with diagnosis `name`, at the line of `error` or the running line."""
        file = self.source.file
        place = place_of_error(file, error) if error else running_place(file)
        place = place or self.source.place_of_handler(self.last_event)
        return CheckFailed(make_finding(name, place, self.last_event, detail), self.transcript)
