"""Lesson 18: where a client without cookies gets its ticket."""

from django.contrib.auth import authenticate
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from auth_demo.tickets import issue


@csrf_exempt  # no cookie is looked at, so no other site's page can make use of one
@never_cache
@require_POST
@sensitive_post_parameters("password")  # an error page shows what was posted
def ticket(request):
    """A ticket, for a name and a password in the request's body."""
    user = authenticate(
        request,
        username=request.POST.get("username"),
        password=request.POST.get("password"),
    )
    if user is None:
        return JsonResponse({"error": "wrong name or password"}, status=403)
    return JsonResponse({"ticket": issue(user)})
