"""Lesson 1: a weather station that speaks two subprotocols.

Each subprotocol stands for a unit. A client offers a list of subprotocols. The station accepts the
client with the first name on this list that is in READINGS. The names must match exactly. The
station sends the reading in that unit as a text frame: once right after the accept, and once for
each frame of the client, text or binary, empty or not. If the client offers no name that is in
READINGS, the station rejects the client. It sends a `websocket.close` without a code or reason.
"""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # TODO 1: choose the first of the client's subprotocols that is in READINGS.
        #         If none is in READINGS, reject the client.
        self.chosen = "weather.celsius"
        # TODO 2: accept the client, and name the chosen subprotocol.
        self.send_reading()

    def websocket_receive(self, event):
        self.send_reading()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why

    def send_reading(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})
