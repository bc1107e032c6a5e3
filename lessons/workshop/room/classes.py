"""The classes of a room and its instructors' accounts."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from lessons.workshop.room.joining import new_code
from lessons.workshop.room.models import Class
from lessons.workshop.student.demo_accounts import password_of

KEPT_FOR = timedelta(days=60)  # without activity
MAX_NAME = 80
INSTRUCTOR = "instructor"  # the account that each room has


class InvalidClassName(ValueError):
    """No class can have this name, or another class has it. The text says which."""


def add_class(name: str) -> Class:
    """A new class with a new code. Raises InvalidClassName."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidClassName(f"The name of a class has 1 to {MAX_NAME} printable characters.")
    found, is_new = Class.objects.get_or_create(name=name, defaults={"code": new_code()})
    if not is_new:
        raise InvalidClassName(f"There is already a class {found.name}.")
    return found


def delete_old_classes() -> list[str]:
    """Delete the classes without activity for KEPT_FOR. Returns their names."""
    old = Class.objects.filter(last_activity__lt=timezone.now() - KEPT_FOR)
    names = list(old.order_by("name").values_list("name", flat=True))
    old.delete()
    return names


def create_first_instructor() -> str | None:
    """Create the first account. Returns its password; None if the instructor has changed it."""
    user = get_user_model().objects.filter(username=INSTRUCTOR).first()
    if user is None:
        return set_password(INSTRUCTOR)
    return password_of(INSTRUCTOR) if user.check_password(password_of(INSTRUCTOR)) else None


def set_password(name: str) -> str:
    """Give this account the room's password for it. Creates it, as an instructor's, if necessary.

    The password follows from the room's secret key, so the room can print it at each start. Returns
    it. Raises ValidationError if an account cannot have this name.
    """
    users = get_user_model()
    users(username=name).clean_fields(exclude=["password"])
    user, _ = users.objects.get_or_create(username=name)
    user.is_staff = user.is_active = True
    user.set_password(password_of(name))
    user.save()
    return password_of(name)
