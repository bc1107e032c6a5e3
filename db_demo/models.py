"""The database tables of lessons 19 to 23 and 28."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxLengthValidator
from django.db import models


class Visit(models.Model):
    """Lesson 19: a client has asked for a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="visits")

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return f"visit {self.id}"


class Post(models.Model):
    """Lessons 19 and 20: a post of the live blog. You write posts in the admin."""

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="posts"
    )
    title = models.CharField(max_length=100)
    # Forms such as the admin's apply validators. save() does not.
    text = models.TextField(blank=True, validators=[MaxLengthValidator(20_000)])
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return self.title

    def as_message(self):
        """Return the fields that a reader receives. JSON can hold their types."""
        return {"id": self.pk, "title": self.title, "text": self.text}


class Entry(models.Model):
    """Lesson 22: an entry of the log. Ids grow, so a client's last id shows what it missed.

    A consumer compares the length with MAX_LENGTH before it saves. acreate() does not: PostgreSQL
    refuses a longer text, but SQLite saves it.
    """

    MAX_LENGTH = 1000  # characters

    text = models.CharField(max_length=MAX_LENGTH)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return f"{self.id}: {self.text}"


class Room(models.Model):
    """Lesson 23: a chat room. Only members may join a private room."""

    name = models.CharField(max_length=50, unique=True)
    is_private = models.BooleanField(default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="rooms"
    )
    # For the exercise: the user who has the microphone of the room, or None.
    speaker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self):
        return self.name


class Membership(models.Model):
    """Lesson 23: a user is a member of a room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="once_in_a_room")]

    def __str__(self):
        return f"{self.user_id} in {self.room_id}"


class Message(models.Model):
    """Lesson 23: a message in a room. The ids give the order."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="messages"
    )
    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)
    # The author's client chooses the key. If it gets no answer, it sends the message again with
    # the same key, and the server saves it only once.
    key = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["room", "id"], name="message_in_its_room")]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "author", "key"],
                condition=~models.Q(key=""),
                name="message_sent_once",
            )
        ]

    def __str__(self):
        return f"{self.id}: {self.text}"


class Presence(models.Model):
    """Lesson 23: a connection to a room. `seen_at` is the time of its last heartbeat.

    It has the room's name, because an open room has no row before its first message.
    """

    channel = models.CharField(max_length=100, unique=True)
    room = models.CharField(max_length=50)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["room", "seen_at"], name="presence_in_room")]

    def __str__(self):
        return f"{self.user_id} in {self.room}"
