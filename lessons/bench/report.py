"""What a benchmark has to say, and where it is kept."""

import json
import platform
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from lessons.core import atomic_write


class Lacking(Exception):
    """The machine has not what the benchmark needs; the message says how to come by it."""


@dataclass(frozen=True)
class Options:
    """What was asked for; what was not is the benchmark's to choose."""

    rounds: int | None = None
    seconds: float | None = None
    lesson: str | None = None
    connections: int | None = None
    quick: bool = False

    def rounds_or(self, usual: int, quick: int) -> int:
        return self.rounds or (quick if self.quick else usual)


@dataclass(frozen=True)
class Beside:
    """A figure and its peer's, from the same run."""

    what: str
    value: float
    peer: str
    peer_value: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.value / self.peer_value if self.peer_value else float("nan")


@dataclass(frozen=True)
class Report:
    """The figures of one benchmark: for programs, for a terminal, and as pictures."""

    figures: dict
    table: str
    beside: list[Beside] = field(default_factory=list)
    picture: str = ""  # SVG
    fault: str = ""  # what the figures show to be wrong

    def keep(self, name: str) -> Path:
        """Keep it for the lessons' pages, which show table and picture; the figures' file."""
        if self.picture:
            write(f"{name}.svg", self.picture)
            write(f"{name}.txt", self.table + "\n")
        return write(f"{name}.json", as_json({"python": platform.python_version(), **self.figures}))


def as_json(figures: dict) -> str:
    return json.dumps(figures, indent=2) + "\n"


def write(name: str, text: str) -> Path:
    file = settings.STATE_DIR / "bench" / name
    try:
        atomic_write.write(file, text.encode())
    except OSError as error:
        raise Lacking(f"The figures cannot be kept: {atomic_write.with_cure(error)}") from None
    return file
