"""The door of a shared workshop: without its token no page, no socket and no static file.

The first URL carries the token, as Jupyter's does. The answer is a cookie, and a redirect to the
URL without the token, so that it does not stay in the address bar.
"""

from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare

from lessons.workshop.setup.access_token import PARAMETER, cookie, token

COOKIE_AGE = 30 * 24 * 3600  # seconds
PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>This workshop needs a token</title>
<style>body{font:1.1rem/1.5 system-ui;max-width:34rem;margin:12vh auto;padding:0 1rem}
input,button{font:inherit;padding:.3rem .6rem;max-width:100%}</style>
<main><h1>This workshop needs a token</h1>
<p>Open the address that the terminal printed when the workshop started. It ends with
<code>?token=</code> and the token. Or enter the token here:</p>
<form><label>Token <input name="token" type="password" required autocomplete="off"></label>
<button>Enter</button></form></main></html>
"""
HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
]


def with_token(application):
    """Let only those in who have the cookie, or who send the token in a GET request."""

    async def guarded(scope, receive, send):
        if scope["type"] not in {"http", "websocket"}:
            await application(scope, receive, send)
        elif scope["type"] == "http" and _has_token(scope):
            await _respond(send, 303, [(b"location", _without_token(scope)), _set_cookie()])
        elif _has_cookie(scope):
            await application(scope, receive, send)
        elif scope["type"] == "http":
            await _respond(send, 403, HEADERS, b"" if scope["method"] == "HEAD" else PAGE)
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


def _without_token(scope) -> bytes:
    others = [(name, value) for name, value in _parameters(scope) if name != PARAMETER]
    # With two slashes at the beginning, a browser would read the path as another host.
    path = b"/" + scope.get("raw_path", scope["path"].encode()).lstrip(b"/\\")
    return path + (b"?" + urlencode(others).encode() if others else b"")


def _set_cookie() -> tuple[bytes, bytes]:
    name, value = cookie()
    morsel = SimpleCookie({name: value})[name]
    morsel.update({"path": "/", "max-age": COOKIE_AGE, "httponly": True, "samesite": "Lax"})
    morsel["secure"] = bool(settings.HTTPS)
    return b"set-cookie", morsel.OutputString().encode()


async def _respond(send, status: int, headers: list, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
