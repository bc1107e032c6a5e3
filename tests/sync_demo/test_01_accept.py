"""Lesson 1: Doorkeeper accepts a client with a name, and rejects any other client.

FixedSubprotocol accepts a client that offers its subprotocol.
"""

import pytest
from channels.testing import WebsocketCommunicator

from sync_demo.asgi import application
from sync_demo.consumers import Doorkeeper, FixedSubprotocol

PATH = "/ws/sync/accept/"
DISCONNECT = {"type": "websocket.disconnect", "code": 1006}


@pytest.mark.parametrize(("query", "name"), [("name=ada", "ada"), ("a=1&name=Ad%C3%A9+L", "Adé L")])
async def test_accepts_a_client_with_a_name_and_welcomes_it(query, name):
    client = WebsocketCommunicator(Doorkeeper.as_asgi(), f"{PATH}?{query}")
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_output() == {"type": "websocket.accept"}
    assert await client.receive_output() == {"type": "websocket.send", "text": f"Welcome, {name}."}
    await client.disconnect()


@pytest.mark.parametrize("query", ["", "?", "?age=36", "?Name=ada", "?name="])
async def test_rejects_a_client_without_a_name(query):
    client = WebsocketCommunicator(Doorkeeper.as_asgi(), PATH + query)
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_output() == {"type": "websocket.close"}
    await client.send_input(DISCONNECT)
    await client.wait()
    assert client.output_queue.empty()  # no welcome follows


async def test_a_frame_gets_no_answer():
    client = WebsocketCommunicator(Doorkeeper.as_asgi(), f"{PATH}?name=ada")
    await client.connect()
    assert await client.receive_from() == "Welcome, ada."
    await client.send_to(text_data="hello")
    assert await client.receive_nothing(timeout=0.03)
    await client.disconnect()


@pytest.mark.parametrize("offered", [["door.v1"], ["chat", "door.v1"]])
async def test_an_accept_names_a_subprotocol_that_the_client_offers(offered):
    client = WebsocketCommunicator(FixedSubprotocol.as_asgi(), "/", subprotocols=offered)
    assert await client.connect() == (True, "door.v1")
    await client.send_to(text_data="hello")
    assert await client.receive_nothing(timeout=0.03)
    await client.disconnect()


@pytest.mark.parametrize("offered", [[], ["door.v2"]])
async def test_rejects_a_client_that_does_not_offer_the_subprotocol(offered):
    client = WebsocketCommunicator(FixedSubprotocol.as_asgi(), "/", subprotocols=offered)
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_output() == {"type": "websocket.close"}
    await client.send_input(DISCONNECT)
    await client.wait()
    assert client.output_queue.empty()  # no accept follows


async def test_asgi_py_finds_the_consumer_by_the_path():
    client = WebsocketCommunicator(application, f"{PATH}?name=ada")
    assert await client.connect() == (True, None)
    assert await client.receive_from() == "Welcome, ada."
    await client.disconnect()


@pytest.mark.parametrize("path", [f"{PATH}more", f"/more{PATH}", PATH.rstrip("/")])
async def test_is_routed_at_no_other_path(path):
    client = WebsocketCommunicator(application, path)
    with pytest.raises(ValueError, match="No route found for path"):
        await client.wait()
