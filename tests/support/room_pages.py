"""The pages of the room, for tests with Django's client: a class, students with reports, users."""

from django.contrib.auth.models import User
from django.test import Client

from lessons.workshop.room.models import Class, Poll, Student, Vote
from lessons.workshop.room.store.classes import add_class
from lessons.workshop.room.store.joining import join
from lessons.workshop.room.store.reports import NewReport, save_reports
from tests.support.room import report

PASSWORD = "a long password of these tests"
INSTRUCTOR = "instructor of these tests"
RED = {
    "outcomes": [
        {"claim": "It accepts.", "state": "green", "finding": None},
        {
            "claim": "It ends.",
            "state": "red",
            "finding": {"diagnosis": "no-stop-consumer", "message": "It goes on.", "detail": "≠ x"},
        },
    ],
    "problem": None,
}


def logged_in(is_staff=True, **options) -> Client:
    """A client of a new user."""
    name = INSTRUCTOR if is_staff else "user of these tests"
    user = User.objects.create_user(name, password=PASSWORD, is_staff=is_staff)
    client = Client(**options)
    client.force_login(user)
    return client


def new_class(name="Monday") -> Class:
    return add_class(name)


def new_student(found: Class, name="Ann", shares_code=True) -> Student:
    return join(found.code, name, "", shares_code).student


def send_report(student: Student, sequence=1, **values) -> None:
    """Store a report of this student, by default a red verdict on lesson 3."""
    values = {"verdict": RED, "code": "class Operator: pass", **values}
    details = report(sequence, **values)
    assert save_reports([NewReport(student.pk, "laptop", details)]) == [True]


def vote(poll: Poll, student: Student, answer: str, round=1) -> None:
    Vote.objects.create(poll=poll, student=student, round=round, answer=answer)
