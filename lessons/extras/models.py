"""The database tables of the hardened chat. Its rooms and messages are those of db_demo."""

from django.conf import settings
from django.db import models


class Presence(models.Model):
    """A connection to a room. `seen_at` is the time of its last heartbeat.

    It has the room's name, because an open room has no row before its first message.
    """

    channel = models.CharField(max_length=100, unique=True)
    room = models.CharField(max_length=50)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    address = models.CharField(max_length=45, blank=True)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["room", "seen_at"], name="presence_by_room")]

    def __str__(self):
        return f"{self.user_id or self.address} in {self.room}"


class Usage(models.Model):
    """How often something was done in a period of time."""

    what = models.CharField(max_length=80)  # such as "messages 203.0.113.7"
    ends_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "ends_at"], name="usage_in_period")]

    def __str__(self):
        return f"{self.what}: {self.count}"
