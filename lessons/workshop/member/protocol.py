"""What the students' machines, the boards and the room send to each other.

Each text frame holds one JSON object with a `type`. A frame of a client that is not valid is
answered with {"type": "error", "text": why}, and changes nothing; where the frame has a `request`
(any integer, chosen by the client) or a `sequence`, the error repeats it.

**Joining**: POST /room/join/ with {"code", "name", "place", "shares_code"}. `name`, `place` and
`shares_code` may be missing. Without a name, or in a class of pseudonyms, the room chooses one. The
answer is {"token", "place", "name", "class"}; for a student who returns with a place, `place` is
the same again. An error is {"error": why} with 400, 403 (wrong code or place), 409 (the name is
taken, or the class is full), 429 or 503 with Retry-After. With 403 and 409 it has `field` too:
which of "code", "name" and "place" is wrong.

**A student's machine** opens /room/student/ with the header `Authorization: Bearer TOKEN`. A frame
may have 262,144 characters. It sends, first of all:

{"type": "hello", "device": str, "after": int}
    `device` is a random text of this machine, `after` the id of its last announcement, or 0.
{"type": "report", "sequence": int, "lesson": slug, "state": "new"|"red"|"green", "was_green": bool,
 "is_read": bool, "hints": int, "verdict": object|null, "code": str|null}
    `sequence` counts this device's reports from 1. `verdict` is Verdict.as_json(), of which the
    sender may leave out the transcripts. `code` is stored only for students who share it.
{"type": "hand", "raised": bool}
{"type": "vote", "poll": int, "round": int, "answer": str}

and it receives

{"type": "welcome", "class": str, "name": str, "acknowledged": int, "state": {...}}
    `acknowledged` is the highest stored sequence of this device, 0 for none.
{"type": "acknowledged", "sequence": int}
    The report is stored, now or before.
{"type": "error", "text": str, "sequence": int}
    With a sequence: this report will never be stored. Do not send it again.
{"type": "announcement", "id": int, "kind": "message"|"look", "data": {...}}
    A message's data is {"text"}. A look's data is {"lesson"} and, if the board named them, `step`,
    `mistake` and `conversation`. Ids grow, but have gaps.
{"type": "state", "hints_held": [slug]|["*"], "solutions_held": [slug]|["*"], "hand": bool,
 "look": {"lesson", ...}|null, "timer": {"seconds": float, "ends": ISO time, "label": str}|null,
 "poll": {...}|null}
    The whole state, after each change. `seconds` are those that are left; a client should count
    them down itself, because its clock may differ from the room's.
    `poll` is {"id", "lesson", "question", "round", "state": "open"|"closed"|"shown", "voted":
    answer|null, "rounds": [{answer: count}, ...]|null}; the counts only while it is shown, and of
    each round only the most frequent answers. A poll has 20 rounds at most.

The room closes with 4400 (a frame before `hello`, or too many bad frames), 4401 (the student
was deleted), 4404 (the class was deleted) or 4429 (too many frames). 403 rejects the handshake: a
missing or unknown token, or another site's Origin. Daphne closes with 1011 when the room has lost
Redis; it closes with 1009 for a message above its limit.

**A board** opens /ws/room/board/CLASS_ID/ with the session of a staff account. It receives

{"type": "snapshot", "class": CLASS, "students": [ROW], "lessons": [{"slug", "number", "title"}],
 "poll": POLL|null}
{"type": "rows", "students": [ROW]}     changed rows; at most one frame in 200 ms
{"type": "gone", "students": [id]}      students who were deleted
{"type": "class", "class": CLASS, "poll": POLL|null}
{"type": "done", "request"?}, {"type": "error", "text", "request"?}
    CLASS is {"id", "name", "code", "hints_held", "solutions_held", "look", "timer", "pseudonyms"}.
    POLL is a student's poll without `voted`, always with `rounds`, and `students`: their number.
    ROW is {"id", "name", "number", "version", "standings": {slug: "new"|"red"|"green"|"read"},
    "done": [slug], "lesson": slug|null, "state", "diagnosis", "headline", "hints": int,
    "progress_at": ISO time|null, "joined": ISO time, "hand": ISO time|null, "connected": bool,
    "shares_code": bool}. `state`, `diagnosis`, `headline` and `hints` are those of `lesson`, the
    last one reported; `done` lists lessons that were green once, or whose solution was read.

and sends, each with an optional `request`,

{"type": "hand", "student": id, "raised": false}
{"type": "message", "student": id|null, "text": str}    null: to all; 1,000 characters at most
{"type": "look", "lesson": slug, "step"?: str, "mistake"?: str, "conversation"?: str}
{"type": "look", "lesson": null}                        points at nothing any more
{"type": "hold"|"release", "what": "hints"|"solutions", "lesson": slug|"*"}
{"type": "timer", "seconds": int, "label"?: str}        0 ends it
{"type": "poll", "action": "open", "lesson": slug, "question": int}
{"type": "poll", "action": "close"|"show"|"again"|"end"}
{"type": "remove", "student": id}                       deletes the student and all reports

The room closes a board with 4401 (not logged in as staff, or not any more), 4404 (class deleted) or
4503 (a fault of the room: connect again).
"""

import json
import math
import unicodedata
from dataclasses import dataclass

from lessons.workshop.course import lesson_index
from lessons.workshop.student.progress import STATES

EVERY_LESSON = "*"  # instead of the slugs of lessons whose hints or solutions are held
MAX_FRAME = 262_144  # characters
MAX_DEPTH = 24  # of objects and lists in one frame
MAX_SEQUENCE = 2**53  # the largest that JavaScript counts exactly
MAX_NAME = 40
MAX_MESSAGE = 1_000
MAX_ANSWER = 200
MAX_CONVERSATION = 4_000
MAX_LABEL = 80
MAX_TIMER = 24 * 3600  # seconds
MAX_HINTS = 100
MAX_ROUNDS = 20  # of a poll
MAX_ANSWERS = 500  # different ones of a round, that a student's machine receives
MAX_ROUND = 8_000  # characters of these answers, so that all rounds fit into one frame
MAX_ID = 2**63 - 1

BAD_FRAME, LOGGED_OUT, CLASS_DELETED, TOO_MANY_FRAMES = 4400, 4401, 4404, 4429
CONNECT_AGAIN = 4503  # an application may not close with 1011: Daphne refuses the code
SWITCHES = ("hints", "solutions")
POLL_ACTIONS = ("open", "close", "show", "again", "end")

# These change the direction of text or have no width, so two names could look alike.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class InvalidFrame(ValueError):
    """A frame that the room does not accept; the text says why.

    `details` are the frame's `request` and `sequence`, as far as they are known.
    """

    def __init__(self, text: str, details: dict | None = None):
        super().__init__(text)
        self.details = details or {}


@dataclass(frozen=True)
class Frame:
    """A valid frame: its type, its values, and the sender's `request` or `sequence`."""

    type: str
    values: dict
    details: dict


def parse_student_frame(text: str | None) -> Frame:
    """What a student's machine has sent. Raises InvalidFrame."""
    return _parse(text, STUDENT_FRAMES)


def parse_board_frame(text: str | None) -> Frame:
    """What a board has sent. Raises InvalidFrame."""
    return _parse(text, BOARD_FRAMES)


def parse_join(body: bytes) -> dict:
    """`code`, `name`, `place`, `shares_code` of a request to join. Raises InvalidFrame."""
    try:
        data = _decode(body.decode())
    except UnicodeDecodeError:
        raise InvalidFrame("Send JSON in UTF-8.") from None
    return {
        "code": _text(data, "code", 40),
        "name": clean_name(_text(data, "name", 400, optional=True)),
        "place": _text(data, "place", 40, optional=True),
        "shares_code": _flag(data, "shares_code", optional=True),
    }


def _parse(text: str | None, parsers: dict) -> Frame:
    data = _decode(text)
    details = {name: data[name] for name in ("request", "sequence") if _is_integer(data.get(name))}
    try:
        kind = data.get("type")
        if not isinstance(kind, str) or kind not in parsers:
            raise InvalidFrame(f"`type` must be one of {', '.join(parsers)}.")
        return Frame(kind, parsers[kind](data), details)
    except InvalidFrame as error:
        raise InvalidFrame(str(error), details) from None


def _decode(text: str | None) -> dict:
    """A JSON object whose texts every database can store. Raises InvalidFrame."""
    if not text:
        raise InvalidFrame("Send JSON in a text frame.")
    if len(text) > MAX_FRAME:  # before the parsing, which takes time
        raise InvalidFrame(f"A frame may have {MAX_FRAME:,} characters at most.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame("This frame is not JSON.") from None
    if not isinstance(data, dict):
        raise InvalidFrame("A frame must be a JSON object.")
    return _storable(data, MAX_DEPTH)


def _storable(value, depth: int):
    """The value without what a database refuses: U+0000, half characters, numbers without end."""
    if depth == 0:
        raise InvalidFrame(f"A frame may be {MAX_DEPTH} levels deep at most.")
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {storable_text(key): _storable(one, depth - 1) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFrame("A frame must not contain NaN or Infinity.")
    return value


def storable_text(text: str) -> str:
    """The text with U+FFFD for what no database can store: U+0000 and half characters."""
    text = text.replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_name(name: str) -> str:
    """A name as the board shows it; "" for none. Raises InvalidFrame."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if len(name) > MAX_NAME:
        raise InvalidFrame(f"A name may have {MAX_NAME} characters at most.")
    if any(unicodedata.category(one) in _INVISIBLE or one == "\ufffd" for one in name):
        raise InvalidFrame("A name must not contain invisible characters.")
    if name and not any(unicodedata.category(one)[0] in "LN" for one in name):
        raise InvalidFrame("A name must contain a letter or a digit.")
    return name


def name_key(name: str) -> str:
    """The same text for names that differ in case or in the width of letters only."""
    return unicodedata.normalize("NFKC", name.casefold()).casefold()[:120]


# Values


def _is_integer(value) -> bool:
    return type(value) is int and -MAX_ID <= value <= MAX_ID


def _integer(data: dict, name: str, low: int, high: int) -> int:
    value = data.get(name)
    if not _is_integer(value) or not low <= value <= high:
        raise InvalidFrame(f"`{name}` must be an integer from {low} to {high}.")
    return value


def _flag(data: dict, name: str, optional: bool = False) -> bool:
    value = data.get(name)
    if value is None and optional:
        return False
    if not isinstance(value, bool):
        raise InvalidFrame(f"`{name}` must be true or false.")
    return value


def _text(data: dict, name: str, limit: int, optional: bool = False) -> str:
    value = data.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (optional or value.strip()):
        raise InvalidFrame(f"`{name}` must be a text.")
    if len(value) > limit:
        raise InvalidFrame(f"`{name}` may have {limit:,} characters at most.")
    return value


def _choice(data: dict, name: str, choices) -> str:
    value = data.get(name)
    if not isinstance(value, str) or value not in choices:
        raise InvalidFrame(f"`{name}` must be one of {', '.join(choices)}.")
    return value


def _lesson(data: dict, *more: str) -> str:
    value = data.get("lesson")
    if isinstance(value, str) and value in {*more, *(one.slug for one in lesson_index.lessons())}:
        return value
    raise InvalidFrame("`lesson` must be the slug of a lesson, such as stop.")


def _student(data: dict) -> int:
    return _integer(data, "student", 1, MAX_ID)


# The frames of a student's machine


def _hello(data: dict) -> dict:
    return {"device": _text(data, "device", 64), "after": _integer(data, "after", 0, MAX_ID)}


def _report(data: dict) -> dict:
    verdict, code = data.get("verdict"), data.get("code")
    if not isinstance(verdict, dict | None):
        raise InvalidFrame("`verdict` must be an object or null.")
    if not isinstance(code, str | None):
        raise InvalidFrame("`code` must be a text or null.")
    return {
        "sequence": _integer(data, "sequence", 1, MAX_SEQUENCE),
        "lesson": _lesson(data),
        "state": _choice(data, "state", STATES),
        "was_green": _flag(data, "was_green"),
        "is_read": _flag(data, "is_read"),
        "hints": _integer(data, "hints", 0, MAX_HINTS),
        "verdict": verdict,
        "code": code,
    }


def _hand(data: dict) -> dict:
    return {"raised": _flag(data, "raised")}


def _vote(data: dict) -> dict:
    return {
        "poll": _integer(data, "poll", 1, MAX_ID),
        "round": _integer(data, "round", 1, MAX_ROUNDS),
        "answer": _text(data, "answer", MAX_ANSWER),
    }


STUDENT_FRAMES = {"hello": _hello, "report": _report, "hand": _hand, "vote": _vote}


# The frames of a board


def _lower_hand(data: dict) -> dict:
    if _flag(data, "raised"):
        raise InvalidFrame("A board can only lower a hand.")
    return {"student": _student(data)}


def _message(data: dict) -> dict:
    to_all = data.get("student") is None
    return {"student": None if to_all else _student(data), "text": _text(data, "text", MAX_MESSAGE)}


def _look(data: dict) -> dict:
    if data.get("lesson") is None:
        return {"data": None}
    place = {
        "lesson": _lesson(data),
        "step": _text(data, "step", MAX_LABEL, optional=True),
        "mistake": _text(data, "mistake", MAX_LABEL, optional=True),
        "conversation": _text(data, "conversation", MAX_CONVERSATION, optional=True),
    }
    return {"data": {name: value for name, value in place.items() if value}}


def _switch(data: dict) -> dict:
    return {"what": _choice(data, "what", SWITCHES), "lesson": _lesson(data, "*")}


def _timer(data: dict) -> dict:
    label = _text(data, "label", MAX_LABEL, optional=True)
    return {"seconds": _integer(data, "seconds", 0, MAX_TIMER), "label": label}


def _poll(data: dict) -> dict:
    action = _choice(data, "action", POLL_ACTIONS)
    if action != "open":
        return {"action": action}
    return {
        "action": action,
        "lesson": _lesson(data),
        "question": _integer(data, "question", 1, 99),
    }


def _remove(data: dict) -> dict:
    return {"student": _student(data)}


BOARD_FRAMES = {
    "hand": _lower_hand,
    "message": _message,
    "look": _look,
    "hold": _switch,
    "release": _switch,
    "timer": _timer,
    "poll": _poll,
    "remove": _remove,
}
