"""SyncConsumer, event by event: the worked examples of lessons 0 to 5."""

import logging

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

logger = logging.getLogger(__name__)


class FirstLine(SyncConsumer):
    """Lesson 0: the first consumer. It accepts each client, and answers each frame."""

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": "The line is open."})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": "I hear you."})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Doorkeeper(SyncConsumer):
    """Lesson 1: a consumer answers a handshake. It accepts the client or rejects it."""

    def websocket_connect(self, event):
        name = QueryDict(self.scope["query_string"]).get("name")
        if not name:
            # A close before an accept rejects the handshake: the client receives HTTP 403.
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": f"Welcome, {name}."})

    def websocket_receive(self, event):
        pass  # lesson 2 answers frames

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 explains why


class FixedSubprotocol(SyncConsumer):
    """Lesson 24: an accept names a subprotocol that the client offers."""

    def websocket_connect(self, event):
        if "door.v1" not in self.scope["subprotocols"]:
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept", "subprotocol": "door.v1"})

    def websocket_receive(self, event):
        pass

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Echo(SyncConsumer):
    """Lesson 2: text stays text, bytes stay bytes, and an empty frame is also a frame."""

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # Daphne leaves out the unused key. Some other servers set it to None. get() handles both.
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send({"type": "websocket.send", "text": text})
        else:
            self.send({"type": "websocket.send", "bytes": data})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Operator(SyncConsumer):
    """Lesson 3: either side may close, but only StopConsumer ends the consumer."""

    def websocket_connect(self, event):
        self.closed = False
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if self.closed:
            return  # the client sent this frame before it received the close
        text = event.get("text")
        if text is None:
            # Codes from 4000 belong to applications.
            self.close(4003)
        elif text == "bye":
            self.send({"type": "websocket.send", "text": "Goodbye."})
            self.close(1000)
        else:
            self.send({"type": "websocket.send", "text": f"You said: {text}"})

    def close(self, code):
        self.closed = True
        self.send({"type": "websocket.close", "code": code})

    def websocket_disconnect(self, event):
        # Daphne sends this event once, also after our own close. If a browser calls close()
        # without a code, the code is None.
        logger.info("Connection closed with code %s.", event.get("code"))
        raise StopConsumer()


class Turnstile(SyncConsumer):
    """Lesson 5: a small consumer with everything that a test must check."""

    def websocket_connect(self, event):
        if self.scope["query_string"] != b"gate=north":
            self.send({"type": "websocket.close"})
            return
        self.inside = 0
        self.broken = False
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if self.broken:
            return
        step = {"in": 1, "out": -1}.get(event.get("text"))
        if step is None:
            self.broken = True
            self.send({"type": "websocket.close", "code": 4000})
            return
        self.inside += step
        self.send({"type": "websocket.send", "text": f"{self.inside} inside"})

    def websocket_disconnect(self, event):
        raise StopConsumer()
