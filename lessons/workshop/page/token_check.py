"""The door of a shared workshop: without its token no page, no socket and no static file.

The first URL carries the token, as Jupyter's does. The answer is a cookie, and a redirect to the
URL without the token, so that it does not stay in the address bar.
"""

from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseForbidden, parse_cookie
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare

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

    async def guarded(scope, receive, send):
        is_http = scope["type"] == "http"
        if is_http and _has_token(scope):
            await _send(_welcome(scope), send)
        elif scope["type"] not in {"http", "websocket"} or _has_cookie(scope):
            await application(scope, receive, send)
        elif is_http:
            page = render_to_string("lessons/token.html")
            await _send(HttpResponseForbidden(page, headers=HEADERS), send)
        else:
            await send({"type": "websocket.close"})  # before the accept: HTTP 403

    return guarded


def _has_token(scope) -> bool:
    given = dict(_parameters(scope)).get(PARAMETER, "").strip()
    return scope["method"] == "GET" and constant_time_compare(given, token())


def _has_cookie(scope) -> bool:
    name, value = cookie()
    sent = b"; ".join(value for header, value in scope["headers"] if header == b"cookie")
    return constant_time_compare(parse_cookie(sent.decode("latin1")).get(name, ""), value)


def _parameters(scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True)


def _welcome(scope) -> HttpResponse:
    """The cookie, and a redirect to the same URL without the token."""
    others = [(name, value) for name, value in _parameters(scope) if name != PARAMETER]
    # With two slashes at the beginning, a browser would read the path as another host.
    url = "/" + scope.get("raw_path", scope["path"].encode()).decode("latin1").lstrip("/\\")
    url += f"?{urlencode(others)}" if others else ""
    response = HttpResponse(status=303, headers={"Location": url})
    attributes = {"max_age": COOKIE_AGE, "httponly": True, "samesite": "Lax"}
    response.set_cookie(*cookie(), secure=settings.HTTPS, **attributes)
    return response


async def _send(response: HttpResponse, send) -> None:
    headers = [(name.encode(), value.encode("latin1")) for name, value in response.items()]
    headers += [(b"Set-Cookie", one.OutputString().encode()) for one in response.cookies.values()]
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.content})
