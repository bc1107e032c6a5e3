"""Clients of an echo, and how many round trips and handshakes they make a second."""

import asyncio
import time

from lessons.bench.connection import PATIENCE, Connection, connected, frame

PAYLOAD = b'"twelve bytes"'  # JSON, since one of the consumers parses it
FRAME = frame(PAYLOAD)
ECHO = bytes([0x81, len(PAYLOAD)]) + PAYLOAD
WARM_UP = 0.2  # of the time of a measurement


class Client(Connection):
    """Of an echo: sends the next frame as soon as the last one has come back."""

    def __init__(self, path: str, **options):
        super().__init__(path, **options)
        self.times: list[float] | None = None  # seconds of each round trip, while it runs
        self._stopped: asyncio.Future | None = None

    def frames_came(self):
        if self._came == ECHO:
            self._came = b""
            self._echoed()

    def connection_lost(self, error):
        super().connection_lost(error)
        self._hung_up(self._stopped)

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
