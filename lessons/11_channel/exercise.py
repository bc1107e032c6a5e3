"""Lesson 11: letters from one client to another.

Right after the accept, the client receives its address in a text frame: the name of its consumer's
channel. After that, a client sends only letters: text frames with JSON such as
`{"to": ADDRESS, "text": "hello"}`. Every letter has both keys. The `text` is a string that UTF-8
can encode. Other keys change nothing, even a `type`.

The client at that address receives the text unchanged, in one text frame. The writer gets no
answer, unless the layer raises TypeError for the address: then the writer receives the text frame
`no such address`. The layer raises it for an invalid name, and for a `to` that is not a string.

If the channel is full, the letter is lost. ChannelFull may end the writer's consumer, or you may
catch it.

Views send letters too: `{"type": "letter.arrived", "text": "hello"}`.
"""

import json

from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


# The checks look for this name and this base class: keep both.
class Letterbox(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": self.channel_name})

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        # TODO 1: build the message yourself, and send it from this sync code.
        self.channel_layer.send(letter["to"], letter)

    # TODO 2: handle a message of the type letter.arrived at the reader's consumer.

    def websocket_disconnect(self, event):
        raise StopConsumer()
