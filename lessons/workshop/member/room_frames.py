"""What a room may send to a workshop. A room is another machine: nothing else of it is used.

Each function returns a value of a known shape, and raises InvalidRoomFrame otherwise. Texts are
bounded. Lessons are known by their slugs, so a room can name only those of this workshop.
"""

import json
import math
from dataclasses import dataclass, field

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.member.protocol import (
    EVERY_LESSON,
    MAX_ANSWER,
    MAX_ANSWERS,
    MAX_CONVERSATION,
    MAX_FRAME,
    MAX_ID,
    MAX_LABEL,
    MAX_MESSAGE,
    MAX_ROUNDS,
    MAX_SEQUENCE,
    MAX_TIMER,
    storable_text,
)

POLL_STATES = ("open", "closed", "shown")
TYPES = ("welcome", "acknowledged", "error", "announcement", "state")


class InvalidRoomFrame(ValueError):
    """The room has sent what no room sends."""


@dataclass(frozen=True)
class ClassState:
    """The state of the class, as the frame `state` has it."""

    hints_held: list[str] = field(default_factory=list)
    solutions_held: list[str] = field(default_factory=list)
    hand: bool = False
    look: dict | None = None
    timer: dict | None = None  # {"seconds", "label"}
    poll: dict | None = None


def parse_frame(text: str | bytes) -> dict:
    """A frame, with its `type` in TYPES."""
    if not isinstance(text, str) or len(text) > MAX_FRAME:
        raise InvalidRoomFrame("not a text of a valid length")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRoomFrame("not JSON") from None
    if not isinstance(frame, dict) or frame.get("type") not in TYPES:
        raise InvalidRoomFrame("no known type")
    return frame


def sequence(frame: dict, name: str = "sequence") -> int:
    return _integer(frame.get(name), 0, MAX_SEQUENCE)


def announcement(frame: dict) -> tuple[int, str, dict]:
    """Its id, its kind, and {"text"} or a place to look at."""
    number, data = _integer(frame.get("id"), 1, MAX_ID), _object(frame.get("data"))
    if frame.get("kind") == "message":
        return number, "message", {"text": text(data.get("text"), MAX_MESSAGE)}
    if frame.get("kind") == "look":
        return number, "look", place(data)
    raise InvalidRoomFrame("an announcement of no known kind")


def place(data: dict) -> dict:
    """What to look at: {"lesson"} and perhaps `step`, `mistake` and `conversation`."""
    found = {"lesson": _slug(data.get("lesson"))}
    for name, limit in (
        ("step", MAX_LABEL),
        ("mistake", MAX_LABEL),
        ("conversation", MAX_CONVERSATION),
    ):
        if data.get(name):
            found[name] = text(data[name], limit)
    return found


def class_state(frame: dict) -> ClassState:
    hand, look, timer, poll = (frame.get(name) for name in ("hand", "look", "timer", "poll"))
    if not isinstance(hand, bool):
        raise InvalidRoomFrame("hand")
    return ClassState(
        _held(frame.get("hints_held")),
        _held(frame.get("solutions_held")),
        hand,
        None if look is None else place(_object(look)),
        None if timer is None else _timer(_object(timer)),
        None if poll is None else _poll(_object(poll)),
    )


def text(value, limit: int) -> str:
    """The text, without what could not be shown."""
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidRoomFrame("not a text of a valid length")
    return storable_text(value)


def _held(value) -> list[str]:
    if value == [EVERY_LESSON]:
        return value
    if not isinstance(value, list) or len(value) > MAX_ANSWERS:
        raise InvalidRoomFrame("not a list of lessons")
    known = {lesson.slug for lesson in lessons()}  # another version of the course may have more
    return [one for one in value if isinstance(one, str) and one in known]


def _timer(data: dict) -> dict:
    seconds = data.get("seconds")
    if type(seconds) not in (int, float) or not math.isfinite(seconds):
        raise InvalidRoomFrame("seconds")
    label = text(data.get("label", ""), MAX_LABEL)
    return {"seconds": min(max(float(seconds), 0.0), float(MAX_TIMER)), "label": label}


def _poll(data: dict) -> dict:
    state, voted, rounds = data.get("state"), data.get("voted"), data.get("rounds")
    if state not in POLL_STATES:
        raise InvalidRoomFrame("the state of a poll")
    return {
        "id": _integer(data.get("id"), 1, MAX_ID),
        "lesson": _slug(data.get("lesson")),
        "question": _integer(data.get("question"), 1, 99),
        "round": _integer(data.get("round"), 1, MAX_ROUNDS),
        "state": state,
        "voted": None if voted is None else text(voted, MAX_ANSWER),
        "rounds": None if rounds is None else _rounds(rounds),
    }


def _rounds(value) -> list[dict[str, int]]:
    if not isinstance(value, list) or len(value) > MAX_ROUNDS:
        raise InvalidRoomFrame("rounds")
    for counts in value:
        if not isinstance(counts, dict) or len(counts) > MAX_ANSWERS:
            raise InvalidRoomFrame("a round")
    return [
        {text(key, MAX_ANSWER): _integer(count, 0, MAX_ID) for key, count in counts.items()}
        for counts in value
    ]


def _slug(value) -> str:
    if not isinstance(value, str) or value not in {lesson.slug for lesson in lessons()}:
        raise InvalidRoomFrame("a lesson that this workshop does not have")
    return value


def _object(value) -> dict:
    if not isinstance(value, dict):
        raise InvalidRoomFrame("not an object")
    return value


def _integer(value, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise InvalidRoomFrame("not an integer of a valid size")
    return value
