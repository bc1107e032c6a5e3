"""A WebSocket client written by hand: it must cost less than the server that it measures.

A client of the `websockets` package spends about as long on a frame as the fastest servers do. This
client knows the handshake and short unfragmented text frames, and nothing else.
"""

import asyncio
from collections.abc import Callable

from lessons.workshop.measure.servers import CONNECT_TIMEOUT

CLOSE_FRAME = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
HANDSHAKES_AT_ONCE = 20


class Client(asyncio.Protocol):
    """One connection. It calls `on_text(client, payload)` for each text frame of the server."""

    on_text: Callable[["Client", bytes], None]

    def __init__(self):
        self._received = b""  # bytes that are no complete frame yet
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data):
        self._received += data
        if not self.opened.done():
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            self._received = rest
            self.opened.set_result(head)
        while len(self._received) > 1 and len(self._received) >= (end := 2 + self._received[1]):
            payload, self._received = self._received[2:end], self._received[end:]
            self.on_text(self, payload)

    def send_text(self, payload: bytes) -> None:
        # A client must mask its frames; a mask of zeros leaves the payload as it is.
        self.transport.write(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def close(self) -> None:
        self.transport.write(CLOSE_FRAME)
        self.transport.close()


async def connect_many(count: int, port: int) -> list[Client]:
    """`count` clients whose handshake is done. Only a few handshakes run at the same time."""
    loop, limit = asyncio.get_running_loop(), asyncio.Semaphore(HANDSHAKES_AT_ONCE)

    async def connect():
        async with limit, asyncio.timeout(CONNECT_TIMEOUT):
            _, client = await loop.create_connection(Client, "127.0.0.1", port)
            head = await client.opened
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"The server refused a client: {head[:60]!r}")
        return client

    return await asyncio.gather(*(connect() for _ in range(count)))
