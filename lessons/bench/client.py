"""Clients of an echo, written by hand: what they cost must not hide what a server costs.

A client of the `websockets` package spends about as long on a round trip as the fastest of the
servers does. This one knows a handshake and one short unfragmented text frame, and no more.
"""

import asyncio
import time

PAYLOAD = b'"twelve bytes"'  # JSON, since one of the consumers parses it
# A client masks what it sends; with a mask of zeros the payload stays as it is.
FRAME = bytes([0x81, 0x80 | len(PAYLOAD), 0, 0, 0, 0]) + PAYLOAD
ECHO = bytes([0x81, len(PAYLOAD)]) + PAYLOAD
LEAVE = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
PATIENCE = 20  # seconds
WARM_UP = 0.2  # of the time of a measurement


class Client(asyncio.Protocol):
    """One connection; sends the next frame as soon as the last one has come back."""

    def __init__(self, path: str):
        self.path = path
        self.opened = asyncio.get_running_loop().create_future()
        self.times: list[float] | None = None  # seconds of each round trip, while it runs
        self._came = b""
        self._stopped: asyncio.Future | None = None

    def connection_made(self, transport):
        self.transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Origin: http://{host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data):
        self._came += data
        if not self.opened.done():
            head, end, self._came = self._came.partition(b"\r\n\r\n")
            if not end:
                self._came = head
            elif head.startswith(b"HTTP/1.1 101"):
                self.opened.set_result(None)
            else:
                self.opened.set_exception(ConnectionError(f"{self.path}: {head[:60]!r}"))
        elif self._came == ECHO:
            self._came = b""
            self._echoed()

    def connection_lost(self, error):
        for waiting in (self.opened, self._stopped):
            if waiting and not waiting.done():
                waiting.set_exception(ConnectionError(f"{self.path}: the server hung up"))

    def start(self) -> None:
        self.times, self._stopped = [], None
        self._send()

    def stop(self) -> asyncio.Future:
        """No frame after the one that is under way; done when that one is back."""
        self._stopped = asyncio.get_running_loop().create_future()
        return self._stopped

    async def once(self) -> None:
        """One round trip."""
        self.start()
        await self.stop()

    def _send(self):
        self._sent = time.perf_counter()
        self.transport.write(FRAME)

    def _echoed(self):
        self.times.append(time.perf_counter() - self._sent)
        if self._stopped is None:
            self._send()
        elif not self._stopped.done():
            self._stopped.set_result(None)

    def leave(self):
        self.transport.write(LEAVE)
        self.transport.close()


async def connected(port: int, path: str) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(path), "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        await client.opened
    return client


async def round_trips(group: list[Client], seconds: float) -> tuple[float, list[float], int]:
    """Round trips a second, the seconds of each, and how many there were in all.

    The clock starts when the server is busy already, and stops while it still is: the beginning
    and the end are the same for the fast and the slow, and would make them more alike.
    """
    for client in group:
        client.start()
    await asyncio.sleep(seconds * WARM_UP)
    begun = [len(client.times) for client in group]
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed = time.perf_counter() - started
    times = [
        one for client, first in zip(group, begun, strict=True) for one in client.times[first:]
    ]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client.stop() for client in group))
    return len(times) / elapsed, times, sum(len(client.times) for client in group)


async def connects(port: int, path: str, seconds: float, at_once: int = 5) -> float:
    """Handshakes a second, with so many under way at a time; each client leaves at once."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    made = 0

    async def come_and_go():
        nonlocal made
        while loop.time() - started < seconds:
            (await connected(port, path)).leave()
            made += 1

    await asyncio.gather(*(come_and_go() for _ in range(at_once)))
    return made / (loop.time() - started)
