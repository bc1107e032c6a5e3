"""Lesson 5: a test for a lamp.

`application` is a lamp. Your test must be green for every right lamp, and red for every lamp that
breaks a rule:

- The lamp accepts a client with `?key=brass`, without a subprotocol. It rejects a client with
  another key or without a key: it sends `websocket.close` without a code.
- For each text frame `switch`, it sends one text frame, the new state: first `on`, then `off`, then
  `on`. Each client has its own lamp, which is off at first.
- Any other text frame and any binary frame breaks the lamp: it closes with 4000, and ignores later
  frames.
- The lamp sends a connected client nothing else.
- When a client leaves, the consumer stops without an error, even after a close or a rejection.

An event has only the keys that it needs: a state has `type` and `text`.
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
