"""Lesson 1: the classic wrong versions of the weather station."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Station(SyncConsumer):
    """What the exercise gives; each version below adds its websocket_connect."""

    def websocket_receive(self, event):
        self.tell()

    def websocket_disconnect(self, event):
        raise StopConsumer()

    def tell(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})


class LeavesTheHandshakeToTheServer(Station):
    """Believes that the connection stands as soon as websocket.connect has arrived."""

    diagnosis = "no-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]


class AcceptsThenAcceptsAgain(Station):
    """Believes that an accept without a subprotocol can be completed by a second one."""

    diagnosis = "accept-twice"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class AcceptsEachOffer(Station):
    """Answers every subprotocol on the list, though the handshake has one answer."""

    diagnosis = "accept-twice"

    def websocket_connect(self, event):
        self.chosen = None
        for name in self.scope["subprotocols"]:
            if name in READINGS:
                self.chosen = name
                self.send({"type": "websocket.accept", "subprotocol": name})
        if self.chosen is None:
            self.send({"type": "websocket.close"})
            return
        self.tell()


class SpeaksBeforeTheAccept(Station):
    """Believes that the first message can travel ahead of the answer to the handshake."""

    diagnosis = "send-before-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.tell()
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})


class NamesItsOwnFavourite(Station):
    """Believes that the server decides which subprotocol is spoken, offered or not."""

    diagnosis = "subprotocol-not-offered"

    def websocket_connect(self, event):
        self.chosen = "weather.celsius"
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class KeepsTheChoiceToItself(Station):
    """Chooses, and does not tell the client; browsers then give up the connection."""

    diagnosis = "subprotocol-not-echoed"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept"})
        self.tell()


class RefusesWithACode(Station):
    """Believes that a client can read the code of a close that comes before the accept."""

    diagnosis = "code-before-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close", "code": 4006})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class GoesOnAfterTheRefusal(Station):
    """Believes that sending websocket.close leaves the handler, as return would."""

    diagnosis = "answered-after-refusal"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        self.chosen = offered[0] if offered else None
        if self.chosen is None:
            self.send({"type": "websocket.close"})
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class LetsEveryoneIn(Station):
    """Takes a missing subprotocol for a reason to use a default instead of one to refuse."""

    diagnosis = "accepts-everyone"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        self.chosen = offered[0] if offered else None
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()

    def tell(self):
        text = READINGS.get(self.chosen, READINGS["weather.celsius"])
        self.send({"type": "websocket.send", "text": text})


class ComparesBytesWithText(Station):
    """Believes that all of the scope is bytes, as its headers and its query string are."""

    diagnosis = "refuses-everyone"

    def websocket_connect(self, event):
        readings = {name.encode(): text for name, text in READINGS.items()}
        offered = [name for name in self.scope["subprotocols"] if name in readings]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.text = readings[offered[0]]
        self.send({"type": "websocket.accept", "subprotocol": offered[0]})
        self.send({"type": "websocket.send", "text": self.text})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": self.text})


class PrefersItsOwnOrder(Station):
    """Goes through the station's list, so the client's order is lost."""

    diagnosis = "wrong-subprotocol"

    def websocket_connect(self, event):
        offered = [name for name in READINGS if name in self.scope["subprotocols"]]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class AsksTheEvent(Station):
    """Looks for the client's offer in websocket.connect, which carries only its type."""

    diagnosis = "scope-in-event"

    def websocket_connect(self, event):
        offered = [name for name in event["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.tell()


class CallsTheGenericAccept(Station):
    """Uses accept(), which belongs to WebsocketConsumer; a SyncConsumer has send(event) alone."""

    diagnosis = "generic-method"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.accept(subprotocol=self.chosen)
        self.tell()
