"""Lesson 1, solved: a weather station that speaks two subprotocols."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # The scope keeps the client's order, so the first match is the client's favourite.
        for subprotocol in self.scope["subprotocols"]:
            if subprotocol in READINGS:
                self.chosen = subprotocol
                # A browser fails a connection whose accept does not name a subprotocol.
                self.send({"type": "websocket.accept", "subprotocol": subprotocol})
                self.send_reading()
                return
        # Without a code: before the accept, a close is HTTP 403, and HTTP has no close codes.
        self.send({"type": "websocket.close"})

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})
