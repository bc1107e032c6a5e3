"""Lesson 2, solved: a stamp that numbers frames."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Stamp(SyncConsumer):
    def websocket_connect(self, event):
        self.count = 0  # on self: each connection has its own instance
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.count += 1
        # get(), because a server may leave the unused key out or send it as None.
        text, data = event.get("text"), event.get("bytes")
        # `is not None`, because "" counts as false, and an empty frame is a frame.
        if text is not None:
            self.send({"type": "websocket.send", "text": f"{self.count} {text}"})
        else:
            # Both parts are bytes, because not all bytes can be decoded.
            self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why
