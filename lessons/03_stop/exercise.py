"""Lesson 3: a guessing game that ends.

Each connection is its own game, and each frame is a guess. The right guess is exactly the text `7`.
It gets `Right.`, and the consumer closes the connection with 1000. Any other frame gets `Wrong.`.
The third wrong guess also gets `Wrong.`, and then the consumer closes with 4000. Frames that the
client sent before it received the close still arrive. The consumer does not answer them: it sends
neither a frame nor a second close. When the client has left, the consumer sends nothing and stops.
It stops whichever side closed the connection, and whatever the code is. Guess stays a SyncConsumer.
"""

from channels.consumer import SyncConsumer


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 1: close when the game is over, and do not answer later frames.
        if event.get("text") == "7":
            self.send({"type": "websocket.send", "text": "Right."})
        else:
            self.tries -= 1
            self.send({"type": "websocket.send", "text": "Wrong."})

    # TODO 2: handle the last event, which says that the client has left.
