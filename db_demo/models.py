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

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["room", "id"], name="message_in_its_room")]

    def __str__(self):
        return f"{self.id}: {self.text}"
