"""Lesson 5: Turnstile lets clients in at the north gate, counts them, and breaks at a wrong frame.

Each test compares what a careless test leaves out: whole events, silence, a second client, the end.
"""

import pytest
from channels.consumer import SyncConsumer
from channels.testing import WebsocketCommunicator

from sync_demo.asgi import application
from sync_demo.consumers import Turnstile

PATH = "/ws/sync/communicator/?gate=north"


async def leave(client):
    """Disconnect, and check that the consumer ended by itself. disconnect() hides a cancel."""
    await client.disconnect()
    assert not client.future.cancelled()


async def test_counts_the_people_inside():
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    for text, count in [("in", 1), ("in", 2), ("out", 1), ("in", 2)]:
        await client.send_to(text_data=text)
        answer = {"type": "websocket.send", "text": f"{count} inside"}
        assert await client.receive_output() == answer
    assert await client.receive_nothing()
    await leave(client)


@pytest.mark.parametrize("query", ["", "?gate=south", "?gate=north&gate=south"])
async def test_rejects_a_client_at_another_gate(query):
    client = WebsocketCommunicator(Turnstile.as_asgi(), "/" + query)
    assert await client.connect() == (False, 1000)
    await leave(client)
    assert client.output_queue.empty()


@pytest.mark.parametrize("frame", [{"text_data": "hit"}, {"bytes_data": b"in"}])
async def test_a_wrong_frame_breaks_the_turnstile_of_this_client_only(frame):
    client = WebsocketCommunicator(Turnstile.as_asgi(), PATH)
    other = WebsocketCommunicator(Turnstile.as_asgi(), PATH)
    await client.connect()
    await other.connect()
    await client.send_to(**frame)
    await client.send_to(text_data="in")  # sent before the client receives the close
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    await other.send_to(text_data="in")
    assert await other.receive_from() == "1 inside"
    await leave(client)
    assert client.output_queue.empty()
    await leave(other)


class NeverStops(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        pass  # raise StopConsumer() is missing


async def test_stock_communicator_passes_a_consumer_that_never_stops():
    client = WebsocketCommunicator(NeverStops.as_asgi(), "/")
    assert await client.connect() == (True, None)
    await client.disconnect(timeout=0.03)
    assert client.future.cancelled()
