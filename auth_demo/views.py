"""Lessons 18 and 24: the views that give a ticket or a token to a client without cookies."""

from django.contrib.auth import authenticate
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from auth_demo import tickets, tokens


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
@sensitive_post_parameters("password")  # keep the password out of error reports
def ticket(request):
    """Return a ticket for the user name and password in the request's body."""
    return _answer(request, "ticket", tickets.issue)


@csrf_exempt
@never_cache
@require_POST
@sensitive_post_parameters("password")
def token(request):
    """Return a token for the user name and password in the request's body."""
    return _answer(request, "token", tokens.issue)


def _answer(request, kind, issue):
    name, password = request.POST.get("username"), request.POST.get("password")
    user = authenticate(request, username=name, password=password)
    if user is None:
        return JsonResponse({"error": "wrong name or password"}, status=403)
    return JsonResponse({kind: issue(user)})
