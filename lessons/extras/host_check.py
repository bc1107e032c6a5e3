"""The checks that Django makes for its views, for a consumer that answers HTTP."""

from functools import wraps

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.urls import path


def with_host_check(application):
    """Answer a Host that is not in ALLOWED_HOSTS with 400, and pages of other sites with 403."""

    @wraps(application)
    async def checked(scope, receive, send):
        request = ASGIRequest(scope, None)
        try:
            host = request.get_host()
        except DisallowedHost:
            await respond(send, 400)
            return
        # A browser names the page's site in Origin, at least in requests that are not GET.
        if request.headers.get("Origin") in (None, f"http://{host}", f"https://{host}"):
            await application(scope, receive, send)
        else:
            await respond(send, 403)

    return checked


def with_host_checks(urlpatterns, unchecked):
    """Return the routes with the check around each application, except on the path `unchecked`."""
    routes = [(str(entry.pattern), entry.callback) for entry in urlpatterns]
    return [
        path(route, application if route == unchecked else with_host_check(application))
        for route, application in routes
    ]


async def respond(send, status):
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
