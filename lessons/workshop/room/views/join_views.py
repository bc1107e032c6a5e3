"""How a student's workshop joins a class: one request, without cookies."""

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from lessons.workshop.member.protocol import InvalidFrame, name_key, parse_join
from lessons.workshop.room.guess_limit import GuessRefused, count_guess, forget_guess
from lessons.workshop.room.store.joining import JoinRefused, join

MAX_BODY = 4_096  # bytes


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
@sensitive_variables()
def join_class(request):
    """Answer with the student's token, or with why the student did not join: see protocol.py."""
    try:
        if len(request.body) > MAX_BODY:
            raise InvalidFrame(f"A request to join may have {MAX_BODY:,} bytes at most.")
        wish = parse_join(request.body)
        name = name_key(wish["name"]) if wish["place"] else ""
        counters = count_guess(request.META.get("REMOTE_ADDR", ""), name)
    except InvalidFrame as error:
        return _refuse(400, str(error))
    except GuessRefused as error:
        return _refuse(error.status, str(error), {"Retry-After": str(error.wait)})
    try:
        joined = join(**wish)
    except JoinRefused as error:
        if error.status != 403:
            forget_guess(counters)
        return _refuse(error.status, str(error), field=error.field)
    forget_guess(counters)
    return JsonResponse(
        {
            "token": joined.token,
            "place": joined.place,
            "name": joined.student.name,
            "class": joined.student.school_class.name,
        }
    )


def _refuse(status: int, reason: str, headers: dict | None = None, **details: str) -> JsonResponse:
    return JsonResponse({"error": reason, **details}, status=status, headers=headers)
