"""Lesson 1, solved: a weather station that speaks two subprotocols."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # The scope keeps the client's order, so the first match is the one it likes best.
        for subprotocol in self.scope["subprotocols"]:
            if subprotocol in READINGS:
                self.chosen = subprotocol
                # Echoed, since a browser gives up a connection that does not name one.
                self.send({"type": "websocket.accept", "subprotocol": subprotocol})
                self.tell()
                return
        # Without a code: before the accept there is only HTTP, and its answer is 403.
        self.send({"type": "websocket.close"})

    def websocket_receive(self, event):
        self.tell()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 says why

    def tell(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})
