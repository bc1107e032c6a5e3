"""Lesson 5, solved: a test for a lamp."""

from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    # A client without a key, and one with another key, are rejected.
    strangers = [WebsocketCommunicator(application, path) for path in ("/lamp/", "/lamp/?key=tin")]
    for stranger in strangers:
        assert await stranger.connect() == (False, 1000)

    client, other, whole = (WebsocketCommunicator(application, "/lamp/?key=brass") for _ in "123")
    for one in (client, other, whole):
        assert await one.connect() == (True, None)

    # The other client switches while the first lamp is on: a shared lamp would now be off.
    for one, state in ((client, "on"), (other, "on"), (client, "off"), (client, "on")):
        await one.send_to(text_data="switch")
        assert await one.receive_output() == {"type": "websocket.send", "text": state}

    # Two clients break their lamps. The third lamp stays whole.
    await client.send_to(text_data="hit")
    await other.send_to(bytes_data=b"switch")
    for one, later in ((client, "switch"), (other, "hit")):
        assert await one.receive_output() == {"type": "websocket.close", "code": 4000}
        await one.send_to(text_data=later)
    for one in (client, other, whole):
        assert await one.receive_nothing()

    # Also the strangers: Daphne sends websocket.disconnect after a rejection.
    for one in (*strangers, client, other, whole):
        await one.disconnect()
        # disconnect() cancels a consumer that does not stop, and raises no error.
        assert not one.future.cancelled()
