"""Lesson 4: a test for a lamp.

`application` is the lamp, a consumer ready for WebsocketCommunicator. This is what it must do:

- A client that comes with `?key=brass` is accepted. Any other one is refused.
- The text frame `switch` gets one text frame, the new state: `on`, `off`, `on` and so on. Each
  client has a lamp of its own, which is off at first. Nothing else is sent.
- Any other frame breaks the lamp: the connection is closed with 4000, and nothing follows.
- When the client has left, and also when one has been refused, the consumer stops.

Your test is judged: it must be green for a lamp that does this, and red for each that does not.
"""

from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    await client.connect()
    await client.send_to(text_data="switch")
    # TODO 1: compare all that the lamp sends with what it should send, and nothing more may come.
    #         Bring clients that are refused, and two clients at once.
    await client.disconnect()
    # TODO 2: make sure that the consumer has stopped, for each client.
