"""Lesson 5: a test for a lamp.

`application` is the lamp: a consumer that is ready for WebsocketCommunicator. A right lamp does
this:

- It accepts a client that connects with `?key=brass`, without a subprotocol. It rejects every other
  client with a `websocket.close` that has no code.
- The text frame `switch` gets one text frame, the new state: first `on`, then `off`, then `on`
  again. Each client has its own lamp, which is off at first. The lamp sends nothing else.
- Any other frame breaks the lamp: the lamp closes the connection with 4000, and then sends nothing.
- When the client has left, also after a rejection, the consumer stops.

The lamp's events have only the keys that they need: a `websocket.send` has `type` and `text`.

Your test is judged: it must be green for every right lamp, and red for every lamp with one of these
faults. It need not notice other faults.

- The lamp rejects `?key=brass`, does not answer, accepts every client without a key, or accepts
  every client with another key.
- One of the first three states is wrong, is missing, or is not a text frame.
- Two clients share one state. To notice it, connect both before one of them switches.
- The lamp sends one frame too many: after the accept, after a state, before or after the close with
  4000, or to a rejected client.
- Another text or a binary frame does not close the connection, or closes it with another code.
- The lamp answers a `switch` that arrives after the close.
- The consumer does not stop, or raises an error: when an accepted client leaves, when it leaves
  after the close with 4000, or when a rejected client leaves.
"""

from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    await client.connect()
    await client.send_to(text_data="switch")
    # TODO 1: compare everything that the lamp sends, and check that nothing more comes.
    #         Connect clients that are rejected, and two clients at once.
    await client.disconnect()
    # TODO 2: check for each client that the consumer has stopped.
