"""The classes of a room and the account of its instructor."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from lessons.workshop.member.protocol import Refused
from lessons.workshop.room.joining import new_code
from lessons.workshop.room.models import Class
from lessons.workshop.student.demo_accounts import password_of

KEPT_FOR = timedelta(days=60)  # without activity
MAX_NAME = 80
INSTRUCTOR = "instructor"  # the account that each room has


def add_class(name: str) -> Class:
    """A new class with a new code. Raises Refused."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Refused(f"The name of a class has 1 to {MAX_NAME} printable characters.")
    found, is_new = Class.objects.get_or_create(name=name, defaults={"code": new_code()})
    if not is_new:
        raise Refused(f"There is already a class {found.name}.")
    return found


def delete_old_classes() -> list[str]:
    """Delete the classes without activity for KEPT_FOR. Returns their names."""
    old = Class.objects.filter(last_activity__lt=timezone.now() - KEPT_FOR)
    names = list(old.order_by("name").values_list("name", flat=True))
    old.delete()
    return names


def create_instructor() -> str:
    """Create the account of the instructor, or give it its password again. Returns the password.

    The password follows from the room's secret key, so the room can print it at each start.
    """
    password = password_of(INSTRUCTOR)
    user, _ = get_user_model().objects.get_or_create(username=INSTRUCTOR)
    if not (user.is_staff and user.check_password(password)):  # a new password ends all sessions
        user.is_staff = True
        user.set_password(password)
        user.save()
    return password
