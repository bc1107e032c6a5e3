"""Lesson 3: a guessing game that ends.

Each frame is a guess. The right one, the text `7`, gets `Right.`, and the connection is closed
with 1000. Any other frame gets `Wrong.`, and the third wrong one also ends the game: `Wrong.`, then
a close with 4000. What the client had sent before it heard of the close still arrives; it gets
nothing more, neither a frame nor a second close. When the client has left, whoever ended the game
and whatever the code, the consumer stops.
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
