"""Lesson 3: the classic wrong versions of the guessing game."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Game(SyncConsumer):
    """A game that ends as it should. Only websocket_disconnect is missing."""

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
    """The whole game, without a mistake. Most versions below change one method."""

    def websocket_disconnect(self, event):
        raise StopConsumer()


class OnlyTakesNote(Game):
    """Believes that the consumer ends when its client leaves."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        self.tries = 0


class DoesNotRaise(Game):
    """Makes a StopConsumer but does not raise it. An exception must be raised."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        StopConsumer()


class CatchesStopConsumer(Game):
    """Writes `except Exception` around the handler, which catches StopConsumer too."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        try:
            self.tries = 0
            raise StopConsumer()
        except Exception as error:
            print("Could not clean up:", error)


class ClosesWhatIsClosed(Game):
    """Answers the disconnect with a close, as if the client waited for one."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        self.send({"type": "websocket.close"})


class StopsAfterAGoodEnd(Game):
    """Stops only for 1000. A reload has 1001, a lost connection 1006."""

    diagnosis = "no-stop-consumer"

    def websocket_disconnect(self, event):
        if event.get("code") == 1000:
            raise StopConsumer()


class NamesItDisconnect(Game):
    """Uses the method name of the generic consumers. Here the type gives the name."""

    diagnosis = "no-disconnect-handler"

    def disconnect(self, code):
        raise StopConsumer()


class StopsWithoutAClose(StoppingGame):
    """Believes that the connection ends with the consumer."""

    diagnosis = "zombie"

    def end(self, code):
        raise StopConsumer()


class StopsAtTheHandshake(StoppingGame):
    """Stops the consumer before the handshake is answered."""

    diagnosis = "stopped-unanswered"

    def websocket_connect(self, event):
        self.tries = 3
        raise StopConsumer()


class BorrowsACode(StoppingGame):
    """Uses 1008, policy violation. Daphne does not send this code."""

    diagnosis = "forbidden-close-code"

    def end(self, code):
        self.tries = 0
        self.send({"type": "websocket.close", "code": 1000 if code == 1000 else 1008})


class SpeaksAfterTheClose(StoppingGame):
    """Closes the connection first, and sends the answer after it."""

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
    """Believes that no frame arrives after a close."""

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
    """Believes that the code is always a number. After close() it is None."""

    diagnosis = "code-is-none"

    def websocket_disconnect(self, event):
        if event["code"] > 1001:
            print("The client was lost.")
        raise StopConsumer()


class LeavesTheCodeOut(StoppingGame):
    """Sends no code, which means 1000. A lost game looks like a won one."""

    diagnosis = "wrong-close-code"

    def end(self, code):
        self.tries = 0
        self.send({"type": "websocket.close"})


class NeverHangsUp(StoppingGame):
    """Counts the tries, but does not close."""

    diagnosis = "not-closed-as-asked"

    def end(self, code):
        self.tries = 0


class CountsForEveryone(StoppingGame):
    """Keeps the tries on the class, so that all clients share them."""

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


class ClosesAgain(StoppingGame):
    """Answers a late frame with another close. Daphne drops it, and other servers raise."""

    diagnosis = "closed-twice"

    def websocket_receive(self, event):
        if not self.tries:
            self.end(4000)
        else:
            super().websocket_receive(event)
