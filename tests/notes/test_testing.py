"""What NOTES.md says about communicators and the live server."""

from pathlib import Path

import pytest
from channels.testing import (
    ChannelsLiveServerTestCase,
    HttpCommunicator,
    WebsocketCommunicator,
)
from channels.testing.live import set_database_connection
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from async_demo.consumers import Shelf


async def test_http_communicator_sends_one_piece_and_no_disconnect():
    received = []

    async def listener(scope, receive, send):
        received.append(await receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})
        received.append(await receive())

    client = HttpCommunicator(listener, "POST", "/", body=b"x" * 20_000)
    await client.get_response()
    assert received == [{"type": "http.request", "body": b"x" * 20_000}]
    client.stop()


def test_websocket_communicator_sends_neither_origin_nor_host():
    assert WebsocketCommunicator(Shelf.as_asgi(), "/a/?b=c").scope == {
        "type": "websocket",
        "path": "/a/",
        "query_string": b"b=c",
        "headers": [],
        "subprotocols": [],
    }


def test_the_live_server_uses_the_test_database_named_in_the_settings(monkeypatch):
    entry = {"NAME": "db.sqlite3", "TEST": {"NAME": "test.sqlite3"}}
    monkeypatch.setitem(settings.DATABASES, "default", entry)
    set_database_connection()
    assert entry["NAME"] == "test.sqlite3"


def test_the_live_server_fails_on_the_path_that_startproject_writes(monkeypatch):
    entry = {"NAME": Path("db.sqlite3"), "TEST": {"NAME": None}}
    monkeypatch.setitem(settings.DATABASES, "default", entry)
    with pytest.raises(TypeError, match="can only concatenate str"):
        set_database_connection()


def test_the_live_server_refuses_a_database_in_memory(monkeypatch):
    monkeypatch.setattr(ChannelsLiveServerTestCase, "_is_in_memory_db", lambda connection: True)
    with pytest.raises(ImproperlyConfigured, match="can not be used with in memory databases"):
        ChannelsLiveServerTestCase.setUpClass()
