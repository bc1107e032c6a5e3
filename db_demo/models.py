"""What lessons 20 to 23 keep in the database."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models


class Visit(models.Model):
    """Lesson 20: somebody asked for a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="visits")

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return f"visit {self.id}"


class Post(models.Model):
    """Lessons 20 and 21: an entry of the live blog, written in the admin."""

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="posts"
    )
    title = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return self.title

    def as_news(self):
        """What a reader is told: values that every layer can pack, and that JSON has a word for."""
        return {"id": self.pk, "title": self.title, "text": self.text}


class Entry(models.Model):
    """Lesson 22: a line of the log; ids grow, so the last id seen says what was missed."""

    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return f"{self.id}: {self.text}"


class Room(models.Model):
    """Lesson 23: a chat room. Into a private one come its members alone."""

    name = models.CharField(max_length=50, unique=True)
    is_private = models.BooleanField(default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="rooms"
    )

    def __str__(self):
        return self.name


class Membership(models.Model):
    """Lesson 23: who belongs to which room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="once_in_a_room")]

    def __str__(self):
        return f"{self.user_id} in {self.room_id}"


class Message(models.Model):
    """Lesson 23: what was said in a room, in the order of the ids."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="messages"
    )
    text = models.TextField()
    written_at = models.DateTimeField(auto_now_add=True)
    # The author's client chose it, to send again what it saw no answer to.
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


class Seat(models.Model):
    """Lesson 23: a connection to a room, for as long as it is kept; `seen_at` says since when not.

    By the room's name: an open room needs no row before its first message.
    """

    channel = models.CharField(max_length=100, unique=True)
    room = models.CharField(max_length=50)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True)
    address = models.CharField(max_length=45, blank=True)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["room", "seen_at"], name="seat_in_its_room")]

    def __str__(self):
        return f"{self.user_id or self.address} in {self.room}"
