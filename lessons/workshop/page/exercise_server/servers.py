"""The exercise servers of the open pages: at most one for each page.

A server is a process that serves one target. It is started when the page asks for the target or
connects a client to it, and again when the file is saved. It ends with the page.
"""

import asyncio
import logging
import tempfile
from asyncio import FIRST_COMPLETED

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
    """Serves one target to the clients of the page with that feed."""

    def __init__(self, feed: Feed, lesson: Lesson, target: Subject):
        self.lesson = lesson
        self.target = target
        self.has_failed = False  # an exception has ended this server: another one must replace it
        self._feed = feed
        self._folder: tempfile.TemporaryDirectory | None = None
        self._served: ServedTarget | None = None
        self._process: ExerciseProcess | None = None
        self._file = WatchedFile(target.file)
        self._reported: dict | None = None
        self._begin("ready")
        self._watching = asyncio.create_task(self._watch())

    async def process(self) -> ExerciseProcess | None:
        """The running process. Starts it if it has ended; None if it cannot be started."""
        if self._starting.done() and not self.has_failed:
            process = self._starting.result()
            if process is None or process.ended.done():
                self._begin("ready")
        await asyncio.wait([self._starting])  # a caller that is cancelled does not cancel it
        return None if self._starting.cancelled() else self._starting.result()

    async def stop(self) -> None:
        """End the process and everything that belongs to it, even if some of it has failed."""
        self._watching.cancel()
        self._starting.cancel()
        try:
            await asyncio.wait([self._watching, self._starting])
            if self._process:
                await self._process.stop()
        finally:
            if self._folder:
                await in_thread(self._folder.cleanup)

    def take_outside_step(self, step: str) -> None:
        """Take a step that no client takes, if the process runs."""
        if self._process and self._process.loaded.done():
            self._process.take_outside_step(step)

    # Starts

    def _begin(self, state: str) -> None:
        """Start a process; `state` is what the page shows then. Clients wait for this task."""
        self._starting = asyncio.create_task(self._start(state))

    async def _start(self, state: str) -> ExerciseProcess | None:
        """Start a process instead of the last one, and wait until it has loaded the file.

        What prevents that is reported, and ends this server.
        """
        try:
            self._served = self._served or await self._prepare()
            if self._process:
                await self._process.stop()
            self._file.look()
            self._report("starting")
            process = ExerciseProcess(self._served, self._feed, self._report_running)
            process.ended.add_done_callback(self._report_end)
            self._process = process
            await process.start()
            await asyncio.wait([process.loaded, process.ended], return_when=FIRST_COMPLETED)
        except Exception as error:
            self.has_failed = True
            log.exception(
                "The workshop cannot run %s of lesson %s", self.target.title, self.lesson.number
            )
            is_of_system = isinstance(error, OSError)
            detail = explain_os_error(error) if is_of_system else f"{type(error).__name__}: {error}"
            self._report("ended", make_finding("not-served", detail=detail))
            return None
        if not process.loaded.done():
            return None
        self._report(state)
        return process

    async def _prepare(self) -> ServedTarget:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        rows = await in_thread(database_copy.all_logins)
        return ServedTarget(self.lesson, self.target, self._folder.name, rows)

    async def _watch(self) -> None:
        """Start the process again if the file is saved."""
        while not self.has_failed:
            await asyncio.wait([self._starting])
            await asyncio.sleep(POLL_INTERVAL)
            if await in_thread(self._file.was_saved) and self._starting.done():
                self._begin("restarted")

    # What the page shows

    def _report_running(self, finding: Finding) -> None:
        self._report("ready", finding)

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
    await process.relay(identity.client, identity.account, scope, receive, send)


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
