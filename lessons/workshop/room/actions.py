"""What students and instructors change. Each action is one transaction."""

import time
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from msgspec import Meta, ValidationError, convert, to_builtins
from msgspec.structs import asdict

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.mistakes import title_of
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.member import protocol
from lessons.workshop.member.protocol import Frame, Id, Label, Refused, Slug, is_lesson
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.room.models import Class, Student, Vote
from lessons.workshop.room.state import played_question

MAX_MESSAGES = 200  # that the room keeps
MAX_OPTIONS = 8  # of a question that the instructor writes
PROGRESS = {"state", "diagnosis"}  # a change of one of these is progress

Written = Annotated[protocol.Text, Meta(pattern=r"\S")]  # a text that is not empty


# A student


def take(student: Student, frame: protocol.FromStudent | None) -> None:
    """Do what a frame asks for. Raises an exception of Django if the student was deleted."""
    match frame:
        case protocol.Standing():
            save_standing(student, frame)
        case protocol.Reading(lesson) if is_lesson(lesson):
            Student.objects.filter(pk=student.pk).update(lesson=lesson)
        case protocol.Hand(text):
            set_hand(student, text)
        case protocol.Vote():
            vote(student, frame)


def save_standing(student: Student, reported: protocol.Standing) -> None:
    """Store the standing in a lesson. Raises IntegrityError if the student was deleted."""
    if not is_lesson(reported.lesson):
        return
    values = to_builtins(reported)
    del values["type"]
    with transaction.atomic():
        old = student.standings.filter(lesson=reported.lesson).first()
        changed = {name for name, value in values.items() if getattr(old, name, None) != value}
        if not changed:  # after each connection, a workshop sends all its standings
            return
        if changed & PROGRESS:
            values["changed"] = timezone.now()
        student.standings.update_or_create(lesson=reported.lesson, defaults=values)
        Student.objects.filter(pk=student.pk).update(lesson=reported.lesson)


def set_hand(student: Student, text: str | None) -> None:
    """Raise or lower the hand. A hand that is raised again keeps its time: the queue is fair."""
    row = Student.objects.get(pk=student.pk)
    row.hand_at = None if text is None else row.hand_at or timezone.now()
    row.hand = text
    row.save(update_fields=["hand", "hand_at"])


def vote(student: Student, given: protocol.Vote) -> None:
    """Store the student's answer, if the poll accepts it, and the student has given none."""
    with transaction.atomic():  # a poll that closes now counts this vote, or refuses it
        poll = Class.objects.get(students=student).poll
        asked = poll and (poll["id"], poll["round"], poll["state"])
        is_answer = poll and given.answer in (poll["options"] or [given.answer])
        if is_answer and asked == (given.poll, given.round, "open"):
            values = {"poll": given.poll, "round": given.round, "student": student}
            Vote.objects.get_or_create(**values, defaults={"answer": given.answer})


# An instructor. `do` changes the class, and `act` saves it.


def act(class_id: int, action: "Action") -> None:
    """Do what a board asks for. Raises Refused, and DoesNotExist of the class or its student."""
    with transaction.atomic():
        school_class = Class.objects.select_for_update().get(pk=class_id)
        action.do(school_class)
        school_class.last_activity = timezone.now()
        school_class.save()


def _new_id() -> int:
    """The time in microseconds: a page sees from a higher id, also of a new room, what is new."""
    return time.time_ns() // 1000


class LowerHand(Frame, tag="hand"):
    student: Id

    def do(self, school_class: Class) -> None:
        set_hand(school_class.students.get(pk=self.student), None)


class Remove(Frame, tag="remove"):
    student: Id

    def do(self, school_class: Class) -> None:
        school_class.students.get(pk=self.student).delete()
        kept = [one for one in school_class.messages if one["student"] != self.student]
        school_class.messages = kept


class Message(Frame, tag="message"):
    """To one student, or to all."""

    text: Written
    student: Id | None = None

    def do(self, school_class: Class) -> None:
        if self.student is not None:
            school_class.students.get(pk=self.student)
        message = {"id": _new_id(), "sent": time.time(), "text": self.text, "student": self.student}
        school_class.messages = [*school_class.messages, message][-MAX_MESSAGES:]


class Look(Frame, tag="look"):
    """At most one part of the lesson's page. Without a lesson, the class looks at nothing."""

    lesson: Slug | None = None
    step: Literal["predict", "see", "do"] | None = None
    mistake: Label | None = None
    conversation: Annotated[str, Meta(max_length=4_000)] | None = None

    def do(self, school_class: Class) -> None:
        if self.lesson and not is_lesson(self.lesson):
            raise Refused("There is no such lesson.")
        part = ("", "")
        if self.mistake:
            part = f"#mistake-{quote(self.mistake)}", f", mistake: {title_of(self.mistake)}"
        elif self.conversation:
            steps = [("step", step) for step in split_steps(self.conversation)]
            part = f"#{urlencode(steps)}", ", a conversation"
        elif self.step:
            part = f"#{self.step}", f", {self.step.title()}"
        look = asdict(protocol.Look(_new_id(), self.lesson, *part))
        school_class.look = look if self.lesson else None


class Hold(Frame, tag="hold"):
    what: protocol.Switch
    is_held: bool

    def do(self, school_class: Class) -> None:
        others = [one for one in school_class.held if one != self.what]
        school_class.held = [*others, self.what] if self.is_held else others


class Timer(Frame, tag="timer"):
    """0 minutes end the timer."""

    minutes: Annotated[float, Meta(ge=0, le=protocol.MAX_SECONDS / 60)]
    label: Label = ""
    is_break: bool = False

    def do(self, school_class: Class) -> None:
        ends = time.time() + 60 * self.minutes
        timer = {"ends": ends, "label": self.label, "is_break": self.is_break}
        school_class.timer = timer if self.minutes else None


class Today(Frame, tag="today"):
    """Without a start, the class has no plan."""

    lessons: tuple[Slug, ...] = ()
    start: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")] | None = None
    factor: Annotated[float, Meta(ge=0.5, le=5)] = 1  # of the course's minutes

    def do(self, school_class: Class) -> None:
        known = [one.slug for one in lessons() if one.slug in self.lessons]
        if self.start and not known:
            raise Refused("Choose a lesson.")
        today = {"lessons": known, "start": self.start, "factor": self.factor}
        school_class.today = today if self.start else None


# Polls: open → closed → shown → (again: open, in the next round) → none


class Ask(Frame, tag="ask"):
    """A question that the instructor writes. Commas separate the answers."""

    text: Written
    options: protocol.Text

    def do(self, school_class: Class) -> None:
        options = list(dict.fromkeys(filter(None, map(str.strip, self.options.split(",")))))
        is_long = any(len(one) > protocol.MAX_LABEL for one in options)
        if is_long or not 2 <= len(options) <= MAX_OPTIONS:
            raise Refused(f"A question needs two to {MAX_OPTIONS} short answers.")
        school_class.poll = asdict(protocol.Poll(_new_id(), self.text, options))


class Predict(Frame, tag="predict"):
    """A question of a lesson."""

    lesson: Slug
    question: Id

    def do(self, school_class: Class) -> None:
        question = played_question(self.lesson, self.question)
        html = markdown_to_html(question.prediction.question)
        poll = protocol.Poll(_new_id(), html, lesson=self.lesson, question=self.question)
        school_class.poll = asdict(poll)


POLL_ACTIONS = {  # in which states each is possible, and the state after it
    "close": ("open", "closed"),
    "show": ("open closed", "shown"),
    "again": ("closed shown", "open"),
    "end": ("open closed shown", None),
}


class ChangePoll(Frame, tag="poll"):
    action: Literal["close", "show", "again", "end"]

    def do(self, school_class: Class) -> None:
        poll = school_class.poll
        states, after = POLL_ACTIONS[self.action]
        if poll is None or poll["state"] not in states.split():
            raise Refused("The question is in another state now.")
        rounds = poll["round"] + (self.action == "again")
        school_class.poll = after and {**poll, "state": after, "round": rounds}


def from_form(form: QueryDict) -> "Action":
    """The action of a form, where an empty field stands for none. Raises Refused."""
    fields = {name: value for name, value in form.items() if value}
    try:
        fields |= {"lessons": form.getlist("lessons")}
        return convert(fields, Action, strict=False)
    except ValidationError as error:
        raise Refused(str(error)) from None


Action = LowerHand | Remove | Message | Look | Hold | Timer | Today | Ask | Predict | ChangePoll
