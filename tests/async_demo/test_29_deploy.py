"""Lesson 29: ConnectionLog answers health checks, and logs one line for each connection."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from channels.testing import HttpCommunicator, WebsocketCommunicator

from async_demo import connection_log, consumers
from async_demo.asgi import application
from async_demo.connection_log import ConnectionLog
from async_demo.consumers import SlowEcho

PATH = "/ws/async/deploy/"


@pytest.fixture
def work_is_done(monkeypatch):
    """SlowEcho works until this event instead of for a second."""
    event = asyncio.Event()
    monkeypatch.setattr(consumers, "asyncio", SimpleNamespace(sleep=lambda _: event.wait()))
    return event


@pytest.fixture
def log(caplog, monkeypatch):
    """What is logged while the clock stands still."""
    loop = SimpleNamespace(time=lambda: 0.0)
    monkeypatch.setattr(connection_log, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    caplog.set_level(logging.INFO, "async_demo.connection_log")
    return caplog


async def connect(application):
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    return client


async def health(application):
    request = HttpCommunicator(application, "GET", "/async/health/")
    return (await request.get_response())["body"].decode()


async def test_a_health_check_needs_no_allowed_host(settings):
    settings.ALLOWED_HOSTS = []
    headers = [(b"host", b"10.0.0.7")]  # a load balancer sends the address of the server
    request = HttpCommunicator(application, "GET", "/async/health/", headers=headers)
    response = await request.get_response()
    assert response["status"] == 200
    assert response["headers"] == [(b"content-type", b"text/plain")]
    assert response["body"] == b"ok, open: 0, busy: 0\n"


async def test_the_health_check_counts_open_and_busy_connections(work_is_done):
    logged = ConnectionLog(SlowEcho.as_asgi())
    first, second = await connect(logged), await connect(logged)
    await second.send_to(text_data="hello")
    assert await second.receive_nothing(timeout=0.02)
    assert await health(logged) == "ok, open: 2, busy: 1\n"
    assert await health(ConnectionLog(SlowEcho.as_asgi())) == "ok, open: 0, busy: 0\n"
    work_is_done.set()
    assert await second.receive_from() == "hello"
    assert await second.receive_nothing(timeout=0.02)
    assert await health(logged) == "ok, open: 2, busy: 0\n"
    await first.disconnect()
    await second.disconnect()
    assert await health(logged) == "ok, open: 0, busy: 0\n"


async def test_the_routes_of_both_protocols_share_one_instance():
    client = await connect(application)
    assert await health(application) == "ok, open: 1, busy: 0\n"
    await client.disconnect()
    assert await health(application) == "ok, open: 0, busy: 0\n"


async def test_logs_one_line_when_a_connection_ends(log, work_is_done):
    work_is_done.set()
    client = await connect(ConnectionLog(SlowEcho.as_asgi()))
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "hello"
    await client.send_to(bytes_data=b"hello")
    assert await client.receive_from() == ""
    await client.disconnect(code=3001)
    assert log.messages == [f"{PATH} code 3001, 0.0 s, in: 2, out: 2"]


async def test_logs_the_exception_that_ended_a_connection_and_forgets_the_connection(log):
    logged = ConnectionLog(SlowEcho.as_asgi())
    client = await connect(logged)
    await client.send_input({"type": "no.such.handler"})
    with pytest.raises(ValueError, match="No handler for message type"):
        await client.wait()
    assert log.messages == [f"{PATH} ValueError, 0.0 s, in: 0, out: 0"]
    assert await health(logged) == "ok, open: 0, busy: 0\n"


async def test_logs_a_connection_that_the_server_cancels(log):
    async def wait(scope, receive, send):
        await asyncio.Event().wait()

    logged = ConnectionLog(wait)
    client = WebsocketCommunicator(logged, PATH)
    assert await client.receive_nothing(timeout=0.02)
    assert await health(logged) == "ok, open: 1, busy: 0\n"  # it has read no event yet
    client.stop()  # cancels the consumer, as a server that stops does
    await client.wait()
    assert log.messages == [f"{PATH} CancelledError, 0.0 s, in: 0, out: 0"]


async def test_logs_a_connection_without_a_disconnect(log):
    async def reject(scope, receive, send):
        await send({"type": "websocket.close"})

    client = WebsocketCommunicator(ConnectionLog(reject), PATH)
    assert await client.connect() == (False, 1000)
    await client.wait()
    assert log.messages == [f"{PATH} no disconnect, 0.0 s, in: 0, out: 0"]
