"""Consumers for clients that do not read, or that send too fast, on Daphne or uvicorn.

    python3 -m tests.support.servers.backpressure_server Daphne

It prints `port NUMBER` when it listens, and `ready` when a consumer has sent all that it can send.
"""

import asyncio
import socket
import sys

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.conf import settings

_LAYER = {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
settings.configure(CHANNEL_LAYERS={"default": _LAYER})

from lessons.extras.backpressure import InputLimit, PriceFeed  # noqa: E402
from tests.support.programs.memory_probes import FRAME, FRAMES, STALL_TIMEOUTS  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

KIND = sys.argv[1]


class Sends(AsyncConsumer):
    """After a first frame, sends many frames, as long as each `send` returns soon."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        number = 0
        try:
            while number < FRAMES:
                await asyncio.wait_for(self.offer(FRAME), STALL_TIMEOUTS[KIND])
                number += 1
        except TimeoutError:
            pass
        print("ready", number, flush=True)
        if event["text"] == "close":
            await self.send({"type": "websocket.close", "code": 4408})

    async def offer(self, frame):
        await self.send({"type": "websocket.send", "text": frame})

    async def websocket_disconnect(self, event):
        print("left", event["code"], flush=True)
        raise StopConsumer()


class BoundedQueue(Sends):
    """Puts the frames into a queue of 4. A task sends what is in the queue."""

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        self.queue = asyncio.Queue(4)
        self.sender = asyncio.create_task(self.send_all())

    async def offer(self, frame):
        await self.queue.put(frame)

    async def send_all(self):
        while True:
            await super().offer(await self.queue.get())


class Prices(PriceFeed):
    """A frame "begin" publishes many long prices, then the price 0."""

    async def websocket_receive(self, event):
        await super().websocket_receive(event)
        if event["text"] == "begin":
            self.publisher = asyncio.create_task(publish())

    async def price_changed(self, event):
        await super().price_changed(event)
        if event["price"] == 0:
            print("ready all", flush=True)


async def publish():
    for price in [FRAME] * FRAMES + [0]:
        await get_channel_layer().group_send("prices", {"type": "price.changed", "price": price})
        await asyncio.sleep(0)


class Busy(Sends):
    """Handles its first frame for an hour."""

    async def websocket_receive(self, event):
        await asyncio.sleep(3600)


APPLICATIONS = {
    "/sends": Sends.as_asgi(),
    "/queue": BoundedQueue.as_asgi(),
    "/prices": Prices.as_asgi(),
    "/busy": Busy.as_asgi(),
    "/busy/limited": InputLimit(Busy.as_asgi()),
}


async def application(scope, receive, send):
    await APPLICATIONS[scope["path"]](scope, receive, send)


def serve_uvicorn():
    import uvicorn

    config = uvicorn.Config(application, lifespan="off", log_level="error", ws_ping_interval=None)
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    if KIND == "uvicorn":
        serve_uvicorn()
    else:
        serve(application, default_close_timeout=True)
