"""Lesson 3, solved: a guessing game that ends."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # No try is left: the client sent this frame before it received the close.
        if not self.tries:
            return
        if event.get("text") == "7":
            self.send({"type": "websocket.send", "text": "Right."})
            self.end(1000)
        else:
            self.tries -= 1
            self.send({"type": "websocket.send", "text": "Wrong."})
            if not self.tries:
                # Codes from 4000 belong to applications.
                self.end(4000)

    def end(self, code):
        # Callers send their frame first, because nothing may follow a close. StopConsumer does not
        # belong here: websocket.disconnect has not arrived yet.
        self.tries = 0
        self.send({"type": "websocket.close", "code": code})

    def websocket_disconnect(self, event):
        # The code does not matter: every disconnect is the last event.
        raise StopConsumer()
