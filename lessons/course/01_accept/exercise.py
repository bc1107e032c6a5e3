"""Lesson 1: a weather station that speaks two subprotocols.

Each subprotocol stands for a unit. A client offers a list of subprotocols. The station accepts the
client with the first one on this list that is in READINGS; the names must match exactly. It sends
the reading in that unit as a text frame: one right after the accept, and one for each frame of the
client, text or binary, empty or not. It refuses a client that offers none of them with a bare
`websocket.close`, without a code: HTTP 403.
"""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}


class Weather(SyncConsumer):
    def websocket_connect(self, event):
        # TODO 1: choose the first of the client's subprotocols that is in READINGS;
        #         where there is none, refuse the client.
        self.chosen = "weather.celsius"
        # TODO 2: accept the client, and say which subprotocol you chose.
        self.tell()

    def websocket_receive(self, event):
        self.tell()

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 says why

    def tell(self):
        self.send({"type": "websocket.send", "text": READINGS[self.chosen]})
