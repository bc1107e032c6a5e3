"""Lesson 3: the classic wrong versions of the guessing game."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Game(SyncConsumer):
    """A game that ends as it should; what is missing is the handler of the client's leaving."""

    def websocket_connect(self, event):
        self.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if not self.tries:
            return
        if event.get("text") == "7":
            self.say("Right.")
            self.end(1000)
        else:
            self.tries -= 1
            self.say("Wrong.")
            if not self.tries:
                self.end(4000)

    def say(self, text):
        self.send({"type": "websocket.send", "text": text})

    def end(self, code):
        self.tries = 0
        self.send({"type": "websocket.close", "code": code})


class StoppingGame(Game):
    """The whole game, and right; each version below that builds on it spoils one method."""

    def websocket_disconnect(self, event):
        raise StopConsumer()


class OnlyTakesNote(Game):
    """Believes that the consumer is gone with its client, so nothing is left to be done."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        self.tries = 0


class DoesNotRaise(Game):
    """Believes that making a StopConsumer stops; it is an exception and must be raised."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        StopConsumer()


class CatchesStopConsumer(Game):
    """Guards the whole handler with `except Exception`, which catches StopConsumer too."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        try:
            self.tries = 0
            raise StopConsumer()
        except Exception as error:
            print("Could not clean up:", error)


class ClosesWhatIsClosed(Game):
    """Answers the disconnect with a close, as if the client were waiting for one."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        self.send({"type": "websocket.close"})


class StopsAfterAGoodEnd(Game):
    """Believes that only 1000 is an end; a reload says 1001, a lost line 1006."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        if event.get("code") == 1000:
            raise StopConsumer()


class NamesItDisconnect(Game):
    """Names the handler as the generic consumers do; here the type gives the name."""

    diagnosis = "no-disconnect-handler"

    def disconnect(self, code):
        raise StopConsumer()


class StopsWithoutAClose(StoppingGame):
    """Believes that the connection ends with the consumer: the client is left with a dead line."""

    diagnosis = "zombie"

    def end(self, code):
        raise StopConsumer()


class StopsAtTheHandshake(StoppingGame):
    """Believes that a consumer without a game under way may stop: the client gets no answer."""

    diagnosis = "stopped-unanswered"

    def websocket_connect(self, event):
        self.tries = 3
        raise StopConsumer()


class BorrowsACode(StoppingGame):
    """Takes 1008, policy violation, from the protocol's own codes, which Daphne does not send."""

    diagnosis = "forbidden-close-code"

    def end(self, code):
        self.tries = 0
        self.send({"type": "websocket.close", "code": 1000 if code == 1000 else 1008})


class SpeaksAfterTheClose(StoppingGame):
    """Ends the game first and then answers, on a line that it has just closed."""

    diagnosis = "send-after-close"

    def websocket_receive(self, event):
        if not self.tries:
            return
        if event.get("text") == "7":
            self.end(1000)
            self.say("Right.")
        else:
            self.tries -= 1
            if not self.tries:
                self.end(4000)
            self.say("Wrong.")


class AnswersWhatWasUnderWay(StoppingGame):
    """Believes that no frame arrives after a close; what the client had sent before still does."""

    diagnosis = "send-after-close"

    def websocket_receive(self, event):
        if event.get("text") == "7":
            self.say("Right.")
            self.end(1000)
        else:
            self.tries -= 1
            self.say("Wrong.")
            if self.tries <= 0:
                self.end(4000)


class ComparesTheCode(Game):
    """Takes the code for a number; after a browser's bare close() it is None."""

    diagnosis = "code-is-none"

    def websocket_disconnect(self, event):
        if event["code"] > 1001:
            print("The client was lost.")
        raise StopConsumer()


class LeavesTheCodeOut(StoppingGame):
    """Leaves the code out, which means 1000: the client cannot tell a lost game from a won one."""

    diagnosis = "wrong-close-code"

    def end(self, code):
        self.tries = 0
        self.send({"type": "websocket.close"})


class NeverHangsUp(StoppingGame):
    """Counts the tries, says nothing more, and leaves it to the client to find out."""

    diagnosis = "not-closed-as-asked"

    def end(self, code):
        self.tries = 0


class CountsForEveryone(StoppingGame):
    """Keeps the tries on the class, so that each client uses up those of the others."""

    diagnosis = "wrong-connection"
    tries = 3

    def websocket_connect(self, event):
        CountsForEveryone.tries = 3
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if event.get("text") == "7":
            self.say("Right.")
            self.end(1000)
        else:
            CountsForEveryone.tries -= 1
            self.say("Wrong.")
            if not CountsForEveryone.tries:
                self.end(4000)
