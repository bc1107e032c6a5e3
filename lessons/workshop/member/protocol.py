"""What a workshop and the room of its class send to each other, as JSON.

**Joining**: POST /room/join/ with Join. The answer is Joined, or NotJoined with HTTP 400.

**The WebSocket** /room/student/ needs the header `Authorization: Bearer TOKEN`. Progress is a
state: after each connection the workshop sends its standing in each lesson, and later each one that
changes. The room stores the last one. So nothing is counted or confirmed. A workshop
sends FromStudent, and the room sends State. The room ignores a frame that is not valid.

The room closes with 4401 (the student was removed) or 4404 (the class was deleted). It rejects an
unknown token with HTTP 403.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from lessons.workshop.course.lesson_index import lessons

REMOVED, CLASS_DELETED = 4401, 4404
SWITCHES = ("hints", "solutions")  # what an instructor can hold back, in all lessons
MAX_FRAME = 262_144  # characters
MAX_CODE = 20_000
MAX_TEXT = 2_000  # of a message, and of a finding's detail
MAX_LABEL = 200  # of an answer, a title, a sentence with a raised hand
MAX_CLAIMS = 40
MAX_SECONDS = 24 * 3600  # of a timer

Id = Annotated[int, Meta(ge=1, le=2**53)]  # JavaScript counts exactly to 2**53
Count = Annotated[int, Meta(ge=0, le=100)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Label = Annotated[str, Meta(max_length=MAX_LABEL)]
Slug = Annotated[str, Meta(max_length=40)]  # of a lesson, which the other side may not have
Switch = Literal[SWITCHES]


class Refused(ValueError):
    """What one side asks for and does not get. The text says why.

    `field` names the value of a form that it is about, or is "".
    """

    def __init__(self, text: str, field: str = ""):
        super().__init__(text)
        self.field = field


class Frame(Struct, tag_field="type"):
    """What a socket carries. Its `type` says which frame it is."""


class Join(Struct):
    code: Annotated[str, Meta(max_length=40)]
    name: Annotated[str, Meta(max_length=400)]


class Joined(Struct):
    token: Annotated[str, Meta(pattern=r"\A[\w-]{1,200}\Z")]  # a part of a header
    name: Label
    school_class: Label = msgspec.field(name="class")
    today: list[Slug] | None = None  # as in State: the first page after joining shows the plan


class NotJoined(Struct):
    error: str
    field: Literal["", "url", "code", "name"] = ""  # which value is wrong


# What a workshop sends


class Claim(Struct):
    claim: Label
    state: Literal["green", "red", "not run"]


class Standing(Frame, tag="standing"):
    """How far a student is in a lesson, with the claims and the first finding of the verdict."""

    lesson: Slug
    state: Literal["new", "unchanged", "red", "green", "read"]
    was_green: bool
    hints: Count
    claims: Annotated[list[Claim], Meta(max_length=MAX_CLAIMS)] = []
    diagnosis: Label = ""
    title: Label = ""  # of the diagnosis
    message: Text = ""
    detail: Text = ""
    code: Annotated[str, Meta(max_length=MAX_CODE)] | None = None  # None: it is not shared


class Reading(Frame, tag="reading"):
    """The lesson whose page is open."""

    lesson: Slug


class Hand(Frame, tag="hand"):
    """The sentence with a raised hand. None lowers the hand."""

    text: Label | None


class Vote(Frame, tag="vote"):
    poll: Id
    round: Id
    answer: Label


FromStudent = Standing | Reading | Hand | Vote


# What the room sends


class Message(Struct):
    id: Id
    text: Text


class Look(Struct):
    """What the instructor shows: a lesson, and perhaps a part of its page.

    `fragment` is "" or the end of the page's URL. `detail` tells the part in words.
    """

    id: Id
    lesson: Slug
    fragment: Annotated[str, Meta(max_length=MAX_CODE, pattern=r"\A(#.*)?\Z")] = ""
    detail: Text = ""


class Timer(Struct):
    seconds: Annotated[float, Meta(ge=0, le=MAX_SECONDS)]  # that are left: clocks differ
    label: Label
    is_break: bool


class Poll(Struct):
    """A written question has `options`, a question of a lesson has `lesson` and `question`.

    `text` is the question, for a lesson's question as HTML. `question` and `round` count from 1.
    """

    id: Id
    text: Text
    options: list[Label] = []
    lesson: Slug | None = None
    question: Count | None = None
    round: Id = 1
    state: Literal["open", "closed", "shown"] = "open"
    voted: Label | None = None


class State(Frame, tag="state"):
    """All that a student sees. `today` has the lessons of today's plan, None without one."""

    messages: list[Message] = []
    held: list[Switch] = []
    hand: bool = False
    look: Look | None = None
    timer: Timer | None = None
    today: list[Slug] | None = None
    poll: Poll | None = None


def decode(text: str | bytes | None, kind):
    """The record of this kind, or one of this union. Raises Refused."""
    if text is None or len(text) > MAX_FRAME:  # before the parsing, which takes time
        raise Refused(f"Send JSON of {MAX_FRAME:,} characters at most.")
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from None


def encode(record) -> str:
    return msgspec.json.encode(record).decode()


def is_lesson(slug: str | None) -> bool:
    """Whether this version of the course has the lesson. What is about another one is left out."""
    return slug in {one.slug for one in lessons()}
