"""What an instructor does on the board. Each action is a transaction, and says what it changed."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from lessons.workshop.course import lesson_index
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.member.protocol import EVERY_LESSON, MAX_ROUNDS, Frame, InvalidFrame
from lessons.workshop.room.models import Announcement, Class, Poll, Student
from lessons.workshop.room.store.class_state import current_poll


@dataclass(frozen=True)
class Change:
    """Who must look again: all students of the class, or one. The boards always look.

    They look at the row of `student` or `row`, and at the class if it has changed.
    """

    to_all: bool = False
    student: int | None = None
    row: int | None = None
    class_changed: bool = False


def act(class_id: int, frame: Frame) -> Change:
    """Do what a valid frame of a board asks for. Raises InvalidFrame, and Class.DoesNotExist."""
    with transaction.atomic():
        # The lock puts announcements into the order of their ids, and polls after each other.
        school_class = Class.objects.select_for_update().get(pk=class_id)
        Class.objects.filter(pk=class_id).update(last_activity=timezone.now())
        return _ACTIONS[frame.type](school_class, **frame.values)


def _student(school_class: Class, id: int) -> Student:
    student = school_class.students.filter(pk=id).first()
    if student is None:
        raise InvalidFrame("This class has no such student.")
    return student


def _save(school_class: Class, **values) -> Change:
    for name, value in values.items():
        setattr(school_class, name, value)
    school_class.version += 1
    school_class.save(update_fields=[*values, "version"])
    return Change(to_all=True, class_changed=True)


def _lower_hand(school_class: Class, student: int) -> Change:
    row = _student(school_class, student)
    Student.objects.filter(pk=row.pk).update(hand_raised_at=None, version=F("version") + 1)
    return Change(student=row.pk)


def _message(school_class: Class, student: int | None, text: str) -> Change:
    to = None if student is None else _student(school_class, student)
    Announcement.objects.create(
        school_class=school_class, student=to, kind="message", data={"text": text}
    )
    return Change(to_all=to is None, student=student)


def _look(school_class: Class, data: dict | None) -> Change:
    if data is not None:
        Announcement.objects.create(school_class=school_class, kind="look", data=data)
    return _save(school_class, look=data)


def _hold(school_class: Class, what: str, lesson: str) -> Change:
    held = getattr(school_class, f"{what}_held")
    if lesson == EVERY_LESSON:
        return _save(school_class, **{f"{what}_held": [EVERY_LESSON]})
    return _save(school_class, **{f"{what}_held": _in_order({*_slugs(held), lesson})})


def _release(school_class: Class, what: str, lesson: str) -> Change:
    held = getattr(school_class, f"{what}_held")
    kept = set() if lesson == EVERY_LESSON else _slugs(held) - {lesson}
    return _save(school_class, **{f"{what}_held": _in_order(kept)})


def _slugs(held: list[str]) -> set[str]:
    every = {one.slug for one in lesson_index.lessons()}
    return every if held == [EVERY_LESSON] else set(held)


def _in_order(slugs: set[str]) -> list[str]:
    every = [one.slug for one in lesson_index.lessons()]
    return [EVERY_LESSON] if slugs >= set(every) else [slug for slug in every if slug in slugs]


def _timer(school_class: Class, seconds: int, label: str) -> Change:
    ends = timezone.now() + timedelta(seconds=seconds) if seconds else None
    return _save(school_class, timer_ends=ends, timer_label=label)


def _remove(school_class: Class, student: int) -> Change:
    Student.objects.select_for_update().filter(pk=student).first()  # a report locks it, too
    _student(school_class, student).delete()
    return Change(student=student, class_changed=True)


# Polls: open → closed → shown → (again: open, in the next round) → ended


def _poll(school_class: Class, action: str, **values) -> Change:
    current = current_poll(school_class.pk)
    if action == "open":
        _open(school_class, current, **values)
    elif current is None:
        raise InvalidFrame("No poll is open.")
    else:
        _POLL_ACTIONS[action](current)
        current.save()
    return _save(school_class)


def _open(school_class: Class, current: Poll | None, lesson: str, question: int) -> None:
    count = len(predictions(lesson_index.find(lesson)))
    if question > count:
        raise InvalidFrame(f"The lesson {lesson} has {count} questions.")
    if current is not None:
        _end(current)
        current.save()
    Poll.objects.create(school_class=school_class, lesson=lesson, question=question)


def _close(poll: Poll) -> None:
    if poll.state != "open":
        raise InvalidFrame("The poll is not open.")
    poll.state = "closed"


def _show(poll: Poll) -> None:
    poll.state = "shown"


def _again(poll: Poll) -> None:
    if poll.state == "open":
        raise InvalidFrame("The poll is still open.")
    if poll.round >= MAX_ROUNDS:
        raise InvalidFrame(f"A poll has {MAX_ROUNDS} rounds at most. Open a new one.")
    poll.state, poll.round = "open", poll.round + 1


def _end(poll: Poll) -> None:
    poll.state = "ended"


_POLL_ACTIONS = {"close": _close, "show": _show, "again": _again, "end": _end}
_ACTIONS = {
    "hand": _lower_hand,
    "message": _message,
    "look": _look,
    "hold": _hold,
    "release": _release,
    "timer": _timer,
    "poll": _poll,
    "remove": _remove,
}
