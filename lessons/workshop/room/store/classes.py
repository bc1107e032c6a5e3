"""The classes of a room: created, found by name, and deleted with all that belongs to them."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lessons.workshop.member import class_codes
from lessons.workshop.room.models import Class, Report

KEPT_FOR = timedelta(days=60)  # without activity
MAX_NAME = 80


class InvalidClassName(ValueError):
    """No class can have this name, or another class has it; the text says which."""


class UnknownClass(LookupError):
    """No class has this name. The message lists those that exist."""


def create_class(name: str, pseudonyms: bool = False) -> Class:
    """The class of this name. A new one gets a new code."""
    values = {"code": class_codes.new_code(), "pseudonyms": pseudonyms}
    return Class.objects.get_or_create(name=name, defaults=values)[0]


def add_class(name: str, pseudonyms: bool = False) -> Class:
    """A new class. Raises InvalidClassName."""
    values = {"code": class_codes.new_code(), "pseudonyms": pseudonyms}
    found, is_new = Class.objects.get_or_create(name=valid_name(name), defaults=values)
    if not is_new:
        raise InvalidClassName(f"There is already a class {found.name}.")
    return found


def valid_name(name: str) -> str:
    """The name without superfluous spaces. Raises InvalidClassName."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidClassName(f"The name of a class has 1 to {MAX_NAME} printable characters.")
    return name


def find_class(name: str) -> Class:
    """Raises UnknownClass."""
    if (found := Class.objects.filter(name=name).first()) is not None:
        return found
    names = ", ".join(Class.objects.order_by("name").values_list("name", flat=True))
    raise UnknownClass(f"There is no class {name!r}. There are: {names or 'none'}.")


def delete_class(school_class: Class) -> None:
    """Delete the class with its students, their reports, votes and announcements.

    The locks stop what could add a row in between. Each other transaction takes them in this order.
    """
    with transaction.atomic():
        Class.objects.select_for_update().filter(pk=school_class.pk).first()
        for rows in (school_class.polls, school_class.students):
            list(rows.select_for_update().order_by("pk").values_list("pk"))
        school_class.delete()


def delete_old_classes() -> list[str]:
    """Delete the classes without activity for KEPT_FOR. Returns their names."""
    old = Class.objects.filter(last_activity__lt=timezone.now() - KEPT_FOR)
    found = list(old.order_by("name"))
    for one in found:
        delete_class(one)
    return [one.name for one in found]


def contents(school_class: Class) -> str:
    """How much a class holds, such as "23 students and 512 reports"."""
    students = school_class.students.count()
    reports = Report.objects.filter(student__school_class=school_class).count()
    return f"{students} student{'s' * (students != 1)} and {reports} report{'s' * (reports != 1)}"
