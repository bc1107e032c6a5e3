"""The exercise servers of the open pages: at most one for each page.

A server is a process that serves one target. It is started when the page asks for the target or
connects a client to it, and again when the file is saved. It ends with the page.
"""

import asyncio
import hashlib
import logging
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.engine.faults.finding import Finding, make_finding
from lessons.workshop.engine.subject import Subject
from lessons.workshop.page.exercise_server import database_copy
from lessons.workshop.page.exercise_server.child import ServedTarget
from lessons.workshop.page.exercise_server.process import ExerciseProcess, in_thread
from lessons.workshop.page.exercise_server.targets import TargetRefused, playable_target
from lessons.workshop.page.live.client_identity import reject
from lessons.workshop.page.live.event_forwarder import send_to_feed
from lessons.workshop.setup.atomic_write import explain_os_error
from lessons.workshop.student.watched_file import state_of

POLL_INTERVAL = 0.1  # seconds between two looks at the file
IDLE_TIMEOUT = 600.0  # seconds without a client, after which the process ends

log = logging.getLogger(__name__)


class ExerciseServer:
    """Serves one target to the clients of one page, whose feed is `group`."""

    def __init__(self, group: str, lesson: Lesson, target: Subject):
        self.lesson = lesson
        self.target = target
        self.has_failed = False  # an exception has ended this server: another one must replace it
        self._group = group
        self._folder: tempfile.TemporaryDirectory | None = None
        self._process: ExerciseProcess | None = None
        self._loaded = _future()  # the process of the present attempt, None if it fails
        self._wanted = asyncio.Event()  # a client connects, and no process runs
        self._file_state = None  # when the process was started
        self._reports: set[asyncio.Task] = set()
        self._reported: dict | None = None
        self._task = asyncio.create_task(self._run())

    async def process(self) -> ExerciseProcess | None:
        """The running process. Starts it if it has ended; None if it cannot be started."""
        if self._loaded.done() and not self.has_failed:
            process = self._loaded.result()
            if process is None or process.ended.done():
                self._loaded = _future()
                self._wanted.set()
        return await asyncio.shield(self._loaded)

    async def stop(self) -> None:
        """End the process and everything that belongs to it, even if some of it has failed."""
        self._task.cancel()
        try:
            await asyncio.wait([self._task])
            await self._stop_process()
        finally:
            self._set_loaded(None)
            if self._folder:
                await in_thread(self._folder.cleanup)

    async def _stop_process(self) -> None:
        if self._process:
            await self._process.stop()

    def take_outside_step(self, step: str) -> None:
        """Take a step that no client takes, if the process runs."""
        if self._process and self._process.loaded.done():
            self._process.take_outside_step(step)

    async def _run(self) -> None:
        """Serve the target until stop(). What prevents that is reported, and ends this server."""
        try:
            await self._serve()
        except Exception as error:
            self.has_failed = True
            self._set_loaded(None)
            log.exception(
                "The workshop cannot run %s of lesson %s", self.target.title, self.lesson.number
            )
            detail = f"{type(error).__name__}: {error}"
            if isinstance(error, OSError):
                detail = explain_os_error(error)
            self._report("ended", make_finding("not-served", detail=detail))
            await self._stop_process()

    async def _serve(self) -> None:
        served = await self._prepare()
        state = "ready"
        while True:
            self._file_state = state_of(self.target.file)
            self._report("starting")
            process = await self._start(served)
            was_saved = False
            if process.loaded.done():
                self._report(state)
                was_saved = await self._wait_for_end(process)
            if was_saved:
                state = "restarted"
            else:
                self._report("ended", process.ended.result())
                state = await self._wait_for_reason()

    async def _prepare(self) -> ServedTarget:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = self._folder.name
        database = await in_thread(database_copy.create_copy, folder)
        name = f"{self._group} {self.target.title}"
        prefix = f"exercise.{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        return ServedTarget(self.lesson, self.target, folder, database, prefix)

    async def _start(self, served: ServedTarget) -> ExerciseProcess:
        """Start a process. Wait until it has loaded the file, or has ended."""
        process = ExerciseProcess(served, self._group, self._report_running, self._say)
        self._process = process
        await process.start()
        await asyncio.wait([process.loaded, process.ended], return_when=asyncio.FIRST_COMPLETED)
        self._set_loaded(process if process.loaded.done() else None)
        return process

    async def _wait_for_end(self, process: ExerciseProcess) -> bool:
        """Wait until the process ends. End it if the file is saved, or if no client comes.

        Returns whether the file was saved.
        """
        used_at = time.monotonic()
        while not process.ended.done():
            await asyncio.wait([process.ended], timeout=POLL_INTERVAL)
            if process.connections:
                used_at = time.monotonic()
            if await self._was_saved():
                self._loaded = _future()  # clients that connect now wait for the next process
                await process.stop()
                return True
            if time.monotonic() - used_at > IDLE_TIMEOUT:
                await process.stop()
        return False

    async def _wait_for_reason(self) -> str:
        """Wait until there is a reason to start again. Returns the state that follows."""
        while not self._wanted.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), POLL_INTERVAL)
            if await self._was_saved():
                if self._loaded.done():
                    self._loaded = _future()
                return "restarted"
        self._wanted.clear()
        return "ready"

    async def _was_saved(self) -> bool:
        """Whether the file has changed, and is not being written."""
        now = state_of(self.target.file)
        if now in (self._file_state, None):
            return False
        await asyncio.sleep(POLL_INTERVAL / 2)
        return now == state_of(self.target.file)

    def _set_loaded(self, process: ExerciseProcess | None) -> None:
        if not self._loaded.done():
            self._loaded.set_result(process)

    # What the page shows

    def _report_running(self, finding: Finding) -> None:
        self._report("ready", finding)

    def _report(self, state: str, finding: Finding | None = None) -> None:
        played = {"target": self.target.title, "state": state, "finding": None}
        self._reported = {"played": played | {"finding": finding and finding_json(finding)}}
        self._send(self._reported)

    def report_again(self) -> None:
        """Report the state to a page that asks for what runs already."""
        if self._reported:
            self._send(self._reported)

    def _say(self, text: str) -> None:
        self._send({"outside": text})

    def _send(self, message: dict) -> None:
        task = asyncio.create_task(send_to_feed(self._group, message))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)


_servers: dict[str, ExerciseServer] = {}  # by the group of the page's feed
_open_feeds: Counter[str] = Counter()  # how many sockets each feed has


def open_page(group: str) -> None:
    """The page with that feed has opened a socket for it."""
    _open_feeds[group] += 1


async def close_page(group: str) -> None:
    """A socket of that feed was closed. The last one ends the page's server."""
    _open_feeds[group] -= 1
    if _open_feeds[group] <= 0:
        del _open_feeds[group]
        await stop(group)


async def play(group: str, lesson: Lesson, target_name: str) -> ExerciseServer:
    """The server of that page for that target; it ends the page's server for another target.

    Raises TargetRefused.
    """
    target = await in_thread(playable_target, lesson, target_name)
    if group not in _open_feeds:
        raise TargetRefused("The page is not open any more.")
    running = _servers.get(group)
    if running and not running.has_failed and (running.lesson, running.target) == (lesson, target):
        return running
    server = _servers[group] = ExerciseServer(group, lesson, target)
    if running:
        await running.stop()
    return server


async def stop(group: str) -> None:
    """End the server of that page, if it has one."""
    if server := _servers.pop(group, None):
        await server.stop()


async def serve(group: str, identity, scope, receive, send) -> None:
    """Serve a connection of a page's client to the target in its identity, or reject it."""
    try:
        server = await play(group, find(identity.lesson), identity.target)
        process = await server.process()
    except (TargetRefused, UnknownLesson):
        process = None
    if process is None:
        await reject(scope, receive, send)
        return
    await process.relay(identity.client, identity.account, scope, receive, send)


async def handle_request(group: str, request: dict) -> None:
    """What a page asks for over its feed.

    {"play": {"lesson": "03-stop", "target": "exercise"}} starts that target, "example" ends the
    server. {"outside": 0} takes the lesson's first step from outside.
    """
    match request:
        case {"play": {"target": "example"}}:
            await stop(group)
        case {"play": {"lesson": str(lesson), "target": str(target)}}:
            known = _servers.get(group)
            try:
                if await play(group, find(lesson), target) is known:
                    known.report_again()
            except (TargetRefused, LookupError) as error:
                refused = {"target": target, "state": "refused", "finding": None}
                await send_to_feed(group, {"played": {**refused, "reason": str(error)}})
        case {"outside": int(number)}:
            server = _servers.get(group)
            if server and number in range(len(server.lesson.outside)):
                server.take_outside_step(server.lesson.outside[number])


def finding_json(finding: Finding) -> dict:
    """The finding as a page shows it. Its texts are plain, with code between backticks."""
    known = diagnosis(finding.diagnosis)
    texts = {name: getattr(known, name) for name in ("title", "symptom", "cause", "cure")}
    name = Path(finding.file).name if finding.file else ""
    return {
        **texts,
        "diagnosis": finding.diagnosis,
        "where": finding.where,
        "file": name,
        "line": finding.line,
        "detail": finding.detail,
    }


def _future() -> asyncio.Future[ExerciseProcess | None]:
    return asyncio.get_running_loop().create_future()
