"""Joining a class, returning to it, and finding the student of a token."""

import random
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from lessons.workshop.member import class_codes
from lessons.workshop.member.protocol import name_key
from lessons.workshop.room.models import AccessToken, Class, Student

MAX_STUDENTS = 2_000  # of a class
MAX_MACHINES = 20  # of a student; a further one replaces the oldest
WRONG, TAKEN, FULL = 403, 409, 409

# Pseudonyms are animals and a number: short, and no one is offended.
ANIMALS = (
    *("Badger", "Beaver", "Crane", "Curlew", "Dolphin", "Falcon", "Finch", "Gecko", "Hare"),
    *("Heron", "Ibex", "Jackdaw", "Kestrel", "Lark", "Lynx", "Marten", "Newt", "Osprey"),
    *("Otter", "Plover", "Puffin", "Robin", "Salmon", "Seal", "Stoat", "Swift", "Tern", "Wren"),
)


class JoinRefused(Exception):
    """The student did not join: the status of HTTP, why, and which value is wrong."""

    def __init__(self, status: int, reason: str, field: str):
        super().__init__(reason)
        self.status, self.field = status, field


@dataclass(frozen=True)
class Joined:
    """A student who has joined, with the secrets that only this answer contains."""

    student: Student
    token: str
    place: str


def join(code: str, name: str, place: str, shares_code: bool) -> Joined:
    """Join as a new student, or with a place code as one who returns. Raises JoinRefused."""
    with transaction.atomic():
        # The lock keeps numbers and pseudonyms different when many join at once.
        locked = Class.objects.select_for_update()
        school_class = locked.filter(code=class_codes.normal_code(code)).first()
        if school_class is None:
            raise JoinRefused(WRONG, "No class has this code. Ask your instructor for it.", "code")
        Class.objects.filter(pk=school_class.pk).update(last_activity=timezone.now())
        if place.strip():
            student = _returning(school_class, name, class_codes.normal_code(place))
            changed = Student.objects.filter(pk=student.pk).exclude(shares_code=shares_code)
            changed.update(shares_code=shares_code, version=F("version") + 1)
            return Joined(student, _new_token(student), class_codes.normal_code(place))
        place = class_codes.new_code()
        student = _new_student(school_class, name, place, shares_code)
        return Joined(student, _new_token(student), place)


def _returning(school_class: Class, name: str, place: str) -> Student:
    student = school_class.students.filter(name_key=name_key(name)).first()
    expected = student.place_digest if student else ""
    if constant_time_compare(class_codes.digest("place", place), expected):
        return student
    raise JoinRefused(
        WRONG,
        "This name and this place code do not belong together. You got the place code when you "
        "first joined. Or join with another name, and without a place code.",
        "place",
    )


def _new_student(school_class: Class, name: str, place: str, shares_code: bool) -> Student:
    others = school_class.students
    last = others.order_by("-number").values_list("number", flat=True).first() or 0
    if others.count() >= MAX_STUDENTS:
        raise JoinRefused(FULL, f"This class is full: it has {MAX_STUDENTS:,} students.", "code")
    if not name or school_class.pseudonyms:
        name = _pseudonym(school_class, last + 1)
    try:
        with transaction.atomic():
            return others.create(
                name=name,
                name_key=name_key(name),
                number=last + 1,
                place_digest=class_codes.digest("place", place),
                shares_code=shares_code,
            )
    except IntegrityError:
        raise JoinRefused(
            TAKEN,
            f"The name {name} is taken. If it is yours, add the place code that you got when you "
            "first joined, or ask your instructor. Otherwise take another name.",
            "name",
        ) from None


def _pseudonym(school_class: Class, number: int) -> str:
    """Such as "Heron 12". Only a student who has chosen such a name can have the same one."""
    names = {name_key(f"{animal} {number}"): f"{animal} {number}" for animal in ANIMALS}
    taken = school_class.students.filter(name_key__in=names).values_list("name_key", flat=True)
    return random.choice([names[key] for key in set(names) - set(taken)])


def _new_token(student: Student) -> str:
    token = class_codes.new_token()
    AccessToken.objects.create(student=student, digest=class_codes.digest("token", token))
    kept = student.tokens.order_by("-pk").values_list("pk", flat=True)[:MAX_MACHINES]
    student.tokens.exclude(pk__in=list(kept)).delete()
    return token


def student_of(token: str) -> Student | None:
    """The student whose machine has this token, with the class."""
    found = AccessToken.objects.filter(digest=class_codes.digest("token", token))
    row = found.select_related("student__school_class").first()
    return row.student if row else None
