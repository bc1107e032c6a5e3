"""A WebSocket client written by hand: what it costs must not hide what a server costs.

A client of the `websockets` package spends about as long on a round trip as the fastest of the
servers does. This one knows a handshake and short unfragmented text frames, and no more.
"""

import asyncio

LEAVE = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
PATIENCE = 20  # seconds
AT_ONCE = 20  # handshakes of a crowd under way at a time


def frame(payload: bytes) -> bytes:
    """A client masks what it sends; with a mask of zeros the payload stays as it is."""
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


class Connection(asyncio.Protocol):
    """One connection, and what has come on it since it was opened and was not looked at yet."""

    def __init__(self, path: str, cookie: str = ""):
        self.path = path
        self.cookie = cookie
        self.opened = asyncio.get_running_loop().create_future()
        self._came = b""

    def connection_made(self, transport):
        self.transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Origin: http://{host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Cookie: {self.cookie}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data):
        self._came += data
        if self.opened.done():
            self.frames_came()
            return
        head, end, self._came = self._came.partition(b"\r\n\r\n")
        if not end:
            self._came = head
        elif head.startswith(b"HTTP/1.1 101"):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"{self.path}: {head[:60]!r}"))

    def frames_came(self):
        """More is in `_came`: at least a part of a frame."""

    def connection_lost(self, error):
        self._hung_up(self.opened)

    def _hung_up(self, waiting: asyncio.Future | None):
        if waiting and not waiting.done():
            waiting.set_exception(ConnectionError(f"{self.path}: the server hung up"))

    def leave(self):
        self.transport.write(LEAVE)
        self.transport.close()


async def connected(port: int, path: str, kind: type[Connection] = Connection, **options):
    """A client that is in."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: kind(path, **options), "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        await client.opened
    return client


async def crowd(count: int, port: int, path: str, kind: type[Connection] = Connection) -> list:
    """So many clients, some of them coming in at a time."""
    clients: list[Connection] = []
    while len(clients) < count:
        some = min(AT_ONCE, count - len(clients))
        clients += await asyncio.gather(*(connected(port, path, kind) for _ in range(some)))
    return clients
