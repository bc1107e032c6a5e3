"""Lesson 18: the view that gives a ticket to a client without cookies."""

from django.contrib.auth import authenticate
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from auth_demo.tickets import issue


@csrf_exempt  # this view reads no cookie, so another site cannot use one
@never_cache
@require_POST
@sensitive_post_parameters("password")  # keep the password out of error reports
def ticket(request):
    """Return a ticket for the user name and password in the request's body."""
    user = authenticate(
        request,
        username=request.POST.get("username"),
        password=request.POST.get("password"),
    )
    if user is None:
        return JsonResponse({"error": "wrong name or password"}, status=403)
    return JsonResponse({"ticket": issue(user)})
