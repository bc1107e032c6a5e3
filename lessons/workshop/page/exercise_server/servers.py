"""The exercise servers of the open pages: at most one for each page.

A server is a process that serves one target. It is started when the page asks for the target or
connects a client to it, and again when the file is saved. It ends with the page.
"""

import asyncio
import logging
import tempfile
from asyncio import FIRST_COMPLETED
from contextlib import suppress
from functools import partial

from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.engine.faults.finding import Finding, make_finding
from lessons.workshop.engine.subject import Subject
from lessons.workshop.page.exercise.exercise_state import finding_json
from lessons.workshop.page.exercise_server import database_copy
from lessons.workshop.page.exercise_server.child import ServedTarget
from lessons.workshop.page.exercise_server.process import ExerciseProcess, in_thread
from lessons.workshop.page.exercise_server.targets import TargetRefused, playable_target
from lessons.workshop.page.live.client_identity import reject
from lessons.workshop.page.live.feed import Feed
from lessons.workshop.setup.atomic_write import explain_os_error
from lessons.workshop.student.watched_file import WatchedFile

POLL_INTERVAL = 0.1  # seconds between two looks at the file

log = logging.getLogger(__name__)


class ExerciseServer:
    """Serves one target to the clients of the page with that feed, until it is stopped."""

    def __init__(self, feed: Feed, lesson: Lesson, target: Subject):
        self.lesson = lesson
        self.target = target
        self.has_failed = False  # an exception has ended this server: another one must replace it
        self._feed = feed
        self._file = WatchedFile(target.file)
        self._process: ExerciseProcess | None = None
        self._is_started = asyncio.Event()  # or it is known that the process cannot be started
        self._is_wanted = asyncio.Event()  # a client needs a process instead of one that has ended
        self._reported: dict | None = None
        self._serving = asyncio.create_task(self._serve())

    async def process(self) -> ExerciseProcess | None:
        """The running process. Starts it if it has ended; None if it cannot be started."""
        if self._is_started.is_set() and not self._runs() and not self.has_failed:
            self._is_started.clear()
            self._is_wanted.set()
        await self._is_started.wait()
        return self._process if self._runs() else None

    def _runs(self) -> bool:
        process = self._process
        return process is not None and process.loaded.done() and not process.ended.done()

    async def stop(self) -> None:
        """End the process and everything that belongs to it."""
        self._serving.cancel()
        await asyncio.wait([self._serving])

    def take_outside_step(self, step: str) -> None:
        """Take a step that no client takes, if the process runs."""
        if self._runs():
            self._process.take_outside_step(step)

    async def _serve(self) -> None:
        """Run one process after the other. What prevents that is reported, and ends this server."""
        try:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                rows = await in_thread(database_copy.logins)
                served = ServedTarget(self.lesson, self.target, folder, rows)
                state = "ready"
                while True:
                    state = await self._run_process(served, state)
        except Exception as error:
            self.has_failed = True
            log.exception(
                "The workshop cannot run %s of lesson %s", self.target.title, self.lesson.number
            )
            is_of_system = isinstance(error, OSError)
            detail = explain_os_error(error) if is_of_system else f"{type(error).__name__}: {error}"
            self._report("ended", make_finding("not-served", detail=detail))
        finally:
            self._is_started.set()

    async def _run_process(self, served: ServedTarget, state: str) -> str:
        """Run a process until another one must replace it. `state` is what the page then shows.

        Returns the state for the next one.
        """
        self._is_wanted.clear()
        self._file.look()
        self._report("starting")
        process = ExerciseProcess(served, self._feed, partial(self._report, "ready"))
        process.ended.add_done_callback(self._report_end)
        self._process = process
        try:
            await process.start()
            await asyncio.wait([process.loaded, process.ended], return_when=FIRST_COMPLETED)
            if process.loaded.done():
                self._report(state)
            self._is_started.set()
            while not self._is_wanted.is_set():
                if await in_thread(self._file.was_saved):
                    return "restarted"
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_wanted.wait(), POLL_INTERVAL)
            return "ready"
        finally:
            self._is_started.clear()  # clients wait for the next process
            await process.stop()

    # What the page shows

    def _report_end(self, ended: asyncio.Future[Finding | None]) -> None:
        if finding := ended.result():  # the server itself ends a process without a finding
            self._report("ended", finding)

    def _report(self, state: str, finding: Finding | None = None) -> None:
        played = {"target": self.target.title, "state": state, "finding": None}
        self._reported = {"played": played | {"finding": finding and finding_json(finding)}}
        self._feed.post(self._reported)

    def report_again(self) -> None:
        """Report the state to a page that asks for what runs already."""
        if self._reported:
            self._feed.post(self._reported)


async def play(feed: Feed, lesson: Lesson, target_name: str) -> ExerciseServer:
    """The page's server for that target; it ends the page's server for another target.

    Raises TargetRefused.
    """
    target = await in_thread(playable_target, lesson, target_name)
    if not feed.sockets:
        raise TargetRefused("The page is not open any more.")
    running = feed.server
    if running and not running.has_failed and (running.lesson, running.target) == (lesson, target):
        return running
    server = feed.server = ExerciseServer(feed, lesson, target)
    if running:
        await running.stop()
    return server


async def stop(feed: Feed) -> None:
    """End the server of that page, if it has one."""
    server, feed.server = feed.server, None
    if server:
        await server.stop()


async def serve(feed: Feed, identity, scope, receive, send) -> None:
    """Serve a connection of a page's client to the target in its identity, or reject it."""
    try:
        server = await play(feed, find(identity.lesson), identity.target)
        process = await server.process()
    except (TargetRefused, UnknownLesson):
        process = None
    if process is None:
        await reject(scope, receive, send)
        return
    await process.relay(int(identity.client), identity.account, scope, receive, send)


async def handle_request(feed: Feed, request: dict) -> None:
    """What a page asks for over its feed.

    {"play": {"lesson": "03-stop", "target": "exercise"}} starts that target, "example" ends the
    server. {"outside": 0} takes the lesson's first step from outside.
    """
    match request:
        case {"play": {"target": "example"}}:
            await stop(feed)
        case {"play": {"lesson": str(lesson), "target": str(target)}}:
            known = feed.server
            try:
                if await play(feed, find(lesson), target) is known:
                    known.report_again()
            except (TargetRefused, LookupError) as error:
                refused = {"target": target, "state": "refused", "finding": None}
                feed.post({"played": {**refused, "reason": str(error)}})
        case {"outside": int(number)}:
            server = feed.server
            if server and number in range(len(server.lesson.outside)):
                server.take_outside_step(server.lesson.outside[number])
