"""SyncConsumer, event by event: one worked consumer for each of the first lessons."""

from urllib.parse import parse_qs

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


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
        # The scope stays as the handshake left it for as long as the connection lives.
        host = dict(self.scope["headers"]).get(b"host", b"an unknown host")
        self.send({"type": "websocket.send", "text": f"You called {host.decode()}."})

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
