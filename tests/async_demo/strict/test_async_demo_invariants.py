"""The rules that every consumer of async_demo keeps.

Strict, because the stock communicator cancels a consumer that does not stop, and its test passes.
The strict one also checks that a consumer ends in time when the server cancels it.
"""

import asyncio

import pytest

from async_demo.asgi import application
from lessons.workshop.engine.world.database import fresh_database
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator

# A path, and a frame after which a handler or a task of the consumer is busy.
CONNECTIONS = pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/ws/async/await/", None),
        ("/ws/async/await/printer/", "letter"),
        ("/ws/async/blocking/", "sleep"),
        ("/ws/async/blocking/own-thread/", None),
        ("/ws/async/push/", None),
        ("/ws/async/generic/", None),
        ("/ws/async/cost/", None),
        ("/ws/async/stream/", "hare"),
        ("/ws/async/deploy/", "hello"),
    ],
)


@pytest.fixture(autouse=True)
async def database():
    async with fresh_database() as database:
        yield database


def no_task_is_left():
    return asyncio.all_tasks() == {asyncio.current_task()}


@CONNECTIONS
@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_is_routed_at_its_path_and_stops_when_the_client_leaves(path, text, code):
    async with StrictCommunicator(application, path) as client:
        assert await client.connect() == (True, None)
        await client.disconnect(code)
        assert client.finished
        assert no_task_is_left()


@CONNECTIONS
@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_ends_when_a_handler_raises_or_the_server_cancels_it(path, text, end):
    async with StrictCommunicator(application, path) as client:
        await client.connect()
        if text:
            await client.send_to(text_data=text)
        await getattr(client, end)()
        assert client.finished
        assert no_task_is_left()


@CONNECTIONS
async def test_ends_without_an_error_if_it_is_cancelled_before_its_first_event(path, text):
    async with StrictCommunicator(application, path) as client:
        await client.kill()
        assert no_task_is_left()


@pytest.mark.parametrize("path", ["/async/http/", "/async/http/length/"])
@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_a_request_ends_however_its_client_or_its_consumer_ends(path, end):
    async with StrictHttpCommunicator(application, "POST", path, b"body") as client:
        await client.send_request()
        await getattr(client, end)()
        assert client.finished
        assert no_task_is_left()
