"""The one socket of a page: what its clients caused, its exercise, its class."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import parse_qsl

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.page.exercise.exercise_status import exercise_news
from lessons.workshop.page.live.feed import find_feed
from lessons.workshop.page.live.room_status import class_news, may_join, take_from_page

FEED = "/ws/feed/"  # the path of the socket; after it may come the id of a feed
FAILURE_PAUSE = 2.0  # seconds until a page connects again after an exception, which may stay

log = logging.getLogger(__name__)


async def serve_page(scope, receive, send) -> None:
    """Send a page JSON texts, each an object. What they are depends on the socket's URL:

    a feed id      batches of recorded events
    ?lesson=KEY    exercise_news(), with the `source` that the page shows, and class_news()
    nothing        class_news()

    A page sends what take_from_page() takes. This is not a consumer: those go through the database
    thread, and a lesson's handler may block that thread.
    """
    await receive()
    feed_id = scope["path"].removeprefix(FEED).rstrip("/")
    feed = find_feed(feed_id, scope)
    try:
        if feed_id and feed is None:
            raise UnknownLesson("This feed belongs to another session.")
        query = dict(parse_qsl(scope["query_string"].decode()))
        lesson = find(query["lesson"]) if "lesson" in query else None
    except UnknownLesson:
        await send({"type": "websocket.close"})
        return
    sources = [exercise_news(lesson, query.get("source", ""))] if lesson else []
    if may_join() and (lesson or not feed):
        sources.append(class_news())
    messages = None
    if feed:  # join before the accept: a page whose feed is open then misses no event
        messages = feed.join()
        sources.append(_feed_news(messages))
    tasks: list[asyncio.Task] = []
    try:
        await send({"type": "websocket.accept"})
        tasks += [asyncio.create_task(_send_news(source, send)) for source in sources]
        while (event := await receive())["type"] == "websocket.receive":
            with suppress(ValueError, RecursionError):  # from JSON that is nested too deep
                frame = json.loads(event.get("text") or "null")
                if may_join():
                    await take_from_page(frame)
    finally:
        for task in tasks:
            task.cancel()
        if feed:
            feed.sockets.discard(messages)


async def _feed_news(messages: asyncio.Queue[dict]) -> AsyncIterator[dict]:
    while True:
        yield await messages.get()


async def _send_news(source: AsyncIterator[dict], send) -> None:
    """Send what `source` yields. After an exception, close: the page then connects again."""
    try:
        async for news in source:
            await send({"type": "websocket.send", "text": json.dumps(news)})
    except Exception:
        log.exception("The page's socket cannot send its news")
        await asyncio.sleep(FAILURE_PAUSE)
        await send({"type": "websocket.close"})
