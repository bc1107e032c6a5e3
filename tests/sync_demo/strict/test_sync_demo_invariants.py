"""The rules that every consumer of sync_demo keeps.

Strict, because the stock communicator cancels a consumer that does not stop, and its test passes.
"""

import pytest

from sync_demo.asgi import application
from tests.support.strict_communicator import StrictCommunicator

ACCEPTED = pytest.mark.parametrize(
    "path",
    [
        "/ws/sync/accept/?name=ada",
        "/ws/sync/subprotocol/",
        "/ws/sync/frames/",
        "/ws/sync/stop/",
        "/ws/sync/communicator/?gate=north",
    ],
)


def new_client(path, offered=("door.v1",)):
    return StrictCommunicator(application, path, subprotocols=[*offered])


@ACCEPTED
@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_is_routed_at_its_path_and_stops_when_the_client_leaves(path, code):
    async with new_client(path) as client:
        accepted, _ = await client.connect()
        await client.disconnect(code)
        assert (accepted, client.finished) == (True, True)


@pytest.mark.parametrize(
    "path", ["/ws/sync/accept/", "/ws/sync/subprotocol/", "/ws/sync/communicator/"]
)
async def test_stops_after_a_rejection(path):
    async with new_client(path, offered=()) as client:
        assert await client.connect() == (False, 1000)
        assert (client.close_code, client.finished) == (1006, True)


@pytest.mark.parametrize(
    ("path", "frame", "code"),
    [
        ("/ws/sync/stop/", {"text_data": "bye"}, 1000),
        ("/ws/sync/stop/", {"bytes_data": b"bye"}, 4003),
        ("/ws/sync/communicator/?gate=north", {"text_data": "hit"}, 4000),
    ],
)
async def test_stops_at_the_disconnect_that_follows_its_own_close(path, frame, code):
    async with new_client(path) as client:
        await client.connect()
        await client.send_to(**frame)
        assert (client.close_code, client.finished) == (code, True)
