"""Lesson 3, solved: a guessing game that ends."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # No try is left: this frame was under way when the close was sent.
        if not self.tries:
            return
        if event.get("text") == "7":
            self.send({"type": "websocket.send", "text": "Right."})
            self.end(1000)
        else:
            self.tries -= 1
            self.send({"type": "websocket.send", "text": "Wrong."})
            if not self.tries:
                # A code of our own: of the protocol's, only 1000 may be sent.
                self.end(4000)

    def end(self, code):
        # The frame goes first, since nothing may follow a close. StopConsumer does not belong
        # here: the client is still there, and its websocket.disconnect is yet to come.
        self.tries = 0
        self.send({"type": "websocket.close", "code": code})

    def websocket_disconnect(self, event):
        # No look at the code: it may be None, and every disconnect is the last event.
        raise StopConsumer()
