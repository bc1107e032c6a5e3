"""Lesson 4: a notepad that was a SyncConsumer, and is an AsyncConsumer now.

Each text frame is a line. All connections share one count: the first line that any client sends is
number 1, the next line of any client is number 2. No number is used twice, and no number is left
out. Each line is answered with two text frames. For line 2 they are `number 2` and
`2: milk / eggs`. The second frame holds the number of the line, then all lines that this connection
has sent so far, unchanged, with ` / ` between them. An empty text is a line too, and the number of
lines has no limit. Binary frames, empty or not, are not lines: send back their bytes, if any. A
server may leave out the key that a frame does not use, or may send it as None.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Notepad(AsyncConsumer):
    count = 0  # the lines of all connections

    # TODO 1: the class is an AsyncConsumer now, but its handlers are those of a SyncConsumer.
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 2: keep the lines of this connection, use each number once, and send bytes back.
        number = Notepad.count + 1
        self.send({"type": "websocket.send", "text": f"number {number}"})
        Notepad.count = number
        self.send({"type": "websocket.send", "text": f"{number}: {event['text']}"})

    def websocket_disconnect(self, event):
        raise StopConsumer()
