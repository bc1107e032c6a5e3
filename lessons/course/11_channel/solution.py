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
        # Of what the client sent, the text alone goes on; the type is ours.
        message = {"type": "letter.arrived", "text": letter["text"]}
        try:
            # The layer's methods are async def, and this is not.
            async_to_sync(self.channel_layer.send)(letter["to"], message)
        except TypeError:
            self.send({"type": "websocket.send", "text": "no such address"})

    def letter_arrived(self, event):
        # Runs at the one who gets it: this self.send leads to that client.
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()
