"""How a student's workshop joins a class: one request, without cookies."""

import secrets
import unicodedata

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from lessons.workshop.member.protocol import (
    Join,
    Joined,
    NotJoined,
    Refused,
    clean_name,
    decode,
    encode,
    normal_code,
)
from lessons.workshop.room.models import Class, Student

# No letter or digit of a class code looks like another one: it is said aloud, or projected.
ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ"


def new_code() -> str:
    """The code of a class, such as K7QM-3XTD."""
    return normal_code("".join(secrets.choice(ALPHABET) for _ in range(8)))


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
@sensitive_variables()
def join_class(request):
    """Answer with the student's token, or with why the student did not join.

    Guesses need no limit: of 6 * 10**11 codes, a laptop tries some hundred in a second.
    """
    try:
        wish = decode(request.body, Join)
        student, token = join(wish.code, clean_name(wish.name))
        joined = student.school_class
        status, answer = 200, Joined(token, student.name, joined.name, joined.todays_lessons)
    except Refused as error:
        status, answer = 400, NotJoined(str(error), error.field)
    return HttpResponse(encode(answer), content_type="application/json", status=status)


def join(code: str, name: str) -> tuple[Student, str]:
    """A new student of the class with this code, and the token. Raises Refused."""
    token = secrets.token_urlsafe(32)
    school_class = Class.objects.filter(code=normal_code(code)).first()
    if school_class is None:
        raise Refused("No class has this code. Ask your instructor for it.", "code")
    students = school_class.students
    try:
        with transaction.atomic():
            Class.objects.filter(pk=school_class.pk).update(last_activity=timezone.now())
            last = students.order_by("-number").values_list("number", flat=True).first() or 0
            student = students.create(
                name=name, name_key=name_key(name), number=last + 1, token_digest=digest(token)
            )
    except IntegrityError:
        raise Refused(
            f"The name {name} is taken. If it is yours, ask your instructor to remove it from the "
            "board: your workshop then reports everything again. Otherwise take another name.",
            "name",
        ) from None
    return student, token


def name_key(name: str) -> str:
    """The same text for names that differ in case or in the width of letters only."""
    return unicodedata.normalize("NFKC", name.casefold()).casefold()[:120]


def digest(token: str) -> str:
    """What the database stores of a token. Guesses need the secret key, too."""
    return salted_hmac(__name__, token, algorithm="sha256").hexdigest()


def student_of(token: str) -> Student | None:
    """The student whose workshop has this token, with the class."""
    found = Student.objects.filter(token_digest=digest(token))
    return found.select_related("school_class").first()
