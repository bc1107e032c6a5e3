"""Lesson 4: a test for a lamp.

`application` is the lamp, a consumer ready for WebsocketCommunicator. This is what it must do:

- It accepts a client that comes with `?key=brass`, without a subprotocol. It refuses any other
  client with a `websocket.close` that has no code.
- The text frame `switch` gets one text frame, the new state: `on`, `off`, `on` and so on. Each
  client has a lamp of its own, which is off at first. Nothing else is sent.
- Any other frame breaks the lamp: the lamp closes the connection with 4000, and nothing follows.
- When the client has left, and also when one has been refused, the consumer stops.

The lamp's events have only the keys that they need: a `websocket.send` has `type` and `text`.

Your test is judged: it must be green for every lamp that does this, and red for every lamp with one
of these faults. It need not notice other faults.

- The lamp refuses `?key=brass`, does not answer, accepts every client without a key, or accepts
  every client with another key.
- One of the first three states is wrong, is missing, or is not a text frame.
- Two clients share one state. To notice it, let both connect before one of them switches.
- The lamp sends one frame too many: after the accept, after a state, before or after the close with
  4000, or to a refused client.
- Another text or a binary frame does not close the connection, or closes it with another code.
- The lamp answers a `switch` that arrives after the close.
- The consumer does not stop, or raises an error: when an accepted client leaves, when it leaves
  after the close with 4000, or when a refused client leaves.
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
