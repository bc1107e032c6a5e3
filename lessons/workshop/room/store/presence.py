"""Which students are connected, on every server.

Each connection has a row, and confirms it every HEARTBEAT seconds. A server that was killed deletes
no row, so a row counts only for STALE_AFTER seconds.
"""

from datetime import timedelta

from django.utils import timezone

from lessons.workshop.room.models import Class, Presence, Student

HEARTBEAT = 15  # seconds
STALE_AFTER = timedelta(seconds=40)
AN_HOUR = timedelta(hours=1)  # so precisely is the last activity of a class known


def enter(student: Student, channel: str) -> None:
    """Record a new connection."""
    now = timezone.now()
    Presence.objects.update_or_create(channel=channel, defaults={"student": student, "seen": now})
    old = Class.objects.filter(pk=student.school_class_id, last_activity__lt=now - AN_HOUR)
    old.update(last_activity=now)


def confirm(student: Student, channel: str) -> None:
    """Record that it is still open: one statement, unless another server took it for stale."""
    if not Presence.objects.filter(channel=channel).update(seen=timezone.now()):
        enter(student, channel)


def leave(channel: str) -> None:
    """Delete the row, and those of killed servers."""
    Presence.objects.filter(channel=channel).delete()
    Presence.objects.filter(seen__lt=timezone.now() - STALE_AFTER).delete()


def connected(class_id: int) -> set[int]:
    """The ids of the students of this class who are connected."""
    fresh = Presence.objects.filter(seen__gte=timezone.now() - STALE_AFTER)
    return set(fresh.filter(student__school_class=class_id).values_list("student", flat=True))
