"""Sends an open page what happens to its exercise: verdicts, hints, resets.

Each page has a WebSocket, ExerciseStatus, over which it gets HTML: the server looks at the files
that the judge process writes, and renders what has changed.
"""

import asyncio
import json
import logging
import time
from dataclasses import replace
from urllib.parse import parse_qs

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.loader import render_to_string

from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.course.source_code import UnknownName, find_demo_source
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.page.exercise.exercise_file import file_digest
from lessons.workshop.page.exercise.exercise_panel import (
    exercise_context,
    source_digest,
)
from lessons.workshop.page.lesson_list import lesson_list_context, list_version
from lessons.workshop.page.live.page_socket import NewsSocket, cookies_of
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress
from lessons.workshop.student.watched_file import state_of

INTERVAL = 0.02  # seconds between two looks at what the judge has written
JUDGE_INTERVAL = 0.25  # seconds between two looks whether a judge runs
MISSING_TIMEOUT = 5.0  # seconds without a judge, after which the pages say so

log = logging.getLogger(__name__)


class JudgeState:
    """Whether a judge runs: "running", "restarting" or "missing"."""

    def __init__(self):
        self.text = "running"
        self._last_seen = time.monotonic()
        self._next_look = 0.0
        self._was_seen = False

    def look(self) -> str:
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + JUDGE_INTERVAL
            if _is_judge_running():
                self.text, self._last_seen, self._was_seen = "running", now, True
            elif now - self._last_seen > MISSING_TIMEOUT:
                self.text = "missing"
            elif self._was_seen:
                self.text = "restarting"
        return self.text


def _is_judge_running() -> bool:
    try:
        return judge_client.is_running()
    except OSError:
        return False


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
        sent, status = {}, {}
        if lesson:
            status["source_changed"] = await asyncio.to_thread(
                has_changed, lesson, *query.get("source", ())
            )
        judge = JudgeState()
        seen, file, report = None, None, {}
        while True:
            if lesson:
                # The judge saves the progress first: a report that is older than it does no harm.
                report_file = judge_client.report_file(lesson.key)
                now = state_of(report_file), state_of(progress.file())
                report = judge_client.read_report(report_file) if now != seen else report
                status |= {"judging": report.get("judging", False), "judge": judge.look()}
                if file != (file := state_of(lesson.exercise)):
                    status["file"] = await asyncio.to_thread(file_digest, lesson)
            else:
                now, report = state_of(progress.file()), {}
            news = {name: value for name, value in status.items() if sent.get(name) != value}
            sent |= news
            if now != seen:
                seen = now
                if html := await asyncio.to_thread(self.new_html, lesson, report.get("claims")):
                    news["panel"] = html
            if news:
                await self.send({"type": "websocket.send", "text": json.dumps(news)})
            await asyncio.sleep(INTERVAL)

    def new_html(self, lesson: Lesson | None, claims: dict | None) -> str | None:
        """The part of the page that shows the progress; None if it shows this version already.

        `claims` is what the judge knows so far of a verdict.
        """
        known = progress.read()
        one = known.get(lesson.key, Progress()) if lesson else None
        version = str(one.version) if one else list_version(known)
        if claims:
            one, version = replace(one, verdict=claims), f"{version} claims"
        if version == self.shown:
            return None
        self.shown = version
        if lesson:
            return render_panel(self.scope, lesson, one)
        return render_to_string("lessons/lesson_list.html", lesson_list_context(known))


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
