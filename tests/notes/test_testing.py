"""What NOTES.md says about communicators, the live server and JSON."""

import datetime
import json
from pathlib import Path

import pytest
from channels.testing import (
    ApplicationCommunicator,
    ChannelsLiveServerTestCase,
    HttpCommunicator,
    WebsocketCommunicator,
)
from channels.testing.live import set_database_connection
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder

from async_demo.consumers import Shelf
from async_demo.generic_http import RawLength
from layers_demo.consumers import PrimesWorker
from tests.support.programs.running_program import TEST_TIMEOUT


async def test_http_communicator_joins_the_pieces_of_the_response():
    client = HttpCommunicator(RawLength.as_asgi(), "POST", "/", body=b"hello")
    assert await client.get_response(TEST_TIMEOUT) == {
        "status": 200,
        "headers": [(b"content-type", b"text/plain")],
        "body": b"5 bytes\n",
    }


async def test_http_communicator_sends_one_piece_and_no_disconnect():
    received = []

    async def listener(scope, receive, send):
        received.append(await receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})
        received.append(await receive())

    client = HttpCommunicator(listener, "POST", "/", body=b"x" * 20_000)
    await client.get_response(TEST_TIMEOUT)
    assert received == [{"type": "http.request", "body": b"x" * 20_000}]
    client.stop()


async def test_application_communicator_accepts_any_scope_and_any_event():
    worker = ApplicationCommunicator(
        PrimesWorker.as_asgi(), {"type": "channel", "channel": "primes"}
    )
    await worker.send_input({"type": "primes.factor"})  # without the number
    with pytest.raises(KeyError, match="number"):
        await worker.wait(TEST_TIMEOUT)


async def test_websocket_communicator_sends_neither_origin_nor_host():
    client = WebsocketCommunicator(Shelf.as_asgi(), "/a/?b=c")
    assert client.scope == {
        "type": "websocket",
        "path": "/a/",
        "query_string": b"b=c",
        "headers": [],
        "subprotocols": [],
    }


@pytest.fixture
def database(monkeypatch):
    """`database(name, test_name)`: an entry for the default database, which the call may change."""

    def named(name, test_name=None):
        entry = {"NAME": name, "TEST": {"NAME": test_name}}
        monkeypatch.setitem(settings.DATABASES, "default", entry)
        return entry

    return named


def test_the_live_server_uses_the_test_database_named_in_the_settings(database):
    entry = database("db.sqlite3", "test.sqlite3")
    set_database_connection()
    assert entry["NAME"] == "test.sqlite3"


def test_the_live_server_fails_on_the_path_that_startproject_writes(database):
    database(Path("db.sqlite3"))
    with pytest.raises(TypeError, match="can only concatenate str"):
        set_database_connection()


def test_the_live_server_refuses_a_database_in_memory(monkeypatch):
    monkeypatch.setattr(ChannelsLiveServerTestCase, "_is_in_memory_db", lambda connection: True)
    with pytest.raises(ImproperlyConfigured, match="can not be used with in memory databases"):
        ChannelsLiveServerTestCase.setUpClass()


# JSON


def test_json_has_seven_types_and_no_dates():
    fit = {"a": None, "b": True, "c": 1, "d": 1.5, "e": "ä", "f": [1], "g": {"h": 2}}
    assert json.loads(json.dumps(fit)) == fit
    for value in (datetime.date(2026, 1, 1), {1, 2}, b"bytes"):
        with pytest.raises(TypeError, match="is not JSON serializable"):
            json.dumps(value)
    assert json.dumps(datetime.date(2026, 1, 1), cls=DjangoJSONEncoder) == '"2026-01-01"'


def test_json_turns_tuples_into_lists_and_keys_into_strings():
    assert json.loads(json.dumps({"pair": (1, 2), "keys": {1: "one"}})) == {
        "pair": [1, 2],
        "keys": {"1": "one"},
    }


def test_nan_is_written_although_it_is_not_json():
    assert json.dumps(float("nan")) == "NaN"
    with pytest.raises(ValueError, match="not JSON compliant"):
        json.dumps(float("nan"), allow_nan=False)


@pytest.mark.parametrize("text", ["", "hello", "{'a': 1}", '{"a": 1,}'])
def test_invalid_json_raises_a_value_error(text):
    with pytest.raises(ValueError, match=r"char \d+"):
        json.loads(text)
