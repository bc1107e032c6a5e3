"""A handshake with an unknown path is rejected with 403 and one line in the log."""

import asyncio

import pytest
from channels.routing import URLRouter
from django.urls import path
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.page.unknown_path import reject_unknown_paths
from sync_demo.consumers import Echo
from tests.support.programs.real_daphne import RealDaphne

application = reject_unknown_paths(URLRouter([path("ws/echo/", Echo.as_asgi())]))


def test_rejects_an_unknown_path_with_403_and_one_line():
    with RealDaphne("project", "project") as server:
        host = f"127.0.0.1:{server.port}"
        with pytest.raises(InvalidStatus, match="HTTP 403"):
            connect(f"ws://{host}/ws/nowhere/", origin=f"http://{host}", proxy=None).__enter__()
        server.wait_for_line("log No route for the path of a WebSocket: '/ws/nowhere/'")
        with connect(f"ws://{host}/ws/sync/frames/", origin=f"http://{host}", proxy=None) as client:
            client.send("hello")
            assert client.recv() == "hello"
        assert server.lines == []


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
