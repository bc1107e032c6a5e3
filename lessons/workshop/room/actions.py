"""What students and instructors change. Each action is one transaction."""

import re
import time

from django.db import IntegrityError, transaction
from django.utils import timezone

from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.member.protocol import (
    MAX_ID,
    MAX_OPTIONS,
    MAX_SECONDS,
    MAX_TEXT,
    PLACE,
    SWITCHES,
    InvalidFrame,
    flag,
    integer,
    lesson,
    many,
    number,
    one_of,
    optional,
    record,
    text,
)
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.room.models import Class, Poll, Standing, Student, Vote
from lessons.workshop.room.state import current_poll

MAX_ROUNDS = 20  # of a poll
MAX_TITLE = 300  # characters
PROGRESS = ("state", "diagnosis")  # a change of one of these is progress


# A student


def save_standings(student: Student, standings: list[dict]) -> None:
    """Store the standings of these lessons. Raises IntegrityError if the student was deleted."""
    with transaction.atomic():
        names = [one["lesson"] for one in standings]
        old = student.standings.filter(lesson__in=names).only("lesson", *PROGRESS, "changed")
        known = {one.lesson: one for one in old}
        rows = [_row(student, one, known.get(one["lesson"])) for one in standings]
        Standing.objects.bulk_create(
            {row.lesson: row for row in rows}.values(),
            update_conflicts=True,
            unique_fields=["student", "lesson"],
            update_fields=(*PROGRESS, "title", "was_green", "hints", "verdict", "code", "changed"),
        )
        if len(standings) == 1:  # a change, not all that a workshop sends after it has connected
            Student.objects.filter(pk=student.pk).update(lesson=standings[0]["lesson"])


def _row(student: Student, values: dict, old: Standing | None) -> Standing:
    verdict = values["verdict"] or {"diagnosis": "", "message": ""}
    known = diagnoses().get(verdict["diagnosis"])
    title = known.title if known else verdict["message"][:MAX_TITLE]
    row = Standing(student=student, diagnosis=verdict["diagnosis"], title=title, **values)
    if old and all(getattr(old, name) == getattr(row, name) for name in PROGRESS):
        row.changed = old.changed
    return row


def set_reading(student: Student, lesson: str) -> None:
    Student.objects.filter(pk=student.pk).update(lesson=lesson)


def set_hand(student: Student, text: str | None) -> None:
    """Raise or lower the hand. A hand that is raised again keeps its time: the queue is fair."""
    row = Student.objects.get(pk=student.pk)
    row.hand_at = None if text is None else row.hand_at or timezone.now()
    row.hand = text
    row.save(update_fields=["hand", "hand_at"])


def vote(student: Student, poll: int, round: int, answer: str) -> None:
    """Store the student's answer. Raises InvalidFrame if the poll does not accept it."""
    try:
        with transaction.atomic():  # a poll that closes now counts this vote, or refuses it
            found = current_poll(student.school_class_id)
            if found is None or (found.pk, found.round, found.state) != (poll, round, "open"):
                raise InvalidFrame("This poll does not accept answers any more.")
            if found.options and answer not in found.options:
                raise InvalidFrame("The question has no such answer.")
            Vote.objects.create(poll=found, student_id=student.pk, round=round, answer=answer)
    except IntegrityError:
        raise InvalidFrame("You have answered this question in this round.") from None


# An instructor


def act(class_id: int, data: dict) -> None:
    """Do what a board asks for. Raises InvalidFrame, and Class.DoesNotExist."""
    kind = record(type=one_of(*ACTIONS))(data)["type"]
    check, action = ACTIONS[kind]
    values = check(data)
    with transaction.atomic():
        school_class = Class.objects.get(pk=class_id)
        action(school_class, **values)
        school_class.last_activity = timezone.now()
        school_class.save()


def _student(school_class: Class, student: int) -> Student:
    found = school_class.students.filter(pk=student).first()
    if found is None:
        raise InvalidFrame("This class has no such student.")
    return found


def _lower_hand(school_class: Class, student: int) -> None:
    set_hand(_student(school_class, student), None)


def _message(school_class: Class, student: int | None, text: str) -> None:
    to = None if student is None else _student(school_class, student)
    school_class.messages.create(student=to, text=text)


def _remove(school_class: Class, student: int) -> None:
    _student(school_class, student).delete()


def _look(school_class: Class, place: dict | None) -> None:
    # A page opens the place when it sees a higher id, also after the room has restarted.
    school_class.look = place and {"id": round(time.time() * 1000), "place": place}


def _hold(school_class: Class, what: str, is_held: bool) -> None:
    school_class.held = [
        one for one in SWITCHES if (is_held if one == what else one in school_class.held)
    ]


def _timer(school_class: Class, seconds: int, label: str, is_break: bool) -> None:
    ends = time.time() + seconds
    school_class.timer = (seconds and {"ends": ends, "label": label, "is_break": is_break}) or None


def _today(school_class: Class, lessons: list[str], start: str, factor: float) -> None:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", start):
        raise InvalidFrame("Write the start as 09:00.")
    ordered = sorted(set(lessons), key=lambda slug: find(slug).number)
    today = {"lessons": ordered, "start": start, "factor": factor}
    school_class.today = today if ordered else None


# Polls: open → closed → shown → (again: open, in the next round) → ended


def _ask(school_class: Class, text: str, options: list[str]) -> None:
    options = list(dict.fromkeys(filter(None, map(str.strip, options))))
    if len(options) < 2:
        raise InvalidFrame("A question needs two answers at least.")
    _open(school_class, text=text, options=options)


def _predict(school_class: Class, lesson: str, question: int) -> None:
    known = predictions(find(lesson))
    if question > len(known):
        raise InvalidFrame(f"The lesson {lesson} has {len(known)} questions.")
    html = markdown_to_html(known[question - 1].question)
    _open(school_class, text=html, lesson=lesson, question=question)


def _open(school_class: Class, **values) -> None:
    school_class.polls.exclude(state="ended").update(state="ended")
    school_class.polls.create(**values)


NEXT_STATES = {"close": "closed", "show": "shown", "again": "open", "end": "ended"}


def _poll(school_class: Class, action: str) -> None:
    poll: Poll | None = current_poll(school_class.pk)
    is_open = poll is not None and poll.state == "open"
    if poll is None or (action == "close" and not is_open) or (action == "again" and is_open):
        raise InvalidFrame("The poll is in another state now.")
    if action == "again":
        if poll.round >= MAX_ROUNDS:
            raise InvalidFrame(f"A poll has {MAX_ROUNDS} rounds at most. Open a new one.")
        poll.round += 1
    poll.state = NEXT_STATES[action]
    poll.save()


STUDENT = integer(1, MAX_ID)
ACTIONS = {  # type → (the check of its values, the function that gets them)
    "hand": (record(student=STUDENT), _lower_hand),
    "message": (record(student=optional(STUDENT), text=text(MAX_TEXT, empty=False)), _message),
    "remove": (record(student=STUDENT), _remove),
    "look": (record(place=optional(PLACE)), _look),
    "hold": (record(what=one_of(*SWITCHES), is_held=flag), _hold),
    "timer": (record(seconds=integer(0, MAX_SECONDS), label=text(), is_break=flag), _timer),
    "today": (
        record(lessons=many(lesson, 99), start=text(5), factor=number(0.5, 5)),
        _today,
    ),
    "ask": (record(text=text(MAX_TEXT, empty=False), options=many(text(), MAX_OPTIONS)), _ask),
    "predict": (record(lesson=lesson, question=integer(1, 99)), _predict),
    "poll": (record(action=one_of(*NEXT_STATES)), _poll),
}
