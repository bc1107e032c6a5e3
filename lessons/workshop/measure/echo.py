"""`bench echo`: what each layer between the server and the handler costs.

Every shape is the same echo. All shapes run on both servers in one run, so they meet the same load.
"""

import asyncio
from dataclasses import dataclass, field
from statistics import StatisticsError, median, quantiles

from lessons.workshop.measure import chart
from lessons.workshop.measure.client import EchoClient, connect, handshakes, round_trips
from lessons.workshop.measure.processes import Server, servers
from lessons.workshop.measure.report import (
    Column,
    MissingRequirement,
    Options,
    Report,
    median_ratio,
    text_table,
)

SERVERS = ("daphne", "uvicorn")
BARE = "/bare"
SHAPES = {  # the order sets those next to each other that are compared
    BARE: "bare ASGI function",
    "/router": "+ URLRouter",
    "/lean": "AsyncConsumer, lean dispatch",
    "/async": "AsyncConsumer",
    "/recorder-off": "AsyncConsumer, recorder off",
    "/recorder-on": "AsyncConsumer, recorder on",
    "/generic": "AsyncWebsocketConsumer",
    "/json": "AsyncJsonWebsocketConsumer",
    "/stack": "AsyncConsumer, auth and origin",
    "/sync": "SyncConsumer",
}
CLIENTS = 50
MAX_WARM_UP = 0.1  # seconds of each shape's first turn, which does not count
ROUNDS_PER_HANDSHAKES = 5
COLUMNS = [
    Column("what", "<31"),
    Column("ratio", ">6", "share", "", ".2f"),
    Column("many_per_second", ">12", f"{CLIENTS} clients", "1/s"),
    Column("p50_ms", ">8", "p50", "ms", ".2f"),
    Column("p99_ms", ">8", "p99", "ms", ".2f"),
    Column("processor_us", ">7", "CPU", "µs"),
    Column("one_per_second", ">10", "1 client", "1/s"),
    Column("connects_per_second", ">10", "connects", "1/s"),
]


@dataclass
class Figures:
    """What the rounds measured for one shape on one server."""

    many: list[float] = field(default_factory=list)  # round trips a second, one value a round
    times: list[float] = field(default_factory=list)  # seconds of each round trip
    processor: list[float] = field(default_factory=list)  # seconds that the server used
    one: list[float] = field(default_factory=list)  # round trips a second of one client
    handshakes: list[float] = field(default_factory=list)  # a second
    trips: int = 0  # of many clients, with those outside the measured time

    @property
    def processor_each(self) -> float:
        """Seconds of the processor that the server uses for a round trip."""
        return sum(self.processor) / self.trips


AllFigures = dict[tuple[str, str], Figures]  # by (server, path)


@dataclass
class Shape:
    """One shape on one server. Its clients stay connected for the whole run."""

    server: Server
    path: str
    clients: list[EchoClient]
    figures: Figures = field(default_factory=Figures)

    async def measure_round_trips(self, seconds: float) -> None:
        before = self.server.processor_seconds()
        rate, times, trips = await round_trips(self.clients, seconds)
        self.figures.processor.append(self.server.processor_seconds() - before)
        self.figures.many.append(rate)
        self.figures.times += times
        self.figures.trips += trips
        rate, *_ = await round_trips(self.clients[:1], seconds / 2)
        self.figures.one.append(rate)

    async def measure_handshakes(self, seconds: float) -> None:
        self.figures.handshakes.append(await handshakes(self.server.port, self.path, seconds))
        # When this echo is back, the server has closed the measured connections.
        await self.clients[0].one_round_trip()


def run(options: Options) -> Report:
    rounds, seconds = options.rounds_or(15, quick=3), options.seconds or 0.15
    figures = measure(rounds, seconds)
    try:
        rows, facts = rows_of(figures), facts_of(figures)
    except (ZeroDivisionError, StatisticsError):
        raise MissingRequirement(
            "No echo came back in a whole turn: this machine is too busy to measure on."
        ) from None
    ratios = "\n".join(f"{name:<43}{value:>5.2f}" for name, value in facts.items())
    title = f"Echoes a second of {CLIENTS} clients, as a share of a bare function on Daphne"
    return Report(
        {"rounds": rounds, "seconds": seconds, "facts": facts, "rows": rows},
        f"{text_table(COLUMNS, rows, 'server')}\n\n{ratios}",
        chart.bars(title, rows),
    )


def measure(rounds: int, seconds: float) -> AllFigures:
    """The figures by (server, path). One measurement takes `seconds`.

    Each round measures all shapes, forwards and then backwards, so that all meet the same load. A
    round before the first warms up servers and connections, and does not count.
    """
    with servers("echo_server", *([name] for name in SERVERS)) as started:
        return asyncio.run(_measure(started, rounds, seconds))


async def _measure(started: list[Server], rounds: int, seconds: float) -> AllFigures:
    shapes = [
        Shape(server, path, [await connect(server.port, path, EchoClient) for _ in range(CLIENTS)])
        for server in started
        for path in SHAPES
    ]
    for shape in shapes:
        await shape.measure_round_trips(min(seconds, MAX_WARM_UP))
        shape.figures = Figures()
    for number in range(rounds):
        for shape in shapes:
            await shape.measure_round_trips(seconds)
        if number % ROUNDS_PER_HANDSHAKES == 0:
            for shape in shapes:
                await shape.measure_handshakes(seconds)
        shapes.reverse()
    for shape in shapes:
        for client in shape.clients:
            client.close()
    return {(shape.server.name, shape.path): shape.figures for shape in shapes}


def rows_of(figures: AllFigures) -> list[dict]:
    """A row for each shape on each server. Values are medians over the rounds.

    `ratio` compares with the bare function on Daphne.
    """
    return [
        {
            "server": server,
            "what": SHAPES[path],
            "ratio": round(median_ratio(one.many, figures["daphne", BARE].many), 3),
            "many_per_second": round(median(one.many)),
            "p50_ms": round(median(one.times) * 1000, 2),
            "p99_ms": round(quantiles(one.times, n=100)[98] * 1000, 2),
            "processor_us": round(1e6 * one.processor_each),
            "one_per_second": round(median(one.one)),
            "connects_per_second": round(median(one.handshakes)),
        }
        for server in SERVERS
        for path in SHAPES
        for one in [figures[server, path]]
    ]


def facts_of(figures: AllFigures) -> dict[str, float]:
    """The ratios that lesson 10 names, all on Daphne with many clients."""

    def ratio(path, peer):
        return median_ratio(figures["daphne", path].many, figures["daphne", peer].many)

    plain, lean = 1 / ratio("/async", BARE), 1 / ratio("/lean", BARE)  # time of a round trip
    facts = {
        "lean / bare": ratio("/lean", BARE),
        "lean / AsyncConsumer": ratio("/lean", "/async"),
        "recorder off / AsyncConsumer": ratio("/recorder-off", "/async"),
        "recorder on / AsyncConsumer": ratio("/recorder-on", "/async"),
        # Other load on the machine changes a rate, but hardly the processor time.
        "AsyncConsumer / lean, processor time": figures["daphne", "/async"].processor_each
        / figures["daphne", "/lean"].processor_each,
        # AsyncConsumer adds time to a round trip. This part of it is what a lean one saves.
        "the hop's part of what AsyncConsumer adds": (plain - lean) / (plain - 1),
    }
    return {name: round(value, 3) for name, value in facts.items()}
