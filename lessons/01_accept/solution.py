"""Lesson 1, solved: a weather station that answers a handshake."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

READINGS = {"celsius": "21", "fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # The query string is bytes. QueryDict decodes it, and the unit is a str.
        self.unit = QueryDict(self.scope["query_string"]).get("unit")
        if self.unit not in READINGS:
            # Without a code: before the accept, a close is HTTP 403, and HTTP has no close codes.
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept"})
        self.send_reading()

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.unit]})
