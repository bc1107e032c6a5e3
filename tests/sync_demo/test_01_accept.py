"""Lesson 1's worked example: the doorkeeper lets in who gives a name, and nobody else."""

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Doorkeeper
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/accept/"


def visitor(query="?name=ada", **offer):
    return StrictCommunicator(Doorkeeper.as_asgi(), PATH + query, **offer)


def text(words):
    return {"type": "websocket.send", "text": words}


@pytest.mark.parametrize("query", ["", "?", "?age=36", "?Name=ada", "?name="])
async def test_refuses_a_client_without_a_name_and_says_nothing_else(query):
    async with visitor(query) as client:
        await client.send_input({"type": "websocket.connect"})
        client.expect({"type": "websocket.close"})


async def test_accepts_a_client_with_a_name_then_welcomes_it():
    async with visitor("?name=ada&name=grace") as client:
        await client.send_input({"type": "websocket.connect"})
        client.expect({"type": "websocket.accept"}, text("Welcome to /ws/sync/accept/, ada."))


@pytest.mark.parametrize("query", ["?age=36&name=ada", "?name=ada&age=36"])
async def test_finds_the_name_among_other_parameters(query):
    async with visitor(query) as client:
        assert await client.connect() == (True, None)


async def test_decodes_the_name():
    async with visitor("?name=Ad%C3%A9le+L.") as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, Adéle L.."))


@pytest.mark.parametrize(
    "offered, chosen",
    [
        (["door.v1"], "door.v1"),
        (["door.v2"], "door.v2"),
        (["door.v1", "door.v2"], "door.v2"),
        (["chat", "door.v1"], "door.v1"),
        (["chat"], None),
        ([], None),
    ],
)
async def test_echoes_the_best_subprotocol_that_both_sides_speak(offered, chosen):
    async with visitor(subprotocols=offered) as client:
        assert await client.connect() == (True, chosen)


@pytest.mark.parametrize("frame", [{"text_data": "who?"}, {"bytes_data": b"who?"}])
async def test_still_knows_the_scope_when_a_frame_comes(frame):
    async with visitor(headers=[(b"origin", b"http://b"), (b"host", b"a:8000")]) as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        for _ in range(2):
            await client.send_to(**frame)
            client.expect(text("You called a:8000."))


async def test_answers_a_client_that_named_no_host():
    async with visitor() as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        await client.send_to(text_data="who?")
        client.expect(text("You called an unknown host."))


async def test_answers_a_client_whose_host_is_no_text():
    async with visitor(headers=[(b"host", b"a\xff")]) as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        await client.send_to(text_data="who?")
        client.expect(text("You called a\xff."))


async def test_keeps_two_clients_apart():
    headers = [[(b"host", name)] for name in (b"one", b"two")]
    async with visitor(headers=headers[0]) as one, visitor(headers=headers[1]) as two:
        for client in (one, two):
            await client.connect()
            await client.receive_from()
        await one.send_to(text_data="who?")
        one.expect(text("You called one."))
        two.expect()


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with visitor() as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


async def test_stops_when_it_has_refused():
    async with visitor(query="") as client:
        await client.connect()
        assert (client.closed, client.finished) == (1006, True)


async def test_is_routed_at_its_path():
    router = URLRouter(websocket_urlpatterns)
    async with StrictCommunicator(router, f"{PATH}?name=ada") as client:
        assert await client.connect() == (True, None)
        client.expect(text("Welcome to /ws/sync/accept/, ada."))


@pytest.mark.parametrize("path", [f"{PATH}more", f"/more{PATH}", PATH.rstrip("/")])
async def test_is_routed_at_no_other_path(path):
    scope = {"type": "websocket", "path": path}
    with pytest.raises(ValueError, match="No route found for path"):
        await URLRouter(websocket_urlpatterns)(scope, None, None)
