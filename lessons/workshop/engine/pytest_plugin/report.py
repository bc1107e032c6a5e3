"""The text of a fault: what, where, why, and how to fix it."""

import os
import traceback
from functools import cache
from pathlib import Path
from types import TracebackType

from ..faults.diagnoses import Diagnosis, advice, diagnose, read_catalogue
from ..faults.finding import Finding
from ..scheduling.blocking_calls import is_students

# The catalogue of the course: a copy in the wheel, beside the course's own module otherwise.
_FOLDERS = (
    Path(__file__).with_name("diagnoses"),
    Path(__file__).parents[2] / "course" / "diagnoses",
)


class ConsumerFault(AssertionError):
    """The project's code broke a rule of Daphne, raised, or left something behind.

    `finding` has the id of its diagnosis and the place.
    """

    def __init__(self, finding: Finding, client: int | None = None):
        self.finding = diagnose(finding, _catalogue())
        self.client = client
        super().__init__(_text(self.finding))


@cache
def _catalogue() -> dict[str, Diagnosis]:
    return read_catalogue(next(folder for folder in _FOLDERS if folder.is_dir()))


def _text(finding: Finding) -> str:
    known, diagnosis = advice(finding, _catalogue()), _catalogue()[finding.diagnosis]
    title = _catalogue()[finding.seen or finding.diagnosis].title
    lines = [title, f"  {place_text(finding)}"]
    lines += [f"  {line}" for line in finding.detail.splitlines()]
    if diagnosis.id != "exception":
        labels = ("Usually", "If so") if known.is_usual else ("Cause", "Fix")
        lines += [f"  {labels[0]}: {known.cause}", f"  {labels[1]}: {known.cure}"]
    return "\n".join([*lines, f"  [{diagnosis.id}]"])


def place_text(finding: Finding) -> str:
    """`chat/consumers.py:31, in Chat.receive, on websocket.receive`."""
    file = finding.file
    if file:
        with_dots = os.path.relpath(file)
        file = file if with_dots.startswith("..") else with_dots
    line = f"{file}:{finding.line}" if finding.line else file
    handler = f"in {finding.handler}" if finding.handler else ""
    event = f"on {finding.event}" if finding.event else ""
    return ", ".join(filter(None, (line, handler, event))) or "(no line of the project)"


def shortened(error: BaseException | None) -> BaseException | None:
    """The exception, with only the project's lines in its traceback if it has any."""
    if error is None:
        return None
    lines, last = [*traceback.walk_tb(error.__traceback__)], None
    own = [(frame, line) for frame, line in lines if is_students(frame.f_code.co_filename)]
    for frame, line in reversed(own or lines[-1:]):
        last = TracebackType(last, frame, frame.f_lasti, line)
    shortened(error.__cause__ or error.__context__)
    return error.with_traceback(last)
