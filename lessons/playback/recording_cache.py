"""Recordings and verdicts, kept for as long as the files that they are of stay as they were."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from lessons.core.catalogue import Lesson
from lessons.core.source import UnknownName, find_source
from lessons.playback.conversation import PlaybackLimitExceeded, play
from lessons.wire.events import Event

KEPT = 200

_kept: OrderedDict[tuple, object] = OrderedDict()
_one_at_a_time = threading.Lock()  # and whoever asks for the same waits for it


@dataclass(frozen=True)
class Recording:
    """What crossed; `cut` says why it was not played to its end."""

    events: tuple[Event, ...]
    cut: str = ""

    def as_json(self) -> dict:
        """In the form of a transcript that a page has saved, and the reason for its end."""
        last = {event.connection: event for event in self.events}
        first = {event.connection: event for event in reversed(self.events)}
        connections = [
            {
                "connection": name,
                "client": str(number) if len(last) > 1 else "",
                "server": "",
                "begun": first[name].time,
                "recorded": last[name].seq,
            }
            for number, name in enumerate(dict.fromkeys(it.connection for it in self.events), 1)
        ]
        events = [event.as_json() for event in self.events]
        return {"version": 1, "connections": connections, "events": events, "cut": self.cut}


def record(lesson: Lesson, name: str, steps: list[str]) -> Recording:
    """The recording of `steps` with that consumer, played anew where a file has changed.

    Raises what `play` does, but for PlaybackLimitExceeded, whose reason is the recording's `cut`.
    """

    def played() -> Recording:
        try:
            return Recording(play(lesson, name, list(steps)))
        except PlaybackLimitExceeded as endless:
            return Recording(endless.events, endless.reason)

    return keep((lesson.folder, name, *steps, *stamps(lesson, name)), played)


def keep(key: tuple, make):
    with _one_at_a_time:
        if key not in _kept:
            _kept[key] = make()
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]


def stamps(lesson: Lesson, name: str) -> list[int]:
    """The times at which the files were saved that may decide what crosses."""
    files = [lesson.solution, lesson.mistakes, lesson.check]
    if "." in name:
        try:
            files = [*_demo_files(name)]
        except UnknownName:
            files = []
    return [file.stat().st_mtime_ns for file in files if file.is_file()]


def _demo_files(name: str) -> list[Path]:
    folder = find_source(name).file.parent
    return sorted(folder.glob("*.py"))
