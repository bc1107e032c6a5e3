"""A WebSocket client written by hand, and the echo client that measures round trips with it.

A client of the `websockets` package spends about as long on a round trip as the fastest servers
do, so its own cost would hide theirs. This client knows the handshake and short unfragmented text
frames, and nothing else.
"""

import asyncio
import time

CLOSE_FRAME = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
CONNECT_TIMEOUT = 20  # seconds
HANDSHAKES_AT_ONCE = 20
PAYLOAD = b'"twelve bytes"'  # JSON, because one of the consumers parses it
ECHO = bytes([0x81, len(PAYLOAD)]) + PAYLOAD
WARM_UP = 0.2  # its share of the time of a measurement


def frame(payload: bytes) -> bytes:
    """A text frame. A client must mask its frames; a mask of zeros leaves the payload as it is."""
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


class Connection(asyncio.Protocol):
    """One WebSocket connection. `_buffer` holds the received bytes that no handler has used yet."""

    def __init__(self, path: str, cookie: str = ""):
        self.path = path
        self.cookie = cookie
        self.opened = asyncio.get_running_loop().create_future()
        self._buffer = b""

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
        self._buffer += data
        if self.opened.done():
            self.handle_frames()
            return
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        self._buffer = rest
        if head.startswith(b"HTTP/1.1 101"):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"{self.path}: {head[:60]!r}"))

    def handle_frames(self):
        """Called when `_buffer` has grown. Its last frame may be incomplete."""

    def connection_lost(self, error):
        self._fail(self.opened)

    def _fail(self, future: asyncio.Future | None):
        if future and not future.done():
            future.set_exception(ConnectionError(f"{self.path}: the server hung up"))

    def close(self):
        self.transport.write(CLOSE_FRAME)
        self.transport.close()


async def connect(port: int, path: str, kind: type[Connection] = Connection, **options):
    """A client whose handshake is done."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: kind(path, **options), "127.0.0.1", port)
    async with asyncio.timeout(CONNECT_TIMEOUT):
        await client.opened
    return client


async def connect_many(count: int, port: int, path: str, kind: type[Connection] = Connection):
    """A list of `count` clients. Only a few handshakes run at the same time."""
    clients: list[Connection] = []
    while len(clients) < count:
        some = min(HANDSHAKES_AT_ONCE, count - len(clients))
        clients += await asyncio.gather(*(connect(port, path, kind) for _ in range(some)))
    return clients


class EchoClient(Connection):
    """Sends the next frame as soon as the echo of the last one is back."""

    def __init__(self, path: str, **options):
        super().__init__(path, **options)
        self.times: list[float] = []  # seconds of each round trip since `start`
        self._stopped: asyncio.Future | None = None

    def handle_frames(self):
        if self._buffer == ECHO:
            self._buffer = b""
            self.times.append(time.perf_counter() - self._sent_at)
            if self._stopped is None:
                self._send()
            elif not self._stopped.done():
                self._stopped.set_result(None)

    def connection_lost(self, error):
        super().connection_lost(error)
        self._fail(self._stopped)

    def start(self) -> None:
        self.times, self._stopped = [], None
        self._send()

    def stop(self) -> asyncio.Future:
        """Send no further frame. The future is done when the last echo is back."""
        self._stopped = asyncio.get_running_loop().create_future()
        return self._stopped

    async def one_round_trip(self) -> None:
        self.start()
        await self.stop()

    def _send(self):
        self._sent_at = time.perf_counter()
        self.transport.write(frame(PAYLOAD))


async def round_trips(group: list[EchoClient], seconds: float) -> tuple[float, list[float], int]:
    """Round trips a second, the seconds of each, and the number of all round trips.

    The clock starts after the warm-up and stops while the server is still busy. Start and end take
    a fast server as long as a slow one, so counting them would make the two look more alike.
    """
    for client in group:
        client.start()
    await asyncio.sleep(seconds * WARM_UP)
    warm_ups = [len(client.times) for client in group]
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - started
    times = [
        one for client, first in zip(group, warm_ups, strict=True) for one in client.times[first:]
    ]
    async with asyncio.timeout(CONNECT_TIMEOUT):
        await asyncio.gather(*(client.stop() for client in group))
    return len(times) / elapsed, times, sum(len(client.times) for client in group)


async def handshakes(port: int, path: str, seconds: float, at_once: int = 5) -> float:
    """Handshakes a second. Each client closes as soon as it is connected."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    count = 0

    async def connect_and_close():
        nonlocal count
        while loop.time() - started < seconds:
            (await connect(port, path)).close()
            count += 1

    await asyncio.gather(*(connect_and_close() for _ in range(at_once)))
    return count / (loop.time() - started)
