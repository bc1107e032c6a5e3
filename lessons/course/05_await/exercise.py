"""Lesson 5: a notepad that was a SyncConsumer until yesterday.

Each text frame is a line. The notepad notes it unchanged and answers with all lines of this
connection so far, in one text frame, with ` / ` between them: `milk`, then `milk / eggs`. An empty
text is a line too, and the number of lines has no limit. A binary frame, empty or not, is not
noted; it comes back unchanged. A server may send the key that a frame does not use as None. Each
connection has its own notepad.
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
