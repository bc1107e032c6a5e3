"""Lesson 2: a stamp that numbers frames.

The answer to a frame is its number, one space, and the unchanged frame. The answer to a text frame
is text: if the first frame is `hello`, the answer is `1 hello`. The answer to a binary frame is
bytes: if the second frame holds the bytes 00 ff, the answer holds the bytes of `2 `, then 00 ff.
The answer to an empty frame is its number and one space. Each connection counts its own frames,
text and binary together, without a limit. Some servers send the unused key too, with the value
None. The stamp treats those frames in the same way as the frames that Daphne sends. Stamp stays a
SyncConsumer.
"""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Stamp(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 1: answer text with text, and bytes with bytes. Answer empty frames too.
        # TODO 2: number the frames of this connection: 1, 2, 3.
        self.send({"type": "websocket.send", "text": f"1 {event['text']}"})

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why
