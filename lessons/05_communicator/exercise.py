"""Lesson 5: a test for a lamp.

`application` is a lamp. Your test must be green for each right lamp, and red for each lamp that
breaks a rule. Several clients, with one key or frame of each kind, show each fault.

- A client with `?key=brass` is accepted: `connect()` returns `(True, None)`. With another key or
  without one, it is rejected: `(False, 1000)`.
- For each text frame `switch`, it sends one text frame, the new state: `on`, then `off`, then `on`.
  Each client has its own lamp, off at first.
- Any other frame, text or binary, breaks the lamp: it closes with 4000, and ignores later frames.
- The lamp sends a connected client nothing else.
- When a client leaves, even after a close or rejection, the consumer stops without an error.

An event has only the keys that it needs, such as `type` and `text`.
"""

from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    await client.connect()
    await client.send_to(text_data="switch")
    # TODO 1: compare everything that the lamp sends, and check that nothing more comes.
    #         Compare three states. Connect clients that are rejected, and connect two clients
    #         before one of them switches.
    await client.disconnect()
    # TODO 2: check for each client that the consumer has stopped.
