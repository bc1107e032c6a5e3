"""Sends an open page what happens to its exercise: verdicts, hints, resets.

The judge process reports to this server over one connection, JudgeFeed. Each page has a WebSocket,
ExerciseStatus, over which it gets HTML: the server renders what has changed, the page shows it.
"""

import asyncio
import json
import logging
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qs

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.loader import render_to_string

from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.course.source_code import UnknownName, find_demo_source
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.daemon.judge_feed import follow_judge
from lessons.workshop.page.exercise.exercise_file import file_digest
from lessons.workshop.page.exercise.exercise_panel import (
    exercise_context,
    source_digest,
)
from lessons.workshop.page.lesson_list import lesson_list_context, list_version
from lessons.workshop.page.live.page_socket import NewsSocket, cookies_of
from lessons.workshop.student.progress import Progress
from lessons.workshop.student.watched_file import state_of

RECONNECT_INTERVAL = 0.25  # seconds between two attempts to find a judge
MISSING_TIMEOUT = 5.0  # seconds without a judge, after which the pages say so
FILE_INTERVAL = 0.25  # seconds between two looks at the student's file

log = logging.getLogger(__name__)


@dataclass
class JudgeFeed:
    """This server's connection to the judge, kept while a page is open.

    `progress` is None until a judge has sent it. `claims` is the verdict on the claims of a lesson
    whose generated conversations are being played. Each page has an asyncio.Event in `pages`, which
    is set when something has changed.
    """

    progress: dict[str, Progress] | None = None
    judging: str | None = None
    claims: dict | None = None
    judge: Literal["running", "restarting", "missing"] = "running"
    pages: set[asyncio.Event] = field(default_factory=set)
    _task: asyncio.Task | None = None

    def join(self) -> asyncio.Event:
        changed = asyncio.Event()
        self.pages.add(changed)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return changed

    def leave(self, changed: asyncio.Event) -> None:
        self.pages.discard(changed)
        if not self.pages:
            self._task.cancel()
            self._task = self.progress = self.judging = None
            self.judge = "running"

    async def _run(self) -> None:
        last_seen, logged = time.monotonic(), ""
        while True:
            if address := judge_client.find_judge():
                try:
                    async with aclosing(follow_judge(*address)) as messages:
                        async for message in messages:
                            self._take(message)
                except (OSError, ValueError):
                    pass  # the judge has ended
                except Exception as error:
                    # A judge of another version sends other fields, and would do so each time.
                    if logged != (logged := repr(error)):
                        log.exception("This server cannot read what the judge reports")
                last_seen = time.monotonic()
                self._update(judge="restarting", judging=None)
            if time.monotonic() - last_seen > MISSING_TIMEOUT:
                self._update(judge="missing")
            await asyncio.sleep(RECONNECT_INTERVAL)

    def _take(self, message: dict) -> None:
        if "progress" in message:
            known = {key: Progress(**one) for key, one in message["progress"].items()}
            # The first message has the progress in all lessons, the others what changed.
            known = known if "judging" in message else {**self.progress, **known}
            self._update(progress=known, judge="running", claims=None)
        if "claims" in message:
            self._update(claims=message["claims"])
        if "judging" in message:
            self._update(judging=message["judging"], claims=None)

    def _update(self, **values) -> None:
        if any(getattr(self, name) != value for name, value in values.items()):
            vars(self).update(values)
            for changed in self.pages:
                changed.set()


feed = JudgeFeed()


class ExerciseStatus(NewsSocket):
    """Sends the news to a lesson's page or to the list of lessons.

    The `?version=` of the socket's URL says what the page shows already. The answer is JSON with
    some of these keys:

        panel           the HTML of the exercise, or of the list of lessons
        judging         whether the checks of this lesson run
        judge           "running", "restarting" or "missing"
        source_changed  whether the worked example has changed since the page was loaded
        file            the digest of the student's file
    """

    async def websocket_connect(self, event):
        key = self.scope["url_route"]["kwargs"].get("key")
        try:
            lesson = find(key) if key else None
        except UnknownLesson:
            await self.send({"type": "websocket.close"})
            return
        await self.send({"type": "websocket.accept"})
        self.start(self.follow(lesson))

    async def follow(self, lesson: Lesson | None):
        query = parse_qs(self.scope.get("query_string", b"").decode())
        self.shown = (query.get("version") or [""])[0]
        status = {}
        if lesson:
            status["source_changed"] = await asyncio.to_thread(
                has_changed, lesson, *query.get("source", ())
            )
        sent = {}
        file = None
        changed = feed.join()
        try:
            while True:
                changed.clear()
                if lesson:
                    status |= {"judging": feed.judging == lesson.key, "judge": feed.judge}
                    if file != (file := state_of(lesson.exercise)):
                        status["file"] = await asyncio.to_thread(file_digest, lesson)
                news = {name: value for name, value in status.items() if sent.get(name) != value}
                sent |= news
                if html := await self.new_html(lesson):
                    news["panel"] = html
                if news:
                    await self.send({"type": "websocket.send", "text": json.dumps(news)})
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), FILE_INTERVAL if lesson else None)
        finally:
            feed.leave(changed)

    async def new_html(self, lesson: Lesson | None) -> str | None:
        """The part of the page that shows the progress; None if it shows this version already."""
        known = feed.progress
        if known is None:
            return None
        one = known.get(lesson.key, Progress()) if lesson else None
        version = str(one.version) if one else list_version(known)
        if one and feed.claims and feed.claims["lesson"] == lesson.key:
            one, version = replace(one, verdict=feed.claims), f"{version} claims"
        if version == self.shown:
            return None
        self.shown = version
        # In a thread, so that the event loop goes on serving the lesson's connections.
        if lesson:
            return await asyncio.to_thread(render_panel, self.scope, lesson, one)
        return await asyncio.to_thread(
            render_to_string, "lessons/lesson_list.html", lesson_list_context(known)
        )


def render_panel(scope: dict, lesson: Lesson, known: Progress) -> str:
    context = {**exercise_context(lesson, known), "csrf_token": csrf_token(scope)}
    return render_to_string("lessons/exercise_panel.html", context)


def csrf_token(scope: dict) -> str:
    """A token for the panel's forms, made for the cookie that the page's browser has."""
    request = HttpRequest()
    request.COOKIES = cookies_of(scope)
    CsrfViewMiddleware(lambda request: None).process_request(request)
    return get_token(request)


def has_changed(lesson: Lesson, shown: str = "") -> bool:
    """Whether the worked example differs from what the page shows.

    The server restarts when its code changes, and then every page connects again.
    """
    try:
        return shown != source_digest(find_demo_source(lesson.demo))
    except (UnknownName, SyntaxError, ValueError, OSError):
        return False  # the file is being changed
