"""A mixin that logs each event of a consumer, for tools that know requests only."""

import logging

import pytest
from channels.testing import WebsocketCommunicator

import async_demo.consumers
import sync_demo.consumers
from tests.notes.sample_project.observed import Observed
from tests.support.programs.running_program import TEST_TIMEOUT


class AsyncEcho(Observed, async_demo.consumers.Echo):
    pass


class SyncEcho(Observed, sync_demo.consumers.Echo):
    pass


@pytest.mark.parametrize("echo", [AsyncEcho, SyncEcho])
async def test_the_mixin_logs_each_event_and_its_duration(echo, caplog):
    caplog.set_level(logging.INFO, "mysite.events")
    client = WebsocketCommunicator(echo.as_asgi(), "/")
    await client.connect(TEST_TIMEOUT)
    await client.send_to(text_data="hello")
    assert await client.receive_from(TEST_TIMEOUT) == "hello"
    await client.disconnect(timeout=TEST_TIMEOUT)
    events = ["websocket.connect", "websocket.receive", "websocket.disconnect"]
    lines = [record.getMessage().split() for record in caplog.records]
    assert [line[:2] for line in lines] == [[echo.__name__, event] for event in events]
    assert all(float(line[2]) > 0 and line[3] == "ms" for line in lines)
    assert {record.levelname for record in caplog.records} == {"INFO"}


async def test_the_mixin_logs_an_error_and_raises_it(caplog):
    class Broken(AsyncEcho):
        async def websocket_receive(self, event):
            raise ZeroDivisionError

    client = WebsocketCommunicator(Broken.as_asgi(), "/")
    await client.connect(TEST_TIMEOUT)
    await client.send_to(text_data="hello")
    with pytest.raises(ZeroDivisionError):
        await client.wait(TEST_TIMEOUT)
    [record] = [one for one in caplog.records if one.name == "mysite.events"]
    assert (record.levelname, record.exc_info[0]) == ("ERROR", ZeroDivisionError)
