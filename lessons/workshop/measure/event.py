"""`bench event`: what one event costs, by what handles it, beside a plain ASGI function.

Every shape is the same echo, each on its own server: `python -m lessons.workshop.measure.event
SERVER SHAPE`. All take turns in one run, so that all meet the same load of the machine.
"""

import asyncio
import socket
import sys
import time
from statistics import median

from channels.consumer import AsyncConsumer, SyncConsumer, get_handler_name
from channels.exceptions import StopConsumer

from lessons.workshop.measure import in_process
from lessons.workshop.measure.client import HANDSHAKES_AT_ONCE, Client, connect_many
from lessons.workshop.measure.servers import CONNECT_TIMEOUT, serve_with_daphne, servers

CLIENTS = 50
SECONDS = 0.15  # of one measurement
WARM_UP = 0.03  # seconds before it
PAYLOAD = b"twelve bytes"


async def bare(scope, receive, send):
    """An echo without Channels: what the server itself costs."""
    while (event := await receive())["type"] != "websocket.disconnect":
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": event["text"]})


class Async(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class LeanDispatch:
    """As in lesson 30: no handler makes a query, so none needs a check of the connections."""

    async def dispatch(self, message):
        await getattr(self, get_handler_name(message))(message)


class LeanAsync(LeanDispatch, Async):
    pass


class Sync(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer


SHAPES = {
    "bare ASGI function": bare,
    "AsyncConsumer, lean dispatch": LeanAsync.as_asgi(),
    "AsyncConsumer": Async.as_asgi(),
    "SyncConsumer": Sync.as_asgi(),
}


def serve_with_uvicorn(application) -> None:
    import uvicorn

    options = {"lifespan": "off", "log_level": "error", "ws_ping_interval": None}
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print("port", listener.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(uvicorn.Config(application, **options)).serve([listener]))


SERVERS = {"daphne": serve_with_daphne, "uvicorn": serve_with_uvicorn}


async def echoes_a_second(clients: list[Client]) -> float:
    """How often the server answers.

    Each client sends its next frame as soon as the last echo is back. The clock starts after the
    warm-up and stops while the server is still busy. Start and end take a fast server as long as a
    slow one, so counting them would make the two look more alike.
    """
    count, running, is_over, ended = 0, len(clients), False, asyncio.Event()

    def on_text(client, payload):
        nonlocal count, running
        count += 1
        if not is_over:
            client.send_text(PAYLOAD)
        elif (running := running - 1) == 0:
            ended.set()

    for client in clients:
        client.on_text = on_text
        client.send_text(PAYLOAD)
    await asyncio.sleep(WARM_UP)
    first, started = count, time.perf_counter()
    await asyncio.sleep(SECONDS)
    rate = (count - first) / (time.perf_counter() - started)
    is_over = True
    async with asyncio.timeout(CONNECT_TIMEOUT):
        await ended.wait()
    return rate


async def connects_a_second(port: int) -> float:
    """How many handshakes the server accepts."""
    started = time.perf_counter()
    clients = await connect_many(HANDSHAKES_AT_ONCE, port)
    seconds = time.perf_counter() - started
    for client in clients:
        client.close()
    return len(clients) / seconds


async def measure(rounds: int) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Echoes and connects a second, of each round, by server and shape."""
    figures = {(server, shape): [] for server in SERVERS for shape in SHAPES}
    with servers(__spec__.name, figures) as ports:
        shapes = [
            (found, port, await connect_many(CLIENTS, port))
            for found, port in zip(figures.values(), ports, strict=True)
        ]
        for number in range(rounds + 1):
            for found, port, clients in shapes[:: -1 if number % 2 else 1]:
                rates = await echoes_a_second(clients), await connects_a_second(port)
                if number:  # the first round is the warm-up
                    found.append(rates)
    return figures


def run(rounds: int) -> str:
    """The table. A share is the median of each round's own, because both meet the same load."""
    figures = asyncio.run(measure(rounds))
    peer, *_ = figures.values()
    lines = [f"{CLIENTS} clients                            share  echoes/s  connects/s"]
    for (server, shape), found in figures.items():
        share = median(mine / theirs for (mine, _), (theirs, _) in zip(found, peer, strict=True))
        echoes, connects = map(median, zip(*found, strict=True))
        lines.append(f"{server:<8}{shape:<29}{share:>6.2f}{echoes:>10.0f}{connects:>12.0f}")
    return "\n".join(lines)


def profile() -> str:
    """Where an AsyncConsumer's time goes, without server and network."""
    # The time of a SyncConsumer is spent in another thread.
    applications = {name: one for name, one in SHAPES.items() if name != "SyncConsumer"}
    return in_process.report(applications, clients=1, texts=2000)


if __name__ == "__main__":
    SERVERS[sys.argv[1]](SHAPES[sys.argv[2]])
