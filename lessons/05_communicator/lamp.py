"""The lamp that does everything that the task of lesson 5 says."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Lamp(SyncConsumer):
    def websocket_connect(self, event):
        self.lit = self.broken = False
        if self.scope["query_string"] == b"key=brass":
            self.send({"type": "websocket.accept"})
        else:
            self.send({"type": "websocket.close"})

    def websocket_receive(self, event):
        if self.broken:
            return
        if event.get("text") == "switch":
            self.lit = not self.lit
            self.send({"type": "websocket.send", "text": "on" if self.lit else "off"})
        else:
            self.broken = True
            self.send({"type": "websocket.close", "code": 4000})

    def websocket_disconnect(self, event):
        raise StopConsumer()
