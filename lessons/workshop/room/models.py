"""What the room stores: classes, their students, how far these are, messages and questions.

The room has no migrations, because a class lasts some days. `app_label` is there for tests, which
import the models in a mode in which the app is not installed.
"""

from django.db import models
from django.utils import timezone


class Class(models.Model):
    """A class. A person who knows its code can join it.

    `held` lists what is held back, of protocol.SWITCHES. `look` is a protocol.Look; `timer` is
    {"ends": seconds since the epoch, "label", "is_break"}; `today` is {"lessons": slugs, "start":
    "09:00", "factor": float}. Each is null if there is none.
    """

    name = models.CharField(max_length=80, unique=True)
    code = models.CharField(max_length=9, unique=True)
    last_activity = models.DateTimeField(default=timezone.now)
    held = models.JSONField(default=list)
    look = models.JSONField(null=True)
    timer = models.JSONField(null=True)
    today = models.JSONField(null=True)

    class Meta:
        app_label = "room"


class Student(models.Model):
    """A student of a class. `number` counts them: a name that the projector may show.

    `lesson` is the slug of the lesson that the student reads or has reported last. `hand` is the
    sentence with a raised hand, which may be empty; null without a raised hand.
    """

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="students")
    name = models.CharField(max_length=40)
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


class Message(models.Model):
    """A message to one student, or to all students of the class."""

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="messages")
    student = models.ForeignKey(Student, models.CASCADE, null=True)
    text = models.TextField()
    sent = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "room"


class Poll(models.Model):
    """A question to the class: one of a lesson's predict.toml, or one that the instructor wrote.

    `text` is the question, for a lesson's question as HTML. `options` are the answers of a written
    question. `state` is "open", "closed", "shown" or "ended". `round` counts from 1.
    """

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="polls")
    text = models.TextField()
    options = models.JSONField(default=list)
    lesson = models.CharField(max_length=40, default="")
    question = models.PositiveSmallIntegerField(default=0)  # its number in the lesson, from 1
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=8, default="open")

    class Meta:
        app_label = "room"


class Vote(models.Model):
    """A student's answer in one round. It cannot be changed."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="votes")
    student = models.ForeignKey(Student, models.CASCADE)
    round = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=200)

    class Meta:
        app_label, unique_together = "room", ["poll", "student", "round"]
