"""Lesson 1: the classic wrong versions of the weather station."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

READINGS = {"celsius": "21", "fahrenheit": "70"}


class Station(SyncConsumer):
    """The rest of the exercise. Each version below adds its websocket_connect."""

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.unit]})

    def read_unit(self):
        """Return whether the unit of the URL is in READINGS."""
        self.unit = QueryDict(self.scope["query_string"]).get("unit")
        return self.unit in READINGS


class LeavesTheHandshakeToTheServer(Station):
    """Believes that the connection is open as soon as websocket.connect arrives."""

    diagnosis = "no-accept"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close"})


class ReturnsWithoutAnAnswer(Station):
    """Believes that a handler without an answer rejects the client."""

    diagnosis = "no-accept"

    def websocket_connect(self, event):
        if not self.read_unit():
            return
        self.send({"type": "websocket.accept"})
        self.send_reading()


class AcceptsThenAcceptsAgain(Station):
    """Answers the handshake at once, and again when the unit is known."""

    diagnosis = "accept-twice"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.accept"})
        self.send_reading()


class AcceptsEachUnit(Station):
    """Accepts in a loop over the units. A handshake has one answer."""

    diagnosis = "accept-twice"

    def websocket_connect(self, event):
        self.unit = None
        for unit in READINGS:
            self.send({"type": "websocket.accept"})
            if f"unit={unit}".encode() == self.scope["query_string"]:
                self.unit = unit
        if self.unit is None:
            self.send({"type": "websocket.close"})
            return
        self.send_reading()


class SpeaksBeforeTheAccept(Station):
    """Believes that a frame may be sent before the handshake is answered."""

    diagnosis = "send-before-accept"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close"})
            return
        self.send_reading()
        self.send({"type": "websocket.accept"})


class RefusesWithACode(Station):
    """Believes that the client sees the code of a close before the accept."""

    diagnosis = "code-before-accept"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close", "code": 4006})
            return
        self.send({"type": "websocket.accept"})
        self.send_reading()


class GoesOnAfterTheRefusal(Station):
    """Believes that websocket.close ends the handler, as return does."""

    diagnosis = "answered-after-refusal"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.unit = "celsius"
            self.send({"type": "websocket.close"})
        self.send({"type": "websocket.accept"})
        self.send_reading()


class LetsEveryoneIn(Station):
    """Uses a default for a client without a known unit, instead of rejecting the client."""

    diagnosis = "accepts-everyone"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.unit = "celsius"
        self.send({"type": "websocket.accept"})
        self.send_reading()


class LooksForAPartOfTheName(Station):
    """Looks for the unit somewhere in the query string, so `unit=celsius2` is a unit too."""

    diagnosis = "accepts-everyone"

    def websocket_connect(self, event):
        found = [unit for unit in READINGS if f"unit={unit}" in str(self.scope["query_string"])]
        if not found:
            self.send({"type": "websocket.close"})
            return
        self.unit = found[0]
        self.send({"type": "websocket.accept"})
        self.send_reading()


class ComparesBytesWithText(Station):
    """Believes that the query string is a str, as the path is."""

    diagnosis = "refuses-everyone"

    def websocket_connect(self, event):
        units = {f"unit={unit}": unit for unit in READINGS}
        if self.scope["query_string"] not in units:
            self.send({"type": "websocket.close"})
            return
        self.unit = units[self.scope["query_string"]]
        self.send({"type": "websocket.accept"})
        self.send_reading()


class KeepsTheUnitForAll(Station):
    """Keeps the unit on the class, which all connections share."""

    diagnosis = "wrong-connection"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close"})
            return
        KeepsTheUnitForAll.shared = self.unit
        self.send({"type": "websocket.accept"})
        self.send_reading()

    def send_reading(self):
        text = READINGS[KeepsTheUnitForAll.shared]
        self.send({"type": "websocket.send", "text": text})


class AsksTheEvent(Station):
    """Looks for the URL in websocket.connect, which holds only its type."""

    diagnosis = "scope-in-event"

    def websocket_connect(self, event):
        self.unit = QueryDict(event["query_string"]).get("unit")
        if self.unit not in READINGS:
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept"})
        self.send_reading()


class CallsTheGenericAccept(Station):
    """Uses accept() of WebsocketConsumer. A SyncConsumer has only send(event)."""

    diagnosis = "generic-method"

    def websocket_connect(self, event):
        if not self.read_unit():
            self.send({"type": "websocket.close"})
            return
        self.accept()
        self.send_reading()
