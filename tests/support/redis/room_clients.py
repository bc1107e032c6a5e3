"""Real WebSocket clients in a room of room_server.py, and the server."""

import asyncio
import itertools
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


class RealChat(RealDaphne):
    def __init__(self, url):
        super().__init__("room_server", url)


class Guest:
    """One client, which reads all that comes."""

    def __init__(self, client):
        self.client = client
        self.heard = []
        self._fences = itertools.count()
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        try:
            while True:
                self.heard.append(await self.client.recv())
                self._news.set()
        except ConnectionClosed:
            self._news.set()

    @property
    def is_open(self):
        return not self._reading.done()

    async def say(self, text):
        await self.client.send(text)

    async def hears(self, text):
        async with asyncio.timeout(TEST_TIMEOUT):
            while text not in self.heard:
                assert self.is_open, f"closed with {self.client.close_code}, heard {self.heard}"
                self._news.clear()
                await self._news.wait()

    async def hears_only(self):
        """All texts received, after everything that was already sent has arrived."""
        fence = f"fence {next(self._fences)}"
        await self.say(fence)
        await self.hears(fence)
        return [text for text in self.heard if not text.startswith("fence")]

    async def closed_with(self):
        async with asyncio.timeout(TEST_TIMEOUT):
            await self._reading
        return self.client.close_code

    async def leave(self):
        await self.client.close()
        await self._reading


@asynccontextmanager
async def crowd(count, server, path):
    """Connect `count` guests to this path. They disconnect at the end."""
    url = f"ws://127.0.0.1:{server.port}{path}"
    clients = await asyncio.gather(
        *(connect(url, proxy=None, compression=None, max_size=None) for _ in range(count))
    )
    guests = [Guest(client) for client in clients]
    try:
        yield guests
    finally:
        await asyncio.gather(*(guest.leave() for guest in guests))


async def all_hear(guests, text):
    await asyncio.gather(*(guest.hears(text) for guest in guests))


async def say_until_heard(speaker, guests):
    """Send one text after another, until each guest has received one of them."""
    async with asyncio.timeout(TEST_TIMEOUT):
        for number in itertools.count():
            await speaker.say(f"again {number}")
            if all(any(text.startswith("again") for text in guest.heard) for guest in guests):
                return
            await asyncio.sleep(0.05)
