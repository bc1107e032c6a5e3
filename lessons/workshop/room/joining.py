"""How a student's workshop joins a class: one request, without cookies."""

import secrets
import unicodedata

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from lessons.workshop.member import protocol
from lessons.workshop.member.protocol import Refused
from lessons.workshop.room.models import MAX_STUDENT_NAME, Class, Student, written_code


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
def join_class(request):
    """Answer with the student's token, or with why the student did not join.

    Guesses need no limit: of 6 * 10**11 codes, a laptop tries some hundred in a second.
    """
    try:
        wish = protocol.decode(request.body, protocol.Join)
        student, token = join(wish.code, wish.name)
        joined = student.school_class
        answer = protocol.Joined(token, student.name, joined.name, joined.todays_lessons)
    except Refused as error:
        answer = protocol.NotJoined(str(error), error.field)
    status = 200 if isinstance(answer, protocol.Joined) else 400
    text = protocol.encode(answer)
    return HttpResponse(text, content_type="application/json", status=status)


def join(code: str, name: str) -> tuple[Student, str]:
    """A new student of the class with this code, and the token. Raises Refused."""
    name, token = clean_name(name), secrets.token_urlsafe(32)
    school_class = Class.objects.filter(code=written_code(code)).first()
    if school_class is None:
        raise Refused("No class has this code. Ask your instructor for it.", "code")
    students = school_class.students
    # The same text for names that differ in case or in the width of letters only.
    key = unicodedata.normalize("NFKC", name.casefold()).casefold()[:120]
    try:
        with transaction.atomic():
            Class.objects.filter(pk=school_class.pk).update(last_activity=timezone.now())
            last = students.order_by("-number").values_list("number", flat=True).first() or 0
            student = students.create(
                name=name, name_key=key, number=last + 1, token_digest=digest(token)
            )
    except IntegrityError:
        raise Refused(
            f"The name {name} is taken. If it is yours, ask your instructor to remove it from the "
            "board: your workshop then reports everything again. Otherwise take another name.",
            "name",
        ) from None
    return student, token


def clean_name(name: str) -> str:
    """A student's name as the board shows it. Raises Refused."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    is_visible = name.isprintable() and "\ufffd" not in name and any(map(str.isalnum, name))
    if len(name) > MAX_STUDENT_NAME or not is_visible:
        text = f"A name has 1 to {MAX_STUDENT_NAME} visible characters: one is a letter or a digit."
        raise Refused(text, "name")
    return name


def digest(token: str) -> str:
    """What the database stores of a token. Guesses need the secret key, too."""
    return salted_hmac(__name__, token, algorithm="sha256").hexdigest()


def student_of(token: str) -> Student | None:
    """The student whose workshop has this token, with the class."""
    found = Student.objects.filter(token_digest=digest(token))
    return found.select_related("school_class").first()
