"""SyncConsumer, event by event: one worked consumer for each of the first lessons."""

import logging
from urllib.parse import parse_qs

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

logger = logging.getLogger(__name__)


class Doorkeeper(SyncConsumer):
    """Lesson 1: the handshake is an event, and the answer to it is an event."""

    speaks = ("door.v2", "door.v1")  # subprotocols, the best one first

    def websocket_connect(self, event):
        query = parse_qs(self.scope["query_string"].decode())
        if "name" not in query:
            # A close before an accept refuses: the client gets HTTP 403 and nothing else.
            self.send({"type": "websocket.close"})
            return
        self.send({"type": "websocket.accept", "subprotocol": self.common_subprotocol()})
        welcome = f"Welcome to {self.scope['path']}, {query['name'][0]}."
        self.send({"type": "websocket.send", "text": welcome})

    def common_subprotocol(self):
        """The best one that both sides speak; only one that the client offered may be echoed."""
        for subprotocol in self.speaks:
            if subprotocol in self.scope["subprotocols"]:
                return subprotocol
        return None

    def websocket_receive(self, event):
        # The scope stays as the handshake left it for as long as the connection lives. Its
        # headers are whatever bytes the client has sent.
        host = dict(self.scope["headers"]).get(b"host", b"an unknown host").decode("latin1")
        self.send({"type": "websocket.send", "text": f"You called {host}."})

    def websocket_disconnect(self, event):
        raise StopConsumer()  # lesson 3 says why


class Echo(SyncConsumer):
    """Lesson 2: text stays text, bytes stay bytes, and an empty frame is a frame."""

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        # Daphne leaves the unused key out, other servers send it as None: .get() suits both.
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send({"type": "websocket.send", "text": text})
        else:
            self.send({"type": "websocket.send", "bytes": data})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class Operator(SyncConsumer):
    """Lesson 3: either side may hang up, and only StopConsumer ends the consumer."""

    def websocket_connect(self, event):
        self.hung_up = False
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if self.hung_up:
            return  # was under way when the close was sent, and nothing may follow a close
        text = event.get("text")
        if text is None:
            # The protocol's own 1003, unsupported data, is not ours to send.
            self.hang_up(4003)
        elif text == "bye":
            self.send({"type": "websocket.send", "text": "Goodbye."})
            self.hang_up(1000)
        else:
            self.send({"type": "websocket.send", "text": f"You said: {text}"})

    def hang_up(self, code):
        self.hung_up = True
        self.send({"type": "websocket.close", "code": code})

    def websocket_disconnect(self, event):
        # Comes once, whoever hung up. After a browser's bare close() the code is None.
        code = event.get("code")
        known = {None: "hung up", 1000: "hung up", 1001: "left for another page", 1006: "lost"}
        logger.info("The line was %s.", known.get(code, f"closed with {code}"))
        raise StopConsumer()


class Turnstile(SyncConsumer):
    """Lesson 4: a little of all that a test has to look at."""

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
