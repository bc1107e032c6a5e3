"""The one socket of a page: what its clients caused, its exercise, its class."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import parse_qsl

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.page.exercise.exercise_status import exercise_news, list_news
from lessons.workshop.page.exercise_server import servers
from lessons.workshop.page.live.page_socket import LAYER, feed_group
from lessons.workshop.page.live.room_status import class_news, may_join, take_from_page

FAILURE_PAUSE = 2.0  # seconds until a page connects again after an exception, which may stay

log = logging.getLogger(__name__)


class PageSocket(AsyncConsumer):
    """Sends a page JSON texts, each an object. What it sends depends on the socket's URL:

    a feed id      batches of recorded events, and the state of what the page plays
    ?lesson=KEY    exercise_news(), with the `source` that the page shows, and class_news()
    ?list=VERSION  list_news() and class_news()

    A page sends what servers.handle_request() and take_from_page() take.
    """

    channel_layer_alias = LAYER
    group = None  # set while a page with a feed is open
    feed_id = ""
    tasks: tuple[asyncio.Task, ...] = ()

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # This runs however the connection ends: StopConsumer, an exception, a cancel.
            for task in self.tasks:
                task.cancel()
            if self.group:
                await self.close_page(self.group)

    async def dispatch(self, message):
        """Call the handler at once. Channels would first go through the database thread.

        A lesson's handler may block that thread, and the student wants to see that.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, event):
        self.feed_id = self.scope["url_route"]["kwargs"].get("feed_id", "")
        group = feed_group(self.feed_id, self.scope) if self.feed_id else None
        try:
            if self.feed_id and group is None:
                raise UnknownLesson("This feed belongs to another session.")
            sources = self.sources(dict(parse_qsl(self.scope["query_string"].decode())))
        except UnknownLesson:
            await self.send({"type": "websocket.close"})
            return
        if group:
            servers.open_page(group)
            self.group = group
            # Join before the accept: a page whose feed is open then misses no event.
            await self.channel_layer.group_add(group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        self.tasks = tuple(asyncio.create_task(self.send_news(source)) for source in sources)

    def sources(self, query: dict[str, str]) -> list[AsyncIterator[dict]]:
        """What the page wants to know. Raises UnknownLesson."""
        found = []
        if "lesson" in query:
            found.append(exercise_news(find(query["lesson"]), query.get("source", "")))
        elif "list" in query:
            found.append(list_news(query["list"]))
        if ("lesson" in query or not self.feed_id) and may_join():
            found.append(class_news())
        return found

    async def send_news(self, source: AsyncIterator[dict]) -> None:
        """Send what `source` yields. After an exception, close: the page then connects again."""
        try:
            async for news in source:
                await self.send({"type": "websocket.send", "text": json.dumps(news)})
        except Exception:
            log.exception("The page's socket cannot send its news")
            await asyncio.sleep(FAILURE_PAUSE)
            await self.send({"type": "websocket.close"})

    async def feed_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        with suppress(ValueError, RecursionError):  # from JSON that is nested too deep
            frame = json.loads(event.get("text") or "null")
            if self.group:
                await servers.handle_request(self.group, frame)
            if may_join():
                await take_from_page(frame, self.feed_id)

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def close_page(self, group: str):
        try:
            await self.channel_layer.group_discard(group, self.channel_name)
        finally:
            await servers.close_page(group)
