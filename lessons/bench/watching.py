"""A real browser with lessons' pages open, as `bench page` watches them watch."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from lessons.core import chromium

PATIENCE = 60  # seconds
KEPT = 5000  # events: a page forgets the oldest of more
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]


class NoBrowser(LookupError):
    """There is no Chromium on this machine; the message says how to get one."""


class Task(NamedTuple):
    """A piece of work of the page's main thread: while it runs, no frame is drawn."""

    seconds: float
    processor: float  # of the seconds, those in which it was at work and not held up


class Watching:
    """The browser. Use it as a context."""

    def __init__(self, port: int):
        self.home = f"http://127.0.0.1:{port}"

    async def __aenter__(self):
        from playwright.async_api import async_playwright

        path = chromium.find()
        if path is None:
            raise NoBrowser(f"There is no Chromium on this machine: {chromium.CURE}")
        self._playwright = await async_playwright().start()
        launch = self._playwright.chromium.launch
        self.browser = await launch(executable_path=path, args=["--no-sandbox"])
        return self

    async def __aexit__(self, *_):
        await self.browser.close()
        await self._playwright.stop()

    async def open(self, path: str) -> "Page":
        """A page in a session of its own, connected, so that its feed is open."""
        context = await self.browser.new_context(viewport={"width": 1440, "height": 900})
        page = Page(self, await context.new_page())
        await page.page.goto(self.home + path)
        await page.page.get_by_role("button", name="Connect", exact=True).first.click()
        await page.until(lambda: page.sent)
        return page


class Page:
    """One page, and what its feed has sent it: `sent` is each batch of events."""

    def __init__(self, watching: Watching, page):
        self.browser, self.page = watching.browser, page
        self.sent: list[dict] = []
        self._news = asyncio.Event()
        self._prefix = ""
        page.on("websocket", self._listen)

    def _listen(self, socket):
        path = urlsplit(socket.url).path
        if path.startswith("/watched/"):
            self._prefix = self._prefix or path.partition("/ws/")[0]
        elif "/verdicts/" not in path:  # of the exercise; what else the page hears is recorded
            socket.on("framereceived", self._take)

    def _take(self, frame: str):
        told = json.loads(frame)
        if "events" in told:  # there is more that a page is told of: a verdict
            self.sent.append(told)
            self._news.set()

    def watched(self, path: str) -> str:
        """The address at which what `path` leads to is recorded for this page."""
        return self._prefix + path

    async def cookie(self) -> str:
        cookies = await self.page.context.cookies()
        return "; ".join(f"{one['name']}={one['value']}" for one in cookies)

    async def leave(self) -> None:
        await self.page.goto("about:blank")

    async def until(self, condition: Callable[[], object]) -> None:
        """Look again whenever the feed has sent something."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def has_seen_an_end(self, after: int = 0) -> None:
        """The last event of a connection has come, the feed's batches before `after` left out."""
        await self.until(
            lambda: any(
                event["message"]["type"] == "finished"
                for batch in self.sent[after:]
                for event in batch["events"]
            )
        )

    def received(self) -> int:
        return sum(len(batch["events"]) for batch in self.sent)

    def recorded(self) -> int:
        """Up to which number the feed has told, of each connection."""
        told: dict[str, int] = {}
        for batch in self.sent:
            connection = batch["events"][0]["connection"]
            told[connection] = max(told.get(connection, 0), batch["recorded"])
        return sum(told.values())

    def dropped(self) -> int:
        return self.recorded() - self.received()

    async def tells_of_gap(self) -> bool:
        return await self.page.get_by_text("not shown").count() > 0

    async def traced(self, act: Callable[[], Awaitable]) -> list[Task]:
        """What the browser's own tracing says that the page's main thread did meanwhile."""
        await self.browser.start_tracing(page=self.page, categories=CATEGORIES)
        await self.page.evaluate("performance.mark('act')")
        await act()
        trace = json.loads(await self.browser.stop_tracing())
        return tasks_of(trace["traceEvents"])

    async def flood(self, path: str, frames: str) -> None:
        """Have so many frames sent to a socket of this page, and all of that drawn."""
        before = len(self.sent)
        await self.page.evaluate(
            """([path, count]) => {
                const socket = new WebSocket(`ws://${location.host}${path}`);
                socket.onopen = () => socket.send(count);
            }""",
            [path, frames],
        )
        await self.has_seen_an_end(after=before)
        await self.page.wait_for_function(
            "rows => document.querySelectorAll('#events tr').length >= rows",
            arg=min(self.received(), KEPT),
            polling=100,  # milliseconds: in each frame, it would be a part of what is measured
            timeout=PATIENCE * 1000,
        )


def tasks_of(events: list[dict]) -> list[Task]:
    """The tasks of the thread on which the page's mark was made, from then on."""
    mark = next(one for one in events if one["name"] == "act" and one["ph"] in "IRn")
    return [
        Task(one["dur"] / 1e6, one.get("tdur", 0) / 1e6)
        for one in events
        if one["name"].endswith("RunTask")
        and one["ph"] == "X"
        and (one["pid"], one["tid"]) == (mark["pid"], mark["tid"])
        and one["ts"] >= mark["ts"]
    ]
