"""Real WebSocket clients in a room of room_server.py, and the server."""

import asyncio
import itertools
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


class RoomServer(RealDaphne):
    def __init__(self, url):
        super().__init__("room_server", url)


class RoomClient:
    """One client, which reads all frames in a task."""

    def __init__(self, socket):
        self.socket = socket
        self.received = []
        self._probes = itertools.count()
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        try:
            while True:
                self.received.append(await self.socket.recv())
                self._changed.set()
        except ConnectionClosed:
            self._changed.set()

    @property
    def is_open(self):
        return not self._reading.done()

    async def send(self, text):
        await self.socket.send(text)

    async def wait_for(self, text):
        async with asyncio.timeout(TEST_TIMEOUT):
            while text not in self.received:
                code = self.socket.close_code
                assert self.is_open, f"closed with {code}, received {self.received}"
                self._changed.clear()
                await self._changed.wait()

    async def all_received(self):
        """All texts received, after everything that was already sent has arrived."""
        probe = f"probe {next(self._probes)}"
        await self.send(probe)
        await self.wait_for(probe)
        return [text for text in self.received if not text.startswith("probe")]

    async def close_code(self):
        """Wait until the server has closed the connection. Returns the code."""
        async with asyncio.timeout(TEST_TIMEOUT):
            await self._reading
        return self.socket.close_code

    async def disconnect(self):
        await self.socket.close()
        await self._reading


@asynccontextmanager
async def connected_clients(count, server, path):
    """Connect `count` clients to this path. They disconnect at the end."""
    url = f"ws://127.0.0.1:{server.port}{path}"
    options = {"proxy": None, "compression": None, "max_size": None, "open_timeout": TEST_TIMEOUT}
    attempts = await asyncio.gather(
        *(connect(url, **options) for _ in range(count)), return_exceptions=True
    )
    errors = [one for one in attempts if isinstance(one, BaseException)]
    clients = [RoomClient(one) for one in attempts if one not in errors]
    try:
        if errors:
            raise errors[0]
        yield clients
    finally:
        await asyncio.gather(*(client.disconnect() for client in clients))


async def all_receive(clients, text):
    await asyncio.gather(*(client.wait_for(text) for client in clients))


async def send_until_received(sender, clients):
    """Send one text after another, until each client has received one of them."""
    async with asyncio.timeout(TEST_TIMEOUT):
        for number in itertools.count():
            await sender.send(f"again {number}")
            if all(any(text.startswith("again") for text in client.received) for client in clients):
                return
            await asyncio.sleep(0.05)
