"""Lesson 5: a notepad that was a SyncConsumer until yesterday.

Each text frame is a line: it is noted, and the answer is all lines of this connection so far, in
one text frame, with ` / ` between them: `milk`, then `milk / eggs`. An empty text is a line too.
A binary frame is not noted; it comes back as it came. Each connection has its own notepad.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Notepad(AsyncConsumer):
    # TODO 1: the class is an AsyncConsumer now, its handlers are still those of a SyncConsumer.
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 2: note the lines of this connection, answer with all of them; bytes come back.
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()
