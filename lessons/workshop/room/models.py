"""What the room stores: classes, their students, how far these are, and their votes.

The room has no migrations, because a class lasts some days. `app_label` is there for tests, which
import the models in a mode in which the app is not installed.
"""

import secrets
from datetime import timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone

KEPT_FOR = timedelta(days=60)  # a class without activity
MAX_STUDENT_NAME = 40
# No letter or digit of a class code looks like another one: it is said aloud, or projected.
ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ"


def written_code(code: str) -> str:
    """The class code as it is stored, whatever case, spaces and hyphens a person types."""
    plain = "".join(code.split()).replace("-", "").upper()
    return f"{plain[:4]}-{plain[4:]}"


def new_code() -> str:
    """The code of a class, such as K7QM-3XTD."""
    return written_code("".join(secrets.choice(ALPHABET) for _ in range(8)))


class Class(models.Model):
    """A class, and all that its instructor has set. A person who knows the code can join it.

    `held` lists what is held back, of protocol.SWITCHES. `look` and `poll` are those records of
    protocol.py; `timer` is {"ends": seconds since the epoch, "label", "is_break"}; `today` is
    {"lessons": slugs, "start": "09:00", "factor": float}. Each of these four is null if there is
    none. `messages` are {"id", "text", "student": an id or null for all, "sent": seconds since the
    epoch}.
    """

    name = models.CharField(max_length=80, unique=True)
    code = models.CharField(max_length=9, unique=True, default=new_code)
    last_activity = models.DateTimeField(default=timezone.now)
    held = models.JSONField(default=list)
    look = models.JSONField(null=True)
    timer = models.JSONField(null=True)
    today = models.JSONField(null=True)
    poll = models.JSONField(null=True)
    messages = models.JSONField(default=list)

    class Meta:
        app_label = "room"

    def get_absolute_url(self) -> str:
        return reverse("room_board", args=[self.pk])

    @property
    def todays_lessons(self) -> list[str] | None:
        return self.today and self.today["lessons"]


class Student(models.Model):
    """A student of a class. `number` counts them: a name that the projector may show.

    `lesson` is the slug of the lesson that the student reads or has reported last. `hand` is the
    sentence with a raised hand, which may be empty; null without a raised hand.
    """

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="students")
    name = models.CharField(max_length=MAX_STUDENT_NAME)
    name_key = models.CharField(max_length=120)  # of names that look alike, only one may join
    number = models.PositiveIntegerField()
    token_digest = models.CharField(max_length=64, unique=True)
    joined = models.DateTimeField(default=timezone.now)
    lesson = models.CharField(max_length=40, default="")
    hand = models.CharField(max_length=200, null=True)
    hand_at = models.DateTimeField(null=True)

    class Meta:
        app_label, unique_together = "room", ["school_class", "name_key"]


class Standing(models.Model):
    """How far a student is in a lesson, as the workshop says: see protocol.Standing.

    `changed` is when the state or the diagnosis changed last: the student's progress.
    """

    student = models.ForeignKey(Student, models.CASCADE, related_name="standings")
    lesson = models.CharField(max_length=40)
    state = models.CharField(max_length=9)
    was_green = models.BooleanField(default=False)
    hints = models.PositiveSmallIntegerField(default=0)
    diagnosis = models.CharField(max_length=200, default="")
    title = models.CharField(max_length=200, default="")
    message = models.TextField(default="")
    detail = models.TextField(default="")
    claims = models.JSONField(default=list)
    code = models.TextField(null=True)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label, unique_together = "room", ["student", "lesson"]


class Vote(models.Model):
    """A student's answer in one round of the poll with this id. It cannot be changed."""

    poll = models.BigIntegerField()
    student = models.ForeignKey(Student, models.CASCADE)
    round = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=200)

    class Meta:
        app_label, unique_together = "room", ["poll", "student", "round"]
