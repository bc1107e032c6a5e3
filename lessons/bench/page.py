"""`bench page`: what a lesson's page costs the server, the browser, and the socket that it watches.

A page's time is set beside a view of nothing on the same server, the echo of a watched socket
beside the same echo with nobody watching. Both take turns, so that they meet the same load.
"""

import asyncio
import http.client
import tempfile
import time
from dataclasses import dataclass, field

from lessons.bench.client import Client, round_trips
from lessons.bench.connection import connected
from lessons.bench.loaded import loaded
from lessons.bench.own_time import HEADER, told
from lessons.bench.processes import Server, servers
from lessons.bench.watching import Page, Task, Watching
from lessons.core.catalogue import find, lessons

BARE = "/bare/"
ECHO = find("frames")  # its worked example sends back what comes
OTHERS = ("/", "/search/?q=group_send", "/diagnoses/", "/notes/")
EVENTS = 2000
BURST = 2000  # frames at once: more than the feed has room for


@dataclass
class Figures:
    """By path, what the server takes for a page; and what a browser makes of one."""

    sizes: dict[str, int]  # bytes, with all that the page loads
    waited: dict[str, list[float]] = field(default_factory=dict)  # seconds for the page alone
    own: dict[str, list[float]] = field(default_factory=dict)  # of the processor, in Django
    echoes: dict[str, list[float]] = field(default_factory=dict)  # round trips a second
    processor: dict[str, list[float]] = field(default_factory=dict)  # seconds of it a round trip
    echo_dropped: int = 0  # events that the page was not sent, of the echo and of a burst
    burst_dropped: int = 0
    tells_of_gap: bool = False
    drawn: int = 0  # events
    tasks: list[Task] = field(default_factory=list)  # of the page's thread, while it drew them


def pages() -> list[str]:
    return [f"/lessons/{lesson.key}/" for lesson in lessons()] + list(OTHERS)


def measure(rounds: int, seconds: float, events: int = EVENTS) -> Figures:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers(["daphne"], program="lessons.bench.page_served", arguments=[folder]) as [server],
    ):
        figures = _served(server, rounds)
        asyncio.run(_watched(server, figures, rounds, seconds, events))
        return figures


def _served(server: Server, rounds: int) -> Figures:
    """Each page after the bare view, again and again, over one connection."""
    visitor = _Visitor(server.port)
    figures = Figures({path: sum(loaded(visitor.get, path).values()) for path in pages()})
    visitor.get(BARE)  # all are warm from here on
    for _ in range(rounds):
        for path in pages():
            for one in (BARE, path):
                started = time.perf_counter()
                visitor.get(one)
                figures.waited.setdefault(one, []).append(time.perf_counter() - started)
                figures.own.setdefault(one, []).append(visitor.own)
    visitor.connection.close()
    return figures


class _Visitor:
    """One connection and one session, as a browser keeps them."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers: dict[str, str] = {}
        self.own = 0.0  # what the server took for the last page

    def get(self, path: str) -> bytes:
        self.connection.request("GET", path, headers=self.headers)
        response = self.connection.getresponse()
        if cookie := response.getheader("Set-Cookie"):
            self.headers["Cookie"] = cookie.partition(";")[0]
        self.own = told(response.getheader(HEADER) or "")
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} is answered with {response.status}")
        return content


async def _watched(server: Server, figures: Figures, rounds: int, seconds: float, events: int):
    async with Watching(server.port) as watching:
        one = await watching.open(f"/lessons/{ECHO.key}/")
        left = await watching.open(f"/lessons/{ECHO.key}/")
        await left.leave()
        clients = {
            "nobody watches": await connected(server.port, ECHO.path, Client),
            "recorded, the page is gone": await _client(server, left),
            "a page watches": await _client(server, one),
        }
        for number in range(rounds + 1):
            for what, client in clients.items():
                await _take_turn(server, figures, what, client, seconds, is_first=not number)
        for client in clients.values():
            client.leave()
        await one.has_seen_an_end()
        figures.echo_dropped = one.dropped()
        await one.flood(one.watched("/ws/flood/"), f"{BURST} at once")
        figures.burst_dropped = one.dropped() - figures.echo_dropped
        figures.tells_of_gap = await one.tells_of_gap()
        await _draw(watching, figures, events)


async def _client(server: Server, page: Page) -> Client:
    path, cookie = page.watched(ECHO.path), await page.cookie()
    return await connected(server.port, path, Client, cookie=cookie)


async def _take_turn(server, figures: Figures, what: str, client, seconds: float, is_first: bool):
    """The first turn warms up, and does not count."""
    before = server.processor_seconds()
    rate, _, trips = await round_trips([client], seconds)
    if not is_first:
        used = server.processor_seconds() - before
        figures.echoes.setdefault(what, []).append(rate)
        figures.processor.setdefault(what, []).append(used / trips)


async def _draw(watching: Watching, figures: Figures, events: int):
    page = await watching.open(f"/lessons/{ECHO.key}/")
    flood = page.watched("/ws/flood/")
    figures.tasks = await page.traced(lambda: page.flood(flood, str(events)))
    figures.drawn = page.received()
