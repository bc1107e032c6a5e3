"""What students and boards see. Both are functions of the database: nothing else is remembered."""

import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Count
from msgspec import convert
from msgspec.structs import asdict

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.judge.study.predictions import InvalidPrediction, Played, predictions
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.member.protocol import Message, Poll, Refused, State
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.views.play_views import recording_json
from lessons.workshop.room.models import Class, Standing, Student, Vote
from lessons.workshop.room.poll_chart import chart

TIME_IS_OVER = 300  # seconds for which a timer stays at 0
MESSAGES, SHOWN_FOR = 5, 3 * 3600  # how many a student sees, and how many seconds

# The number of open connections of each student, by id. The room is one process.
connections: Counter[int] = Counter()


def student_state(student_id: int) -> State | None:
    """What a student sees; None if the student was deleted."""
    student = Student.objects.select_related("school_class").filter(pk=student_id).first()
    if student is None:
        return None
    school_class, poll = student.school_class, student.school_class.poll
    since = max(student.joined.timestamp(), time.time() - SHOWN_FOR)
    messages = [
        Message(one["id"], one["text"])
        for one in school_class.messages
        if one["sent"] >= since and one["student"] in (None, student_id)
    ]
    if poll:
        votes = Vote.objects.filter(poll=poll["id"], student=student, round=poll["round"])
        poll["voted"] = votes.values_list("answer", flat=True).first()
    return State(
        messages=messages[-MESSAGES:],
        held=school_class.held,
        hand=student.hand is not None,
        look=school_class.look,
        timer=timer_of(school_class.timer),
        today=school_class.todays_lessons,
        poll=poll,
    )


def timer_of(timer: dict | None) -> dict | None:
    """The timer of a class with the seconds that are left: other machines have other clocks.

    At 0 it stays for some minutes: a student who looked away must see that the time is over.
    """
    left = timer["ends"] - time.time() if timer else -TIME_IS_OVER
    if left <= -TIME_IS_OVER:
        return None
    seconds = max(0.0, round(left, 1))
    return {"seconds": seconds, "label": timer["label"], "is_break": timer["is_break"]}


def rounds(poll: Poll) -> list[dict[str, int]]:
    """How many students gave each answer, for each round."""
    found = [{} for _ in range(poll.round)]
    votes = Vote.objects.filter(poll=poll.id).values_list("round", "answer")
    for number, answer, count in votes.annotate(Count("pk")).order_by("answer"):
        found[number - 1][answer] = count
    return found


def board(class_id: int) -> dict | None:
    """All that a board shows; None if the class was deleted."""
    names = ("name", "code", "held", "look", "timer", "today", "poll")
    found = Class.objects.filter(pk=class_id).values(*names).first()
    if found is None:
        return None
    rows, today, poll = _rows(class_id), found["today"], found["poll"]
    return {
        **found,
        "timer": timer_of(found["timer"]),
        "today": today and {**today, "parts": parts_of(today)},
        "poll": poll and _board_poll(convert(poll, Poll), rows),
        "students": rows,
    }


def _board_poll(poll: Poll, rows: list[dict]) -> dict:
    """The poll with its chart. Once it is shown, also what really happens, and why.

    Opening the poll has played the question of a lesson.
    """
    votes = Vote.objects.filter(poll=poll.id, round=poll.round)
    voters = set(votes.values_list("student", flat=True))
    # A student who has left is not waited for.
    students = sum(row["connected"] or row["id"] in voters for row in rows)
    found = {**asdict(poll), "votes": len(voters), "students": students}
    try:
        question = played_question(poll.lesson, poll.question) if poll.lesson else None
    except Refused as error:
        return {**found, "error": str(error)}
    found["chart"] = chart(poll, rounds(poll), question)
    if question and poll.state == "shown":
        found["because"] = markdown_to_html(question.prediction.because)
        found["recording"] = recording_json(question.recording)
    return found


@lru_cache(maxsize=64)  # each change of the class asks for it, even if a busy machine has cut it
def played_question(slug: str, number: int) -> Played:
    """The question of a lesson, with what really happens. Raises Refused."""
    try:
        lesson = find(slug)
        known = predictions(lesson)
        if not 1 <= number <= len(known):
            raise Refused(f"The lesson {slug} has {len(known)} questions.")
        return known[number - 1].played(lesson)
    except (UnknownLesson, InvalidPrediction, *PLAYBACK_ERRORS) as error:
        raise Refused(str(error)) from None


def _rows(class_id: int) -> list[dict]:
    """The students, each with the standings by lesson. Times are seconds since the epoch."""
    standings: dict[int, dict[str, dict]] = defaultdict(dict)
    names = ("student", "lesson", "state", "hints", "diagnosis", "title", "changed")
    for one in Standing.objects.filter(student__school_class=class_id).values(*names):
        one["at"] = one.pop("changed").timestamp()
        standings[one.pop("student")][one.pop("lesson")] = one
    return [
        {
            "id": one.pk,
            "name": one.name,
            "number": one.number,
            "lesson": one.lesson or None,
            "standings": standings[one.pk],
            "joined": one.joined.timestamp(),
            "hand": one.hand,
            "handAt": one.hand_at and one.hand_at.timestamp(),
            "connected": connections[one.pk] > 0,
        }
        for one in Student.objects.filter(school_class=class_id).order_by("number")
    ]


def parts_of(today: dict) -> list[dict]:
    """The lessons of today with the time at which each begins and ends, without breaks."""
    end = datetime.strptime(today["start"], "%H:%M")
    parts = []
    for slug in today["lessons"]:
        minutes = round(find(slug).minutes * today["factor"])
        begin, end = end, end + timedelta(minutes=minutes)
        times = {"begins": f"{begin:%H:%M}", "ends": f"{end:%H:%M}"}
        parts.append({"slug": slug, "minutes": minutes, **times})
    return parts
