"""Lesson 1: the classic wrong versions of the weather station."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Station(SyncConsumer):
    """The rest of the exercise. Each version below adds its websocket_connect."""

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})


class LeavesTheHandshakeToTheServer(Station):
    """Believes that the connection is open as soon as websocket.connect arrives."""

    diagnosis = "no-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]


class AcceptsThenAcceptsAgain(Station):
    """Believes that a second accept can add the subprotocol to the first."""

    diagnosis = "accept-twice"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()


class AcceptsEachOffer(Station):
    """Accepts every known subprotocol on the list. A handshake has one answer."""

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
        self.send_reading()


class SpeaksBeforeTheAccept(Station):
    """Believes that a frame may be sent before the handshake is answered."""

    diagnosis = "send-before-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send_reading()
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})


class NamesItsOwnFavourite(Station):
    """Believes that the server may choose a subprotocol that the client did not offer."""

    diagnosis = "subprotocol-not-offered"

    def websocket_connect(self, event):
        self.chosen = "weather.celsius"
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()


class KeepsTheChoiceToItself(Station):
    """Chooses a subprotocol, but does not name it. Browsers then fail the connection."""

    diagnosis = "subprotocol-not-echoed"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept"})
        self.send_reading()


class RefusesWithACode(Station):
    """Believes that the client sees the code of a close before the accept."""

    diagnosis = "code-before-accept"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close", "code": 4006})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()


class GoesOnAfterTheRefusal(Station):
    """Believes that websocket.close ends the handler, as return does."""

    diagnosis = "answered-after-refusal"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        self.chosen = offered[0] if offered else None
        if self.chosen is None:
            self.send({"type": "websocket.close"})
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()


class LetsEveryoneIn(Station):
    """Uses a default for a client without a known subprotocol, instead of rejecting it."""

    diagnosis = "accepts-everyone"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        self.chosen = offered[0] if offered else None
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()

    def send_reading(self):
        text = READINGS.get(self.chosen, READINGS["weather.celsius"])
        self.send({"type": "websocket.send", "text": text})


class ComparesBytesWithText(Station):
    """Believes that the whole scope is bytes, as its headers and its query string are."""

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
        self.send_reading()


class AsksTheEvent(Station):
    """Looks for the client's offer in websocket.connect, which holds only its type."""

    diagnosis = "scope-in-event"

    def websocket_connect(self, event):
        offered = [name for name in event["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.send({"type": "websocket.accept", "subprotocol": self.chosen})
        self.send_reading()


class CallsTheGenericAccept(Station):
    """Uses accept() of WebsocketConsumer. A SyncConsumer has only send(event)."""

    diagnosis = "generic-method"

    def websocket_connect(self, event):
        offered = [name for name in self.scope["subprotocols"] if name in READINGS]
        if not offered:
            self.send({"type": "websocket.close"})
            return
        self.chosen = offered[0]
        self.accept(subprotocol=self.chosen)
        self.send_reading()
