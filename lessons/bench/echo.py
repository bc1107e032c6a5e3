"""`bench echo`: what each layer between server and handler costs, in one run on one machine."""

import asyncio
from dataclasses import dataclass, field

from lessons.bench.client import Client, connects, round_trips
from lessons.bench.connection import connected
from lessons.bench.processes import Server, servers

SERVERS = ("daphne", "uvicorn")
BARE = "/bare"
SHAPES = {  # beside each other what is compared
    BARE: "bare ASGI function",
    "/router": "+ URLRouter",
    "/lean": "AsyncConsumer, lean dispatch",
    "/async": "AsyncConsumer",
    "/unheard": "AsyncConsumer, recorder off",
    "/recorded": "AsyncConsumer, recorder on",
    "/generic": "AsyncWebsocketConsumer",
    "/json": "AsyncJsonWebsocketConsumer",
    "/stack": "AsyncConsumer, auth and origin",
    "/sync": "SyncConsumer",
}
MANY = 50
FIRST = 0.1  # seconds of each shape's first turn, which does not count
CONNECTS_EVERY = 5  # rounds


@dataclass
class Figures:
    """What the rounds gave for one shape on one server."""

    many: list[float] = field(default_factory=list)  # round trips a second, a value a round
    times: list[float] = field(default_factory=list)  # seconds of each of them
    processor: list[float] = field(default_factory=list)  # seconds of it that the server took
    one: list[float] = field(default_factory=list)
    handshakes: list[float] = field(default_factory=list)
    trips: int = 0  # of many clients, those before and after the clock ran included


@dataclass
class Shape:
    """One shape on one server, with its clients: they stay connected for the whole run."""

    server: Server
    path: str
    clients: list[Client]
    figures: Figures = field(default_factory=Figures)

    async def take_turn(self, seconds: float) -> None:
        before = self.server.processor_seconds()
        rate, times, trips = await round_trips(self.clients, seconds)
        self.figures.processor.append(self.server.processor_seconds() - before)
        self.figures.many.append(rate)
        self.figures.times += times
        self.figures.trips += trips
        rate, *_ = await round_trips(self.clients[:1], seconds / 2)
        self.figures.one.append(rate)

    async def take_connects(self, seconds: float) -> None:
        rate = await connects(self.server.port, self.path, seconds)
        self.figures.handshakes.append(rate)
        await self.clients[0].once()  # by then the server is done with those that came and went


def measure(rounds: int, seconds: float) -> dict[tuple[str, str], Figures]:
    """The figures by (server, path), `seconds` being those of one measurement.

    All take turns in each round, forwards and then backwards, so that all meet the same load of
    the machine. A round before the first warms servers and connections up, and is left out.
    """
    with servers(SERVERS) as started:
        return asyncio.run(_measure(started, rounds, seconds))


async def _measure(started: list[Server], rounds: int, seconds: float):
    shapes = [
        Shape(server, path, [await connected(server.port, path, Client) for _ in range(MANY)])
        for server in started
        for path in SHAPES
    ]
    for shape in shapes:
        await shape.take_turn(min(seconds, FIRST))
        shape.figures = Figures()
    for number in range(rounds):
        for shape in shapes:
            await shape.take_turn(seconds)
        if number % CONNECTS_EVERY == 0:
            for shape in shapes:
                await shape.take_connects(seconds)
        shapes.reverse()
    for shape in shapes:
        for client in shape.clients:
            client.leave()
    return {(shape.server.name, shape.path): shape.figures for shape in shapes}
