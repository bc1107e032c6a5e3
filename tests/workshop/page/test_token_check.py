"""The door of a shared workshop: who enters, who does not, and what the cookie is like."""

import pytest
from asgiref.testing import ApplicationCommunicator

from lessons.workshop.page.token_check import with_token
from lessons.workshop.setup.access_token import cookie, token

NAME, VALUE = cookie()
COOKIE = (b"cookie", f"other=1; {NAME}={VALUE}".encode())


async def application(scope, receive, send):
    """Says that the request arrived."""
    await receive()
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})
    else:
        await send({"type": "websocket.accept"})


def http(path="/", query="", method="GET", headers=()):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": list(headers),
    }


async def answer_to(scope):
    """The status, the headers as a dict, and the body."""
    client = ApplicationCommunicator(with_token(application), scope)
    await client.send_input({"type": "http.request", "body": b""})
    start, body = await client.receive_output(), await client.receive_output()
    headers = {name.lower(): value for name, value in start["headers"]}
    return start["status"], headers, body["body"]


async def test_without_the_token_nothing_is_served():
    status, headers, body = await answer_to(http("/static/lessons/common/page.css"))
    assert (status, headers[b"referrer-policy"]) == (403, b"no-referrer")
    assert headers[b"cache-control"] == b"no-store"
    assert b"This workshop needs a token" in body
    assert token().encode() not in body


WRONG = [token()[:-1], token().upper(), f"{token()}x", "", "%00", "é", VALUE]
WRONG_COOKIES = [token(), VALUE[:-1], "", "é", f'"{VALUE}']


@pytest.mark.parametrize(
    "attempt",
    [
        *({"query": f"token={wrong}"} for wrong in WRONG),
        *({"headers": [(b"cookie", f"{NAME}={one}".encode())]} for one in WRONG_COOKIES),
        {"query": f"token={token()}", "method": "POST"},
    ],
)
async def test_a_wrong_token_and_a_wrong_cookie_do_not_open_the_door(attempt):
    status, headers, _ = await answer_to(http(**attempt))
    assert status == 403
    assert b"set-cookie" not in headers


@pytest.mark.parametrize("is_https", [False, True])
async def test_the_token_becomes_a_cookie_and_leaves_the_address(settings, is_https):
    settings.HTTPS = is_https
    query = f"q=a%20b&token={token()}&q=c"
    status, headers, _ = await answer_to(http("/search/", query))
    assert (status, headers[b"location"]) == (303, b"/search/?q=a+b&q=c")
    name, *attributes = headers[b"set-cookie"].decode().split("; ")
    assert name == f"{NAME}={VALUE}"
    assert {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"} < {*attributes}
    assert ("Secure" in attributes) is is_https


@pytest.mark.parametrize("path", ["//evil.test/", "/\\evil.test/", "///evil.test"])
async def test_the_redirect_stays_on_this_host(path):
    _, headers, _ = await answer_to(http(path, f"token={token()}"))
    assert headers[b"location"].startswith(b"/evil.test")


async def test_with_the_cookie_everything_is_served():
    assert await answer_to(http(headers=[COOKIE])) == (200, {}, b"inside")


@pytest.mark.parametrize(
    "query, headers, kind",
    [("", [], "close"), (f"token={token()}", [], "close"), ("", [COOKIE], "accept")],
)
async def test_a_socket_needs_the_cookie_and_takes_no_token_in_its_url(query, headers, kind):
    scope = {**http(query=query, headers=headers), "type": "websocket"}
    client = ApplicationCommunicator(with_token(application), scope)
    await client.send_input({"type": "websocket.connect"})
    assert (await client.receive_output())["type"] == f"websocket.{kind}"


def test_the_token_and_the_cookie_depend_on_the_secret_key(settings):
    before = token(), *cookie()
    settings.SECRET_KEY = "another"
    assert not {*before} & {token(), *cookie()}
