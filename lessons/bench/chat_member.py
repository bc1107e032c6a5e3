"""A member of a chat room as its page is: comes back by itself, and sends again what got lost."""

import asyncio
import json
import random
import time
import uuid
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PATIENCE = 60  # seconds for a handshake, on a machine that is busy with other things
COMES_BACK_IN = 0.2, 1.0  # seconds


class Member:
    """Talks while `house.talks`; stays until it is cancelled."""

    def __init__(self, house, room: str, session: str):
        self.house, self.room = house, room
        self._session = session
        self.ids: list[int] = []  # of all messages that came, in the order in which they came
        self.sent: list[str] = []  # keys
        self.confirmed: set[str] = set()
        self.refused = 0
        self.connections = 0
        self.is_here = False
        self.back_after: list[float] = []  # seconds without a connection
        self.pending: str | None = None  # key of the message that is not confirmed yet
        self._confirmed = asyncio.Event()
        self._socket = None

    @property
    def seen(self) -> int:
        return max(self.ids, default=0)

    async def stay(self) -> None:
        """Be connected, to a server of this moment, and connect again whatever ends that."""
        lost = time.monotonic()
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                async with self.house.door:  # a crowd that comes at once is not what is measured
                    self._socket = await self._connect()
                async with self._socket:
                    self.connections += 1
                    self.is_here = True
                    self.back_after.append(time.monotonic() - lost)
                    try:
                        await self._converse(self._socket)
                    finally:
                        self.is_here = False
                        lost = time.monotonic()
            await asyncio.sleep(random.uniform(*COMES_BACK_IN))

    def lose(self) -> None:
        """Its connection is lost, without a word to the server."""
        if self._socket is not None:
            self._socket.transport.abort()

    def _connect(self):
        at = f"127.0.0.1:{random.choice(self.house.ports)}"
        return connect(
            f"ws://{at}/ws/chat/{self.room}/?seen={self.seen}",
            origin=f"http://{at}",
            additional_headers={"Cookie": f"sessionid={self._session}"},
            proxy=None,
            open_timeout=PATIENCE,
            ping_interval=None,
        )

    async def _converse(self, socket) -> None:
        talking = asyncio.create_task(self._talk(socket))
        try:
            async for text in socket:
                self._hear(json.loads(text))
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    async def _talk(self, socket) -> None:
        while True:
            if self.pending is None:
                await asyncio.sleep(random.expovariate(1 / self.house.pause))
                if not self.house.talks:
                    continue
                self.pending = uuid.uuid4().hex
                self.sent.append(self.pending)
            self._confirmed.clear()
            await socket.send(json.dumps({"message": f"about {self.room}", "key": self.pending}))
            await self._confirmed.wait()

    def _hear(self, frame: dict) -> None:
        self.refused += "error" in frame
        if "message" in frame:
            self.ids.append(frame["id"])
            if (key := frame.get("key")) is not None:
                self.confirmed.add(key)
                if key == self.pending:
                    self.pending = None
                    self._confirmed.set()
