"""What the board shows: a row for each student, and the class."""

from collections.abc import Iterable
from datetime import datetime

from lessons.workshop.course import lesson_index
from lessons.workshop.room.models import Class, Standing, Student
from lessons.workshop.room.store import class_state, presence


def snapshot(class_id: int) -> dict | None:
    """The first frame of a board; None if there is no such class."""
    frame = class_frame(class_id)
    if frame is None:
        return None
    lessons = [
        {"slug": one.slug, "number": one.number, "title": one.title}
        for one in lesson_index.lessons()
    ]
    return {**frame, "type": "snapshot", "students": rows(class_id), "lessons": lessons}


def class_frame(class_id: int) -> dict | None:
    """The class and its poll; None if there is no such class."""
    school_class = Class.objects.filter(pk=class_id).first()
    if school_class is None:
        return None
    poll = class_state.current_poll(class_id)
    return {
        "type": "class",
        "class": {
            "id": school_class.pk,
            "name": school_class.name,
            "code": school_class.code,
            "pseudonyms": school_class.pseudonyms,
            **class_state.shared_state(school_class),
        },
        "poll": poll
        and {
            **class_state.poll_frame(poll),
            "rounds": class_state.rounds(poll),
            "students": school_class.students.count(),
        },
    }


def rows(class_id: int, ids: Iterable[int] | None = None) -> list[dict]:
    """The rows of these students, or of all, by their numbers."""
    students = Student.objects.filter(school_class=class_id).order_by("number")
    standings = Standing.objects.filter(student__school_class=class_id)
    if ids is not None:
        ids = list(ids)
        students, standings = students.filter(pk__in=ids), standings.filter(student__in=ids)
    of_student: dict[int, list[Standing]] = {}
    # The students are read first. If a report comes in between, its version is seen next time.
    students = list(students)
    for standing in standings:
        of_student.setdefault(standing.student_id, []).append(standing)
    connected = presence.connected(class_id)
    return [_row(one, of_student.get(one.pk, []), one.pk in connected) for one in students]


def _row(student: Student, standings: list[Standing], connected: bool) -> dict:
    current = next((one for one in standings if one.lesson == student.lesson), None)
    progress = max((one.changed for one in standings), default=None)
    return {
        "id": student.pk,
        "name": student.name,
        "number": student.number,
        "version": student.version,
        "standings": {one.lesson: shown_state(one) for one in standings},
        "done": [one.lesson for one in standings if one.was_green or one.is_read],
        "lesson": student.lesson or None,
        "state": current.state if current else "new",
        "diagnosis": current.diagnosis if current else "",
        "headline": current.headline if current else "",
        "hints": current.hints if current else 0,
        "progress_at": _iso(progress),
        "joined": _iso(student.joined),
        "hand": _iso(student.hand_raised_at),
        "connected": connected,
        "shares_code": student.shares_code,
    }


def shown_state(standing: Standing) -> str:
    """As lessons.workshop.student.progress.Progress.standing."""
    return "read" if standing.is_read and standing.state != "green" else standing.state


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def versions(class_id: int) -> dict[int, tuple[int, bool]]:
    """The version of each student's row and whether the student is connected, in two queries."""
    connected = presence.connected(class_id)
    students = Student.objects.filter(school_class=class_id).values_list("pk", "version")
    return {pk: (version, pk in connected) for pk, version in students}
