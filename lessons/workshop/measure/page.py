"""`bench page`: what a lesson's page costs the server, the browser, and the socket that it watches.

The time of a page is compared with an empty view on the same server. The echo of a watched socket
is compared with the echo of a socket that no page watches. All take turns, so that all meet the
same load.
"""

import asyncio
import http.client
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from statistics import median
from urllib.parse import urljoin

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.measure import chart
from lessons.workshop.measure.browser import Browser, Page
from lessons.workshop.measure.client import EchoClient, connect, round_trips
from lessons.workshop.measure.processes import Server, servers
from lessons.workshop.measure.report import Column, Options, Report, median_ratio, text_table
from lessons.workshop.measure.servers.page_server import TIMING_HEADER

BARE = "/bare/"
ECHO = find("frames")  # its worked example sends each frame back
OTHER_PAGES = ("/", "/search/?q=group_send", "/diagnoses/", "/notes/")
FLOOD = 2000  # frames that the page draws
COLUMNS = [
    Column("what", "<24"),
    Column("own_ms", ">8", "own", "ms", ".1f"),
    Column("ratio", ">9", "bare = 1", "", ".1f"),
    Column("median_ms", ">10", "median", "ms", ".1f"),
    Column("min_ms", ">8", "min", "ms", ".1f"),
    Column("kilobytes", ">9", "loads", "kB", ".1f"),
]
# A module's static imports. A dynamic import() loads later, only when the page needs it.
_IMPORT = re.compile(r"""^(?:import|export)\b[^"'()]*?["']([^"']+)["']""", re.M)


def _lists() -> defaultdict:
    return defaultdict(list)


@dataclass
class Figures:
    """What the rounds measured, by page or by who watches the socket."""

    sizes: dict[str, int]  # bytes of the page with all that it loads
    waited: dict[str, list[float]] = field(default_factory=_lists)  # seconds for the page alone
    own: dict[str, list[float]] = field(default_factory=_lists)  # processor seconds in Django
    echoes: dict[str, list[float]] = field(default_factory=_lists)  # round trips a second
    processor: dict[str, list[float]] = field(default_factory=_lists)  # seconds a round trip
    dropped: int = 0  # events that the feed did not send to the page
    drawn: int = 0  # events
    long_tasks: list[float] = field(default_factory=list)  # ms, while the page drew them


def run(options: Options) -> Report:
    rounds, seconds = options.rounds_or(15, quick=3), options.seconds or 0.15
    figures = measure(rounds, seconds)
    rows, facts = rows_of(figures), facts_of(figures)
    facts_text = "\n".join(f"{name:<56}{value:>9}" for name, value in facts.items())
    return Report(
        {"rounds": rounds, "seconds": seconds, "facts": facts, "rows": rows},
        f"{text_table(COLUMNS, rows)}\n\n{facts_text}",
        chart.bars("A page's own time on the server, in empty views", rows),
    )


def measure(rounds: int, seconds: float, events: int = FLOOD) -> Figures:
    with tempfile.TemporaryDirectory() as folder, servers("page_server", [folder]) as [server]:
        figures = _measure_pages(server, rounds)
        asyncio.run(_measure_socket(server, figures, rounds, seconds, events))
        return figures


def _measure_pages(server: Server, rounds: int) -> Figures:
    """Fetch the empty view and each page in turns, over one connection."""
    visit = _Visit(server.port)
    pages = [*(f"/lessons/{lesson.key}/" for lesson in lessons()), *OTHER_PAGES]
    figures = Figures({path: sum(page_weight(visit.get, path).values()) for path in pages})
    visit.get(BARE)  # all pages are warm from here on
    for _ in range(rounds):
        for path in pages:
            for one in (BARE, path):
                started = time.perf_counter()
                visit.get(one)
                figures.waited[one].append(time.perf_counter() - started)
                figures.own[one].append(visit.own_seconds)
    visit.connection.close()
    return figures


class _Visit:
    """One connection and one session, like a browser's."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers: dict[str, str] = {}
        self.own_seconds = 0.0  # of the last page

    def get(self, path: str) -> bytes:
        self.connection.request("GET", path, headers=self.headers)
        response = self.connection.getresponse()
        if cookie := response.getheader("Set-Cookie"):
            self.headers["Cookie"] = cookie.partition(";")[0]
        self.own_seconds = seconds_in(response.getheader(TIMING_HEADER) or "")
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} is answered with {response.status}")
        return content


def seconds_in(timing_header: str) -> float:
    """The seconds in the header of `timing_middleware`; 0 for a file, which has no header."""
    return float(timing_header.partition("dur=")[2] or 0) / 1000


class _Resources(HTMLParser):
    """Collects the addresses that a browser loads to show a page."""

    def __init__(self, page: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "link" and names.get("rel") in ("stylesheet", "icon", "modulepreload"):
            self.addresses.append(names["href"])
        elif tag in ("script", "img") and names.get("src") and names.get("loading") != "lazy":
            self.addresses.append(names["src"])


def page_weight(get: Callable[[str], bytes], path: str) -> dict[str, int]:
    """Bytes by path, uncompressed, of all that a first visit loads. `get` fetches one path."""
    page = get(path)
    sizes = {path: len(page)}
    waiting = [urljoin(path, address) for address in _Resources(page.decode()).addresses]
    while waiting:
        one = waiting.pop()
        if one not in sizes:
            content = get(one)
            sizes[one] = len(content)
            if one.endswith(".js"):
                waiting += [urljoin(one, name) for name in _IMPORT.findall(content.decode())]
    return sizes


async def _measure_socket(
    server: Server, figures: Figures, rounds: int, seconds: float, events: int
):
    async with Browser(server.port) as browser:
        watching = await browser.open(f"/lessons/{ECHO.key}/")
        closed = await browser.open(f"/lessons/{ECHO.key}/")
        await closed.leave()
        clients = {
            "no page watches": await connect(server.port, ECHO.path, EchoClient),
            "a closed page recorded": await _watched_client(server, closed),
            "a page watches": await _watched_client(server, watching),
        }
        for number in range(rounds + 1):  # the first round is the warm-up
            for what, client in clients.items():
                before = server.processor_seconds()
                rate, _, trips = await round_trips([client], seconds)
                if number:
                    used = server.processor_seconds() - before
                    figures.echoes[what].append(rate)
                    figures.processor[what].append(used / trips)
        for client in clients.values():
            client.close()
        await watching.until_connection_finished()
        figures.dropped = watching.dropped()
        page = await browser.open(f"/lessons/{ECHO.key}/")
        figures.long_tasks = await page.flood(page.watched("/ws/flood/"), events)
        figures.drawn = page.received()


async def _watched_client(server: Server, page: Page) -> EchoClient:
    path, cookie = page.watched(ECHO.path), await page.cookie()
    return await connect(server.port, path, EchoClient, cookie=cookie)


def rows_of(figures: Figures) -> list[dict]:
    """A row for each page. `ratio` compares its processor time with that of an empty view."""
    bare = median(figures.own[BARE])
    return [
        {
            "server": "lessons" if path.startswith("/lessons/") else "other pages",
            "what": path.strip("/").removeprefix("lessons/") or "list",
            "ratio": round(median(figures.own[path]) / bare, 2),
            "own_ms": _ms(median(figures.own[path])),
            "median_ms": _ms(median(figures.waited[path])),
            "min_ms": _ms(min(figures.waited[path])),
            "kilobytes": round(size / 1000, 1),
        }
        for path, size in figures.sizes.items()
    ]


def facts_of(figures: Figures) -> dict[str, float]:
    """What being watched costs a socket, and what a page costs the browser."""
    facts = {}
    for title, measured in [
        ("echoes a second", figures.echoes),
        ("processor time", figures.processor),
    ]:
        (_, unwatched), *watched = measured.items()
        for what, values in watched:
            facts[f"{title}, {what} / unwatched"] = round(median_ratio(values, unwatched), 3)
    return facts | {
        "events of the echo not sent to the page": figures.dropped,
        "events drawn": figures.drawn,
        "tasks over 50 ms while drawing": len(figures.long_tasks),
        "longest of them, ms": round(max(figures.long_tasks, default=0)),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
