"""The door of a shared workshop: without its token no page, no socket and no static file.

The first URL carries the token, as Jupyter's does. The answer is a cookie, and a redirect to the
URL without the token, so that it does not stay in the address bar.
"""

from io import BytesIO

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse, HttpResponseForbidden
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare
from django.utils.encoding import escape_uri_path

from lessons.workshop.page.live.feed import cookies_of
from lessons.workshop.setup.access_token import PARAMETER, cookie, token

COOKIE_AGE = 30 * 24 * 3600  # seconds
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
}


def with_token(application):
    """Let only those in who have the cookie, or who send the token in a GET request."""
    handler = ASGIHandler()

    async def guarded(scope, receive, send):
        if scope["type"] == "websocket" and not _opens(cookies_of(scope)):
            await send({"type": "websocket.close"})  # before the accept: HTTP 403
            return
        if scope["type"] == "http":
            request, response = handler.create_request(scope, BytesIO())
            if response := response or _answer(request):
                await handler.send_response(response, send)
                return
        await application(scope, receive, send)

    return guarded


def _opens(cookies: dict[str, str]) -> bool:
    name, value = cookie()
    return constant_time_compare(cookies.get(name, ""), value)


def _answer(request) -> HttpResponse | None:
    """What the door answers. None lets the request in."""
    given = request.GET.get(PARAMETER, "").strip()
    if request.method == "GET" and constant_time_compare(given, token()):
        return _welcome(request)
    if _opens(request.COOKIES):
        return None
    return HttpResponseForbidden(render_to_string("lessons/token.html"), headers=HEADERS)


def _welcome(request) -> HttpResponse:
    """The cookie, and a redirect to the same URL without the token."""
    others = request.GET.copy()
    del others[PARAMETER]
    # With two slashes at the beginning, a browser would read the path as another host.
    url = "/" + escape_uri_path(request.path.lstrip("/\\"))
    url += f"?{others.urlencode()}" if others else ""
    response = HttpResponse(status=303, headers={"Location": url})
    attributes = {"max_age": COOKIE_AGE, "httponly": True, "samesite": "Lax"}
    response.set_cookie(*cookie(), secure=settings.HTTPS, **attributes)
    return response
