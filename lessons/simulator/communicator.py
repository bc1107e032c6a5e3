"""A WebsocketCommunicator that holds a consumer to Daphne's rules and waits for no clock."""

from channels.testing import WebsocketCommunicator

from lessons.simulator.server import FakeServer
from lessons.simulator.strict import CLOSE_TIMEOUT, Strict
from lessons.simulator.websocket_rules import DaphneRules

HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver


class StrictCommunicator(Strict, WebsocketCommunicator):
    """A browser's WebSocket: the methods of the stock communicator; it leaves with code 1001."""

    def __init__(self, application, path, headers=None, subprotocols=None, spec_version=None):
        self.server = FakeServer(application, DaphneRules(subprotocols or ()))
        super().__init__(self.server.serve, path, headers, subprotocols, spec_version)

    @property
    def closed(self) -> int | None:
        """The code that the consumer closed with (1006: refused); None while it has not."""
        return self.server.rules.close_code

    # What a client does

    async def send_to(self, text_data=None, bytes_data=None):
        """Send one frame; an empty one is a frame too."""
        if (text_data is None) == (bytes_data is None):
            raise TypeError("give exactly one of text_data and bytes_data")
        key, data = ("text", text_data) if bytes_data is None else ("bytes", bytes_data)
        if not isinstance(data, str if key == "text" else bytes):
            raise TypeError(f"{key}_data is a {type(data).__name__}")
        await self.send_input({"type": "websocket.receive", key: data})

    async def connect(self, timeout=HANDSHAKE_TIMEOUT):
        """Offer the handshake: (True, subprotocol) or (False, close code)."""
        return await super().connect(timeout)

    async def disconnect(self, code=1000, timeout=CLOSE_TIMEOUT):
        """Leave with `code` (None: a browser's bare close()); the consumer must then stop."""
        if not self.server.client_left and not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout)

    async def leave(self):
        """End as most clients do, by going to another page, if the connection still stands."""
        if self.server.started and not self.server.told:
            await self.disconnect(1001)

    # What a client sees

    async def receive_from(self, timeout=1):
        """Payload of the next frame, str or bytes."""
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.send":
            raise self.red("closed-early", f"Instead of a frame came {message}.")
        text = message.get("text")
        return message.get("bytes") if text is None else text
