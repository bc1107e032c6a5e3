"""Lesson 1, Doorkeeper: it accepts clients with a name and rejects all others."""

import pytest
from channels.routing import URLRouter

from lessons.judge import StrictCommunicator
from sync_demo.consumers import Doorkeeper
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/accept/"


def new_client(query="?name=ada", **offer):
    return StrictCommunicator(Doorkeeper.as_asgi(), PATH + query, **offer)


def text(words):
    return {"type": "websocket.send", "text": words}


@pytest.mark.parametrize("query", ["", "?", "?age=36", "?Name=ada", "?name="])
async def test_rejects_a_client_without_a_name_and_sends_nothing_else(query):
    async with new_client(query) as client:
        await client.send_input({"type": "websocket.connect"})
        client.expect({"type": "websocket.close"})


async def test_accepts_a_client_with_a_name_then_welcomes_it():
    async with new_client("?name=ada&name=grace") as client:
        await client.send_input({"type": "websocket.connect"})
        client.expect({"type": "websocket.accept"}, text("Welcome to /ws/sync/accept/, ada."))


@pytest.mark.parametrize("query", ["?age=36&name=ada", "?name=ada&age=36"])
async def test_finds_the_name_among_other_parameters(query):
    async with new_client(query) as client:
        assert await client.connect() == (True, None)


async def test_decodes_the_name():
    async with new_client("?name=Ad%C3%A9le+L.") as client:
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
async def test_chooses_the_best_subprotocol_that_both_sides_support(offered, chosen):
    async with new_client(subprotocols=offered) as client:
        assert await client.connect() == (True, chosen)


@pytest.mark.parametrize("frame", [{"text_data": "who?"}, {"bytes_data": b"who?"}])
async def test_reads_the_scope_at_each_frame(frame):
    async with new_client(headers=[(b"origin", b"http://b"), (b"host", b"a:8000")]) as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        for _ in range(2):
            await client.send_to(**frame)
            client.expect(text("You called a:8000."))


async def test_answers_a_client_without_a_host_header():
    async with new_client() as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        await client.send_to(text_data="who?")
        client.expect(text("You called an unknown host."))


async def test_answers_a_client_whose_host_is_not_utf8():
    async with new_client(headers=[(b"host", b"a\xff")]) as client:
        await client.connect()
        client.expect(text("Welcome to /ws/sync/accept/, ada."))
        await client.send_to(text_data="who?")
        client.expect(text("You called a\xff."))


async def test_two_clients_do_not_affect_each_other():
    headers = [[(b"host", name)] for name in (b"one", b"two")]
    async with new_client(headers=headers[0]) as one, new_client(headers=headers[1]) as two:
        for client in (one, two):
            await client.connect()
            await client.receive_from()
        await one.send_to(text_data="who?")
        one.expect(text("You called one."))
        two.expect()


@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(code):
    async with new_client() as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


async def test_stops_after_a_rejection():
    async with new_client(query="") as client:
        await client.connect()
        assert (client.close_code, client.finished) == (1006, True)


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
