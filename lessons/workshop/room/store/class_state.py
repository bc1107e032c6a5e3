"""What a student must see: the state of the class, the announcements, the poll."""

import json
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from lessons.workshop.member.protocol import MAX_ANSWERS, MAX_ROUND
from lessons.workshop.room.models import Announcement, Class, Poll, Student, Vote

MAX_ANNOUNCEMENTS = 50  # that one read returns; the next read returns those after them


@dataclass(frozen=True)
class StudentView:
    """All that a student's machine must know now. `announcements` are frames."""

    state: dict
    announcements: list[dict]


def student_view(student_id: int, after: int) -> StudentView | None:
    """The class's state and the announcements after that id; None if the student was deleted."""
    student = Student.objects.select_related("school_class").filter(pk=student_id).first()
    if student is None:
        return None
    return StudentView(_state(student), announcements(student, after))


def _state(student: Student) -> dict:
    school_class = student.school_class
    return {
        **shared_state(school_class),
        "hand": student.hand_raised_at is not None,
        "poll": _poll_of(student),
    }


def shared_state(school_class: Class) -> dict:
    """What students and boards see of a class."""
    return {
        "hints_held": school_class.hints_held,
        "solutions_held": school_class.solutions_held,
        "look": school_class.look,
        "timer": _timer(school_class),
    }


def _timer(school_class: Class) -> dict | None:
    ends = school_class.timer_ends
    if ends is None or ends <= timezone.now():
        return None
    seconds = round((ends - timezone.now()).total_seconds(), 1)
    return {"seconds": seconds, "ends": ends.isoformat(), "label": school_class.timer_label}


def announcements(student: Student, after: int) -> list[dict]:
    """The frames of the announcements to this student after that id, oldest first."""
    to_student = Q(student=None, created__gte=student.joined) | Q(student=student)
    rows = Announcement.objects.filter(
        to_student, school_class=student.school_class_id, pk__gt=after
    )
    return [
        {"type": "announcement", "id": row.pk, "kind": row.kind, "data": row.data}
        for row in rows.order_by("pk")[:MAX_ANNOUNCEMENTS]
    ]


# Polls


def current_poll(class_id: int) -> Poll | None:
    return Poll.objects.filter(school_class=class_id).exclude(state="ended").first()


def poll_frame(poll: Poll) -> dict:
    """What both sides see of a poll, without any answer."""
    return {name: getattr(poll, name) for name in ("id", "lesson", "question", "round", "state")}


def rounds(poll: Poll) -> list[dict[str, int]]:
    """How many students gave each answer, for each round."""
    counted = poll.votes.values("round", "answer").annotate(count=Count("pk")).order_by("answer")
    result = [{} for _ in range(poll.round)]
    for row in counted:
        result[row["round"] - 1][row["answer"]] = row["count"]
    return result


def frequent_answers(votes: dict[str, int]) -> dict[str, int]:
    """The most frequent answers of a round: as many as a student's machine accepts."""
    kept, length = {}, 0
    for answer, count in sorted(votes.items(), key=lambda one: (-one[1], one[0])):
        length += len(json.dumps(answer))
        if len(kept) == MAX_ANSWERS or length > MAX_ROUND:
            break
        kept[answer] = count
    return kept


def _poll_of(student: Student) -> dict | None:
    poll = current_poll(student.school_class_id)
    if poll is None:
        return None
    mine = Vote.objects.filter(poll=poll, student=student, round=poll.round)
    return {
        **poll_frame(poll),
        "voted": mine.values_list("answer", flat=True).first(),
        "rounds": [*map(frequent_answers, rounds(poll))] if poll.state == "shown" else None,
    }
