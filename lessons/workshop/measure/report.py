"""What a benchmark reports: figures, a table in plain text, and a chart."""

import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from django.conf import settings

from lessons.workshop.setup import atomic_write


class MissingRequirement(Exception):
    """This machine lacks something that the benchmark needs. The message says how to install it."""


@dataclass(frozen=True)
class Options:
    """The options of the command. The benchmark chooses a value for each that is None."""

    rounds: int | None = None
    seconds: float | None = None
    lesson: str | None = None
    quick: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether no option changes what is measured. Only such figures are saved for the pages."""
        return self == Options()

    def rounds_or(self, usual: int, quick: int) -> int:
        return self.rounds or (quick if self.quick else usual)


@dataclass(frozen=True)
class Report:
    """The results of one benchmark: for programs, for a terminal, and as a chart."""

    figures: dict
    table: str
    chart: str = ""  # SVG
    fault: str = ""  # what the figures show to be wrong

    def save(self, name: str) -> Path:
        """Save table and chart for the lessons' pages, and the figures. Returns their file."""
        if self.chart:
            write(f"{name}.svg", self.chart)
            write(f"{name}.txt", self.table + "\n")
        return write(f"{name}.json", as_json({"python": platform.python_version(), **self.figures}))


class Column(NamedTuple):
    """A column of a table in plain text."""

    key: str  # of a row
    width: str  # with its alignment: "<24" or ">8"
    heading: str = ""
    unit: str = ""
    digits: str = ""  # format of a value: ".2f"


def text_table(columns: list[Column], rows: Iterable[dict], group_key: str = "") -> str:
    """The rows as lines of text. Rows with the same `group_key` stand under one title."""

    def line(texts: list[str]) -> str:
        cells = zip(columns, texts, strict=True)
        return "".join(f"{text:{column.width}}" for column, text in cells)

    heads = [[one.heading for one in columns], [one.unit for one in columns]]
    lines = [line(head) for head in heads if any(head)]
    group = None
    for row in rows:
        if group_key and row[group_key] != group:
            group = row[group_key]
            lines += ["", group]
        values = [(row[one.key], one.digits) for one in columns]
        lines.append(line(["" if value is None else f"{value:{form}}" for value, form in values]))
    return "\n".join(lines)


def median_ratio(values: list[float], peers: list[float]) -> float:
    """The median of each round's own ratio, because both meet the same load within a round.

    A round whose peer measured 0 is left out: nothing comes back on a machine that is too busy.
    """
    return median(mine / peer for mine, peer in zip(values, peers, strict=True) if peer)


def as_json(figures: dict) -> str:
    return json.dumps(figures, indent=2) + "\n"


def write(name: str, text: str) -> Path:
    file = settings.STATE_DIR / "bench" / name
    try:
        atomic_write.write(file, text.encode())
    except OSError as error:
        raise MissingRequirement(
            f"The figures cannot be saved: {atomic_write.explain_os_error(error)}"
        ) from None
    return file
