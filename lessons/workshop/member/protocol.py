"""What a workshop and the room of its class send to each other, as JSON.

**Joining**: POST /room/join/ with {"code", "name"}. The answer is {"token", "name", "class"}. An
error is {"error": why, "field": which value is wrong} with 400, 403 (wrong code), 409 (the name is
taken, or the class is full) or 429 with Retry-After.

**The WebSocket** /room/student/ needs the header `Authorization: Bearer TOKEN`. Progress is a
state: after each connection the workshop sends all its standings, one for each lesson, and later
each one that changes. The room stores the last one. So nothing is counted or confirmed.

    → {"type": "standings", "standings": [STANDING]}
    → {"type": "reading", "lesson": slug}            the lesson whose page is open
    → {"type": "hand", "text": str or null}          null lowers the hand
    → {"type": "vote", "poll": id, "round": int, "answer": str}
    ← {"type": "state", ...}                         all that a student sees: see STATE
    ← {"type": "error", "text": str}                 the frame was not valid and changed nothing

The room closes with 4401 (the student was removed), 4404 (the class was deleted) or 4429 (too many
or too long frames). It rejects an unknown token with HTTP 403.
"""

import json
import unicodedata
from collections.abc import Callable
from contextlib import suppress

from lessons.workshop.course.lesson_index import lessons

REMOVED, CLASS_DELETED, TOO_MUCH = 4401, 4404, 4429
SWITCHES = ("hints", "solutions")  # what an instructor can hold back, in all lessons
STATES = ("new", "unchanged", "red", "green", "read")  # of a standing
MAX_FRAME = 262_144  # characters
MAX_CODE = 20_000
MAX_TEXT = 2_000  # of a message, and of a finding's detail
MAX_LABEL = 200  # of an answer, a title, a sentence with a raised hand
MAX_CLAIMS = 40
MAX_NAME = 40
MAX_ID = 2**53  # the largest integer that JavaScript counts exactly
MAX_SECONDS = 24 * 3600
MAX_OPTIONS = 8  # of a question that the instructor writes

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # two names could look alike

Check = Callable[[object], object]  # returns the valid value, or raises InvalidFrame


class InvalidFrame(ValueError):
    """A frame or a value that is not accepted. The text says why."""


class UnknownLesson(InvalidFrame):
    """The other side has another version of the course. What is about this lesson is left out."""


# Checks of values


def text(limit: int = MAX_LABEL, empty: bool = True) -> Check:
    def check(value):
        if not isinstance(value, str) or not (empty or value.strip()):
            raise InvalidFrame("must be a text.")
        if len(value) > limit:
            raise InvalidFrame(f"may have {limit:,} characters at most.")
        return storable(value)

    return check


def integer(low: int, high: int) -> Check:
    return _number(low, high, (int,))


def number(low: float, high: float) -> Check:
    return _number(low, high, (int, float))


def _number(low: float, high: float, types: tuple) -> Check:
    def check(value):
        if type(value) not in types or not low <= value <= high:  # NaN is not between them
            raise InvalidFrame(f"must be a number from {low} to {high}.")
        return value

    return check


def flag(value) -> bool:
    if not isinstance(value, bool):
        raise InvalidFrame("must be true or false.")
    return value


def one_of(*choices: str) -> Check:
    def check(value):
        if not isinstance(value, str) or value not in choices:
            raise InvalidFrame(f"must be one of {', '.join(choices)}.")
        return value

    return check


def lesson(value) -> str:
    if not isinstance(value, str):
        raise InvalidFrame("must be a text.")
    if value not in {one.slug for one in lessons()}:
        raise UnknownLesson("must be the slug of a lesson, such as stop.")
    return value


def optional(check: Check) -> Check:
    def check_or_none(value):
        with suppress(UnknownLesson):
            return None if value is None else check(value)

    return check_or_none


def many(check: Check, most: int) -> Check:
    def check_all(value):
        if not isinstance(value, list) or len(value) > most:
            raise InvalidFrame(f"must be a list of {most} at most.")
        found = []
        for one in value:
            with suppress(UnknownLesson):
                found.append(check(one))
        return found

    return check_all


def record(**checks: Check) -> Check:
    """An object with these values. What else it holds is left out."""

    def check(value):
        if not isinstance(value, dict):
            raise InvalidFrame("must be an object.")
        found = {}
        for name, check_value in checks.items():
            try:
                found[name] = check_value(value.get(name))
            except InvalidFrame as error:
                raise type(error)(f"`{name}` {error}") from None
        return found

    return check


# The frames

VERDICT = record(
    claims=many(record(claim=text(), state=one_of("green", "red", "not run")), MAX_CLAIMS),
    diagnosis=text(),
    message=text(MAX_TEXT),
    detail=text(MAX_TEXT),
)
STANDING = record(
    lesson=lesson,
    state=one_of(*STATES),
    was_green=flag,
    hints=integer(0, 100),
    verdict=optional(VERDICT),
    code=optional(text(MAX_CODE)),
)
PLACE = record(
    lesson=lesson,
    step=optional(text()),
    mistake=optional(text()),
    conversation=optional(text(4_000)),
)
STATE = record(
    messages=many(record(id=integer(1, MAX_ID), text=text(MAX_TEXT)), 10),
    held=many(one_of(*SWITCHES), 2),
    hand=flag,
    look=optional(record(id=integer(1, MAX_ID), place=PLACE)),
    timer=optional(record(seconds=number(0, MAX_SECONDS), label=text(), is_break=flag)),
    today=optional(many(lesson, 99)),
    poll=optional(
        record(
            id=integer(1, MAX_ID),
            round=integer(1, 99),
            state=one_of("open", "closed", "shown"),
            text=text(MAX_TEXT),
            options=many(text(), MAX_OPTIONS),
            lesson=optional(lesson),
            question=optional(integer(1, 99)),
            voted=optional(text()),
        )
    ),
)
STUDENT_FRAMES = {
    "standings": record(standings=many(STANDING, 99)),
    "reading": record(lesson=lesson),
    "hand": record(text=optional(text())),
    "vote": record(poll=integer(1, MAX_ID), round=integer(1, 99), answer=text(empty=False)),
}
ROOM_FRAMES = {"state": STATE, "error": record(text=text(MAX_TEXT))}
JOIN = record(code=text(40, empty=False), name=text(400, empty=False))


def parse(frame: str | None, frames: dict[str, Check]) -> tuple[str, dict]:
    """The type and the valid values of a frame. Raises InvalidFrame."""
    data = decode(frame)
    kind = data.get("type")
    return kind, record(type=one_of(*frames))(data) and frames[kind](data)


def decode(frame: str | bytes | None) -> dict:
    """A JSON object. Raises InvalidFrame."""
    if not frame or len(frame) > MAX_FRAME:  # before the parsing, which takes time
        raise InvalidFrame(f"Send a JSON object of {MAX_FRAME:,} characters at most.")
    try:
        data = json.loads(frame)
    except (ValueError, RecursionError):
        raise InvalidFrame("This is not JSON.") from None
    if not isinstance(data, dict):
        raise InvalidFrame("Send a JSON object.")
    return data


def storable(value: str) -> str:
    """The text with U+FFFD for what no database can store: U+0000 and half characters."""
    value = value.replace("\0", "\ufffd")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_name(name: str) -> str:
    """A student's name as the board shows it. Raises InvalidFrame."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        raise InvalidFrame("Write your name.")
    if len(name) > MAX_NAME:
        raise InvalidFrame(f"A name may have {MAX_NAME} characters at most.")
    if any(unicodedata.category(one) in _INVISIBLE or one == "\ufffd" for one in name):
        raise InvalidFrame("A name must not contain invisible characters.")
    if not any(unicodedata.category(one)[0] in "LN" for one in name):
        raise InvalidFrame("A name must contain a letter or a digit.")
    return name


def normal_code(code: str) -> str:
    """The class code as it is stored, whatever case, spaces and hyphens a person types."""
    plain = "".join(code.split()).replace("-", "").upper()
    return f"{plain[:4]}-{plain[4:]}"
