"""Lesson 4, solved: a test for a lamp."""

from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    stranger = WebsocketCommunicator(application, "/lamp/?key=tin")
    assert await stranger.connect() == (False, 1000)

    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    other = WebsocketCommunicator(application, "/lamp/?key=brass")
    assert await client.connect() == (True, None)
    assert await other.connect() == (True, None)

    # Three times, since a lamp that stays on gets the first one right.
    for state in ("on", "off", "on"):
        await client.send_to(text_data="switch")
        assert await client.receive_output() == {"type": "websocket.send", "text": state}
    # The client's lamp is on: one that were shared would now go off.
    await other.send_to(text_data="switch")
    assert await other.receive_output() == {"type": "websocket.send", "text": "on"}

    await client.send_to(text_data="hit")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    assert await client.receive_nothing()

    # The stranger too: Daphne tells the consumer that a client it refused is gone.
    for one in (stranger, client, other):
        await one.disconnect()
        # The stock disconnect() cancels a consumer that does not stop, and says nothing.
        assert not one.future.cancelled()
