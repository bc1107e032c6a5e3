"""Lesson 3: a guessing game that ends.

Each connection is a game of its own, and each frame is a guess. The right guess is exactly the text
`7`. It gets `Right.`, and the consumer closes the connection with 1000. Any other frame gets
`Wrong.`, and the third wrong one also ends the game: `Wrong.`, then a close with 4000. Frames that
the client sent before it heard of the close still arrive. The consumer sends nothing more, neither
a frame nor a second close. When the client has left, the consumer sends nothing and stops,
whichever side closed the connection, and whatever the code is.
"""

from channels.consumer import SyncConsumer


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # TODO 1: close where the game is over, and let frames that come after that go unanswered.
        if event.get("text") == "7":
            self.send({"type": "websocket.send", "text": "Right."})
        else:
            self.tries -= 1
            self.send({"type": "websocket.send", "text": "Wrong."})

    # TODO 2: handle the event that says that the client has left.
