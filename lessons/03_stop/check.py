"""Lesson 3: do the game and its consumer end as the task says?"""

from typing import ClassVar

from lessons.workshop.judge import Model

PROMISES = {
    "Frames that the client sent before": "test_late_frames_get_nothing",
    "The third wrong guess": "test_the_third_wrong_guess_ends_the_game",
    "Guess stays a SyncConsumer": "The engine checks the base class.",
}


class Game(Model):
    texts = ("7", "07", "77", "7 ", "5", "seven")
    closes_once = True
    silent_after_disconnect = True
    promise_of: ClassVar = {
        "wrong-connection": "Each connection is its own game, and each frame is a guess."
    }

    def connect(self, client):
        """Each connection is its own game, and each frame is a guess."""
        client.tries = 3
        client.accept()

    def receive(self, client, text, data):
        if text == "7":
            self.end(client)
        else:
            self.go_on(client)

    def end(self, client):
        """The right guess is exactly the text `7`. It gets `Right.`, and the consumer closes the
        connection with 1000."""
        client.send("Right.")
        client.close(1000)

    def go_on(self, client):
        """The right guess is exactly the text `7`. Any other frame gets `Wrong.`."""
        client.tries -= 1
        third = "The third wrong guess also gets `Wrong.`, and then the consumer closes with 4000."
        client.send("Wrong.", promise="" if client.tries else third)
        if not client.tries:
            client.close(4000, promise=third)

    def receive_after_close(self, client, text, data):
        """The consumer does not answer them: it sends neither a frame nor a second close."""

    def disconnect(self, client):
        """When the client has left, the consumer sends nothing and stops. It stops whichever side
        closed the connection, and whatever the code is."""


def test_a_wrong_guess_may_be_followed_by_another(play):
    """A wrong guess, text or binary, gets "Wrong.", and the client may guess again."""
    play("connect | text seven | bytes 37")


def test_each_client_has_its_own_tries(play):
    """Each of two clients at once has its own three tries."""
    play("connect | 2 connect | text 5 | 2 text 5 | text 5 | 2 text 5")


def test_the_right_guess_ends_the_game(play):
    """The right guess gets "Right.", then the close with 1000, and the consumer stops."""
    play("connect | text | text 07 | text 7")


def test_the_third_wrong_guess_ends_the_game(play):
    """The third wrong guess gets "Wrong.", then the close with 4000, and the consumer stops."""
    play("connect | text 5 | text 6 | text 77")


def test_late_frames_get_nothing(play):
    """A frame that the client sent before it received the close gets no answer."""
    play("connect | text 7 | & text 5 | & text 7")
    play("connect | text 5 | text 6 | text 8 | & text 9 | & text 7")
    late = ["& text 5", "& text 7", "& bytes 37", "& text"] * 25
    play(["connect", "text 7", *late])


def test_stops_whatever_the_code(play):
    """The consumer stops when the client leaves, with any code, or with no code."""
    codes = (1000, 1001, 1002, 1011, 3000, 4000, 4001, 4999)
    for end in (*(f"close {code}" for code in codes), "vanish", "close"):
        play(["connect", end])
