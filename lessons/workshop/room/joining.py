"""How a student's workshop joins a class: one request, without cookies."""

import secrets
import time
import unicodedata

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.http import JsonResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from lessons.extras.client_network import network_of
from lessons.workshop.member.protocol import JOIN, InvalidFrame, clean_name, decode, normal_code
from lessons.workshop.room.models import Class, Student

# No letter or digit of a class code looks like another one: it is said aloud, or projected.
ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ"
MAX_STUDENTS = 200  # of a class
WINDOW = 60  # seconds
WRONG_CODES = 30  # from one network in a window, of 6 * 10**11 codes; a class may share one address


class JoinRefused(Exception):
    """The student did not join: the status of HTTP, why, and which value is wrong."""

    def __init__(self, status: int, reason: str, field: str = ""):
        super().__init__(reason)
        self.status, self.field = status, field


def new_code() -> str:
    """The code of a class, such as K7QM-3XTD."""
    return normal_code("".join(secrets.choice(ALPHABET) for _ in range(8)))


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
@sensitive_variables()
def join_class(request):
    """Answer with the student's token, or with why the student did not join."""
    try:
        wish = JOIN(decode(request.body.decode(errors="replace")))
        name = clean_name(wish["name"])
        counter = _count_guess(request.META.get("REMOTE_ADDR", ""))
        student, token = join(wish["code"], name)
    except InvalidFrame as error:
        return JsonResponse({"error": str(error)}, status=400)
    except JoinRefused as error:
        if error.status == 409:
            cache.decr(counter)
        headers = {"Retry-After": str(WINDOW)} if error.status == 429 else None
        answer = {"error": str(error), "field": error.field}
        return JsonResponse(answer, status=error.status, headers=headers)
    cache.decr(counter)  # only wrong codes count
    school_class = student.school_class.name
    return JsonResponse({"token": token, "name": student.name, "class": school_class})


def _count_guess(address: str) -> str:
    """Count a guess before the code is checked. Returns the counter. Raises JoinRefused."""
    counter = f"room-guess-{time.time() // WINDOW:.0f}-{network_of(address)}"
    cache.add(counter, 0, 2 * WINDOW)
    if cache.incr(counter) > WRONG_CODES:
        raise JoinRefused(429, "Too many wrong codes. Try again in a minute.")
    return counter


def join(code: str, name: str) -> tuple[Student, str]:
    """A new student of the class with this code, and the token. Raises JoinRefused."""
    token = secrets.token_urlsafe(32)
    school_class = Class.objects.filter(code=normal_code(code)).first()
    if school_class is None:
        raise JoinRefused(403, "No class has this code. Ask your instructor for it.", "code")
    students = school_class.students
    if students.count() >= MAX_STUDENTS:
        raise JoinRefused(409, f"This class is full: it has {MAX_STUDENTS} students.", "code")
    try:
        with transaction.atomic():
            Class.objects.filter(pk=school_class.pk).update(last_activity=timezone.now())
            last = students.order_by("-number").values_list("number", flat=True).first() or 0
            student = students.create(
                name=name, name_key=name_key(name), number=last + 1, token_digest=digest(token)
            )
    except IntegrityError:
        raise JoinRefused(
            409,
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
