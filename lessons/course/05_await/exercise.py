"""Lesson 5: a notepad that was a SyncConsumer until yesterday.

Each text frame is a line. All connections number their lines together: the first line that any
client sends is number 1, the next one is number 2. No number is used twice, and none is left out.
Each line is answered with two text frames. The first is `number 2`. The second is `2: milk / eggs`:
the number of the line, then all lines of this connection so far, unchanged, with ` / ` between
them. An empty text is a line too, and the number of lines has no limit. A binary frame, empty or
not, is not a line; it comes back unchanged. A server may send the key that a frame does not use as
None.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Notepad(AsyncConsumer):
    count = 0  # the lines of all connections

    # TODO 1: the class is an AsyncConsumer now, but its handlers are those of a SyncConsumer.
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 2: keep the lines of this connection, and keep the numbers right. Bytes come back.
        number = Notepad.count + 1
        self.send({"type": "websocket.send", "text": f"number {number}"})
        Notepad.count = number
        self.send({"type": "websocket.send", "text": f"{number}: {event['text']}"})

    def websocket_disconnect(self, event):
        raise StopConsumer()
