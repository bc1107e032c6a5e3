"""Lesson 11: letters from one client to another.

Right after the accept, a text frame tells the client its address: the name of its consumer's
channel. From then on a client sends JSON in text frames: `{"to": ADDRESS, "text": "hello"}`, two
strings. The client at that address gets the text, in a text frame of its own; the writer gets no
answer. Only where the layer does not take the address, as it raises TypeError, the writer gets a
text frame: `no such address`. Other keys in the JSON change nothing. Views send letters too. The
message of theirs is `{"type": "letter.arrived", "text": "hello"}`.
"""

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
        # TODO 1: send a message of your own making, from this sync code.
        self.channel_layer.send(letter["to"], letter)

    # TODO 2: handle what arrives.

    def websocket_disconnect(self, event):
        raise StopConsumer()
