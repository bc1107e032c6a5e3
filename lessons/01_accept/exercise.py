"""Lesson 1: a weather station that answers a handshake.

A client names its unit in the query string of the URL: `unit=celsius` or `unit=fahrenheit`, without
percent signs. There may be other parameters, too. The station accepts this client, and sends the
reading in that unit as a text frame. It sends this frame once right after the accept, and once for
each frame of the client, text or binary, empty or not. The station rejects a client with another
unit (such as `kelvin` or `Celsius`), with an empty unit, or without a unit. It sends a
`websocket.close` without a code or reason. Weather stays a SyncConsumer.
"""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

READINGS = {"celsius": "21", "fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # TODO 1: read the unit from the URL. If it is not in READINGS, reject the client.
        self.unit = "celsius"
        # TODO 2: accept the client.
        self.send_reading()

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.unit]})
