"""What the room stores: classes, their students, what these report, and what they must receive."""

from django.db import models
from django.utils import timezone


class Class(models.Model):
    """A class. Who knows its code can join it.

    `hints_held` and `solutions_held` list slugs of lessons; ["*"] stands for all of them. `look` is
    the last place that the instructor pointed at. `version` counts the changes that students must
    see, except announcements.
    """

    name = models.CharField(max_length=80, unique=True)
    code = models.CharField(max_length=9, unique=True)
    created = models.DateTimeField(default=timezone.now)
    last_activity = models.DateTimeField(default=timezone.now)
    pseudonyms = models.BooleanField(default=False)
    hints_held = models.JSONField(default=list)
    solutions_held = models.JSONField(default=list)
    look = models.JSONField(null=True)
    timer_ends = models.DateTimeField(null=True)
    timer_label = models.CharField(max_length=80, default="")
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "classes"

    def __str__(self):
        return self.name


class Student(models.Model):
    """A student of a class. `number` counts them: a name that the projector may show.

    `lesson` is the slug of the last report. `version` counts the changes that a board must see.
    """

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="students")
    name = models.CharField(max_length=40)
    name_key = models.CharField(max_length=120)  # of names that look alike, only one may join
    number = models.PositiveIntegerField()
    place_digest = models.CharField(max_length=64)
    joined = models.DateTimeField(default=timezone.now)
    shares_code = models.BooleanField(default=False)
    hand_raised_at = models.DateTimeField(null=True)
    lesson = models.CharField(max_length=40, default="")
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school_class", "name_key"], name="room_one_student_per_name"
            ),
            models.UniqueConstraint(
                fields=["school_class", "number"], name="room_one_student_per_number"
            ),
        ]

    def __str__(self):
        return self.name


class AccessToken(models.Model):
    """What one of a student's machines shows at each connection. The room stores a digest only."""

    student = models.ForeignKey(Student, models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"token {self.pk} of {self.student_id}"


class Presence(models.Model):
    """An open connection of a student. After a killed server, the row becomes stale."""

    student = models.ForeignKey(Student, models.CASCADE, related_name="presences")
    channel = models.CharField(max_length=100, unique=True)
    seen = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.student_id} on {self.channel}"


class Standing(models.Model):
    """How far a student is in a lesson, as the last report says.

    `changed` is when state, was_green, is_read or diagnosis changed last: the student's progress.
    """

    student = models.ForeignKey(Student, models.CASCADE, related_name="standings")
    lesson = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="new")
    was_green = models.BooleanField(default=False)
    is_read = models.BooleanField(default=False)
    hints = models.PositiveSmallIntegerField(default=0)
    diagnosis = models.CharField(max_length=80, default="")
    headline = models.CharField(max_length=300, default="")
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["student", "lesson"], name="room_one_standing_per_lesson"
            )
        ]

    def __str__(self):
        return f"{self.student_id} {self.lesson}: {self.state}"


class Report(models.Model):
    """One report of a student's machine. `sequence` counts the reports of this `device`."""

    student = models.ForeignKey(Student, models.CASCADE, related_name="reports")
    device = models.CharField(max_length=64)
    sequence = models.PositiveBigIntegerField()
    lesson = models.CharField(max_length=40)
    state = models.CharField(max_length=8)
    hints = models.PositiveSmallIntegerField(default=0)
    verdict = models.JSONField(null=True)
    code = models.TextField(null=True)  # noqa: DJ001 - None: not shared; "": an empty file
    received = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["student", "device", "sequence"], name="room_each_report_once"
            )
        ]
        indexes = [models.Index(fields=["student", "lesson", "id"])]

    def __str__(self):
        return f"{self.student_id} {self.device} {self.sequence}"


class Announcement(models.Model):
    """What all students of a class must receive, or one of them; also those who connect later."""

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="announcements")
    student = models.ForeignKey(Student, models.CASCADE, null=True, related_name="announcements")
    kind = models.CharField(max_length=8, choices=[("message", "message"), ("look", "look")])
    data = models.JSONField()
    created = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.kind} {self.pk}"


class Poll(models.Model):
    """A question of predict.toml that the class answers. `round` counts from 1."""

    school_class = models.ForeignKey(Class, models.CASCADE, related_name="polls")
    lesson = models.CharField(max_length=40)
    question = models.PositiveSmallIntegerField()  # its number on the lesson's page, from 1
    round = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=8, default="open")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school_class"],
                condition=~models.Q(state="ended"),
                name="room_one_current_poll",
            )
        ]

    def __str__(self):
        return f"{self.lesson} {self.question}, round {self.round}: {self.state}"


class Vote(models.Model):
    """A student's answer in one round. It cannot be changed."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="votes")
    student = models.ForeignKey(Student, models.CASCADE, related_name="votes")
    round = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["poll", "student", "round"], name="room_one_vote_per_round"
            )
        ]

    def __str__(self):
        return f"{self.poll_id} {self.student_id}: {self.answer}"
