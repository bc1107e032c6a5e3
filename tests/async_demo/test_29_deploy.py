"""Lesson 29's worked example: a middleware answers health checks and logs each connection."""

import asyncio
import logging
import re

import pytest
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator, WebsocketCommunicator

from async_demo.connection_log import ConnectionLog
from async_demo.consumers import SlowEcho

PATH = "/ws/async/deploy/"
HEALTH = "/async/health/"
TIMEOUT = 5  # seconds


async def ask_health(application):
    response = await HttpCommunicator(application, "GET", HEALTH).get_response(TIMEOUT)
    assert response["status"] == 200
    assert response["headers"] == [(b"content-type", b"text/plain")]
    return response["body"]


def test_the_health_check_counts_open_and_busy_connections():
    async def conversation():
        application = ConnectionLog(SlowEcho.as_asgi())
        assert await ask_health(application) == b"ok, open: 0, busy: 0\n"
        first, second = (WebsocketCommunicator(application, PATH) for _ in range(2))
        await first.connect()
        await second.connect()
        await second.send_to(text_data="hello")
        assert await second.receive_nothing()
        assert await ask_health(application) == b"ok, open: 2, busy: 1\n"
        await second.receive_from(TIMEOUT)
        assert await second.receive_nothing()
        assert await ask_health(application) == b"ok, open: 2, busy: 0\n"
        await first.disconnect()
        await second.disconnect()
        assert await ask_health(application) == b"ok, open: 0, busy: 0\n"

    async_to_sync(conversation)()


def test_logs_one_line_when_a_connection_ends(caplog):
    async def conversation():
        client = WebsocketCommunicator(ConnectionLog(SlowEcho.as_asgi()), PATH)
        await client.connect()
        await client.send_to(text_data="hello")
        assert await client.receive_from(TIMEOUT) == "hello"
        assert not caplog.records
        await client.disconnect(code=3001)

    caplog.set_level(logging.INFO, "async_demo.connection_log")
    async_to_sync(conversation)()
    [record] = caplog.records
    line = rf"{PATH} code 3001, \d\.\d s, in: 1, out: 1"
    assert record.levelname == "INFO"
    assert re.fullmatch(line, record.getMessage())


def test_logs_the_exception_that_ended_a_connection_and_forgets_the_connection(caplog):
    async def conversation():
        client = WebsocketCommunicator(application, PATH)
        await client.connect()
        await client.send_to(bytes_data=b"hello")
        with pytest.raises(ZeroDivisionError):
            await client.wait(TIMEOUT)
        assert await ask_health(application) == b"ok, open: 0, busy: 0\n"

    class Broken(SlowEcho):
        async def websocket_receive(self, event):
            raise ZeroDivisionError

    caplog.set_level(logging.INFO, "async_demo.connection_log")
    application = ConnectionLog(Broken.as_asgi())
    async_to_sync(conversation)()
    [record] = caplog.records
    assert f"{PATH} ZeroDivisionError, " in record.getMessage()
    assert record.getMessage().endswith(", in: 1, out: 0")


def test_logs_a_cancelled_connection(caplog):
    async def conversation():
        async def wait(scope, receive, send):
            await asyncio.Event().wait()

        application = ConnectionLog(wait)
        task = asyncio.create_task(application({"type": "websocket", "path": PATH}, None, None))
        await asyncio.sleep(0)
        assert await ask_health(application) == b"ok, open: 1, busy: 0\n"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    caplog.set_level(logging.INFO, "async_demo.connection_log")
    async_to_sync(conversation)()
    [record] = caplog.records
    assert record.getMessage() == f"{PATH} CancelledError, 0.0 s, in: 0, out: 0"


# ── What only the strict communicator sees ──
# Its clock is simulated, so a second takes no time and each duration is exact. And the project's
# own application is not a part of an empty project.

from channels.routing import URLRouter
from django.test import Client

from async_demo.routing import http_urlpatterns, websocket_urlpatterns
from lessons import asgi
from lessons.workshop.judge import StrictCommunicator, StrictHttpCommunicator


async def health_of(application):
    response = await StrictHttpCommunicator(application, "GET", HEALTH).get_response()
    assert response["status"] == 200
    return response["body"]


async def test_answers_each_frame_after_a_second(caplog):
    caplog.set_level(logging.INFO, "async_demo.connection_log")
    async with StrictCommunicator(ConnectionLog(SlowEcho.as_asgi()), PATH) as client:
        assert await client.connect() == (True, None)
        client.expect()
        await client.send_to(text_data="hello")
        assert await client.receive_nothing(timeout=0.9)
        assert await client.receive_from(timeout=0.2) == "hello"
        await client.send_to(bytes_data=b"hello")
        assert await client.receive_from(timeout=1.1) == ""
    assert [it.getMessage() for it in caplog.records] == [f"{PATH} code 1001, 2.0 s, in: 2, out: 2"]


async def test_each_connection_and_each_instance_counts_alone(caplog):
    caplog.set_level(logging.INFO, "async_demo.connection_log")
    application, other = (ConnectionLog(SlowEcho.as_asgi()) for _ in range(2))
    async with StrictCommunicator(application, PATH) as first:
        await first.connect()
        await asyncio.sleep(2)
        async with StrictCommunicator(application, PATH) as second:
            await second.connect()
            assert await health_of(application) == b"ok, open: 2, busy: 0\n"
            assert await health_of(other) == b"ok, open: 0, busy: 0\n"
            await first.disconnect()
    assert [it.getMessage() for it in caplog.records] == [
        f"{PATH} code 1000, 2.0 s, in: 0, out: 0",
        f"{PATH} code 1001, 0.0 s, in: 0, out: 0",
    ]


async def test_logs_a_connection_without_a_disconnect(caplog):
    async def reject(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    caplog.set_level(logging.INFO, "async_demo.connection_log")
    async with StrictCommunicator(ConnectionLog(reject), PATH) as client:
        assert await client.connect() == (False, 1000)
    assert [it.getMessage() for it in caplog.records] == [
        f"{PATH} no disconnect, 0.0 s, in: 0, out: 0"
    ]


async def test_the_routes_of_both_protocols_share_one_instance():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await client.connect()
        assert await health_of(URLRouter(http_urlpatterns)) == b"ok, open: 1, busy: 0\n"


def test_a_health_check_needs_no_allowed_host():
    async def check():
        request = HttpCommunicator(
            asgi.application, "GET", HEALTH, headers=[(b"host", b"10.0.0.7")]
        )
        return (await request.get_response(TIMEOUT))["status"]

    assert async_to_sync(check)() == 200
    assert Client().get("/", headers={"host": "10.0.0.7"}).status_code == 400
