"""Chromium for benchmarks and tests, and a lesson's page in it as `bench page` measures it."""

import asyncio
import json
from collections.abc import Callable
from urllib.parse import urlsplit

from lessons.workshop.measure.report import MissingRequirement
from lessons.workshop.setup.external_programs import CHROMIUM

PAGE_TIMEOUT = 60  # seconds
MAX_EVENTS = 5000  # that a page shows; it drops the oldest of more


class Browser:
    """A running Chromium. Use it as a context."""

    def __init__(self, port: int):
        self.home = f"http://127.0.0.1:{port}"

    async def __aenter__(self):
        from playwright.async_api import async_playwright

        path = CHROMIUM.find()
        if path is None:
            raise MissingRequirement(CHROMIUM.missing())
        self._playwright = await async_playwright().start()
        launch = self._playwright.chromium.launch
        self.chromium = await launch(executable_path=path, args=["--no-sandbox"])
        return self

    async def __aexit__(self, *_):
        await self.chromium.close()
        await self._playwright.stop()

    async def open(self, path: str) -> "Page":
        """A page in its own session. Its client is connected, so its feed sends events."""
        context = await self.chromium.new_context(viewport={"width": 1440, "height": 900})
        page = Page(await context.new_page())
        await page.page.goto(self.home + path)
        await page.page.get_by_role("button", name="Connect", exact=True).first.click()
        await page.until(lambda: page.batches)
        return page


class Page:
    """One page. `batches` are the batches of events that its feed has sent."""

    def __init__(self, page):
        self.page = page
        self.batches: list[dict] = []
        self._received = asyncio.Event()
        self._prefix = ""
        page.on("websocket", self._on_websocket)

    def _on_websocket(self, socket):
        path = urlsplit(socket.url).path
        if path.startswith("/watched/"):
            self._prefix = self._prefix or path.partition("/ws/")[0]
        elif "/exercise/" not in path:  # that socket is the exercise's; the other is the feed
            socket.on("framereceived", self._on_frame)

    def _on_frame(self, frame: str):
        batch = json.loads(frame)
        if "events" in batch:  # the feed sends other frames as well
            self.batches.append(batch)
            self._received.set()

    def watched(self, path: str) -> str:
        """The path under which the server records the events of `path` for this page."""
        return self._prefix + path

    async def cookie(self) -> str:
        cookies = await self.page.context.cookies()
        return "; ".join(f"{one['name']}={one['value']}" for one in cookies)

    async def leave(self) -> None:
        await self.page.goto("about:blank")

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for the condition. Check it whenever the feed has sent a batch."""
        async with asyncio.timeout(PAGE_TIMEOUT):
            while not condition():
                self._received.clear()
                await self._received.wait()

    async def until_connection_finished(self, after: int = 0) -> None:
        """Wait for the last event of a connection. The first `after` batches do not count."""
        await self.until(
            lambda: any(
                event["message"]["type"] == "finished"
                for batch in self.batches[after:]
                for event in batch["events"]
            )
        )

    def received(self) -> int:
        return sum(len(batch["events"]) for batch in self.batches)

    def dropped(self) -> int:
        """The number of recorded events that the feed has not sent, of all connections."""
        recorded: dict[str, int] = {}
        for batch in self.batches:
            connection = batch["events"][0]["connection"]
            recorded[connection] = max(recorded.get(connection, 0), batch["recorded"])
        return sum(recorded.values()) - self.received()

    async def flood(self, path: str, frames: int) -> list[float]:
        """Ask a socket of this page for frames, and wait until the page has drawn them.

        Returns the milliseconds of each task over 50 ms of the page's thread. The browser draws
        nothing during such a task, and a user sees that.
        """
        before = len(self.batches)
        await self.page.evaluate(
            """([path, count]) => {
                window.longTasks = [];
                new PerformanceObserver(list => {
                    longTasks.push(...list.getEntries().map(task => task.duration));
                }).observe({type: "longtask"});
                const socket = new WebSocket(`ws://${location.host}${path}`);
                socket.onopen = () => socket.send(count);
            }""",
            [path, frames],
        )
        await self.until_connection_finished(after=before)
        await self.page.wait_for_function(
            "rows => document.querySelectorAll('#events tr').length >= rows",
            arg=min(self.received(), MAX_EVENTS),
            polling=100,  # milliseconds: polling in each frame would change what is measured
            timeout=PAGE_TIMEOUT * 1000,
        )
        return await self.page.evaluate("longTasks")
