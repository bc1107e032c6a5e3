"""Lesson 11, solved: letters from one client to another."""

import json

from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Letterbox(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": self.channel_name})

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        # Only the text comes from the client. The type is fixed.
        message = {"type": "letter.arrived", "text": letter["text"]}
        try:
            # The layer's methods are async def, but this handler is not.
            async_to_sync(self.channel_layer.send)(letter["to"], message)
        except TypeError:
            self.send({"type": "websocket.send", "text": "no such address"})

    def letter_arrived(self, event):
        # This runs in the reader's consumer, so self.send reaches the reader.
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()
