"""A handshake with an unknown path is rejected, with one line in the log."""

import asyncio

import pytest
from channels.routing import URLRouter
from django.urls import path

from lessons.workshop.page.unknown_path import reject_unknown_paths
from sync_demo.consumers import Echo

application = reject_unknown_paths(URLRouter([path("ws/echo/", Echo.as_asgi())]))


async def test_a_path_in_the_log_is_escaped_and_cut(caplog):
    sent = asyncio.Queue()
    scope = {"type": "websocket", "path": "/a\nb\x1b[31mé" + "x" * 1000}
    await application(scope, None, sent.put)
    assert sent.get_nowait() == {"type": "websocket.close"}
    (line,) = caplog.messages
    assert line.partition(": ")[2] == r"'/a\nb\x1b[31m\xe9".ljust(200, "x")
    assert caplog.records[0].levelname == "WARNING"


@pytest.mark.parametrize("error", [ValueError("another"), LookupError("No route found for path ")])
async def test_another_exception_passes(error):
    async def fails(scope, receive, send):
        raise error

    with pytest.raises(type(error)) as raised:
        await reject_unknown_paths(fails)({"type": "websocket", "path": "/"}, None, None)
    assert raised.value is error
