"""Tells an open page that its exercise is being judged, that there is a verdict, and the like.

What changes is looked for in files, since the judge is another process, and so is a terminal that
keeps a verdict: how a lesson stands is what the student's progress says, whoever wrote it.
"""

import asyncio
import json
import time
from contextlib import suppress

from channels.exceptions import StopConsumer

from lessons.core import progress
from lessons.core.catalogue import Lesson, UnknownLesson, find
from lessons.core.progress import Progress
from lessons.core.source import UnknownName, find_source
from lessons.judge import judge_status
from lessons.judge.file_watch import state_of
from lessons.web.exercise.exercise_panel import mark_of, mark_of_all, mark_of_source
from lessons.web.live.page_socket import PageSocket

LOOK = 0.04  # seconds between two looks at the files that a judge writes
CENSUS = 1.0  # seconds between two looks at all the rest
GRACE = 5.0  # seconds that a judge may be missing: it starts beside the server, and takes longer


class Verdicts(PageSocket):
    """Sends how the exercise stands, or all of them: at once, and whenever that has changed."""

    task = None

    async def websocket_connect(self, event):
        key = self.scope["url_route"]["kwargs"].get("key")
        try:
            lesson = find(key) if key else None
        except UnknownLesson:
            await self.send({"type": "websocket.close"})
            return
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.tell(lesson))

    async def tell(self, lesson: Lesson | None):
        desk = ExerciseStatus(lesson)
        told = None
        while True:
            standing = await desk.standing()
            if standing != told:
                told = standing
                await self.send({"type": "websocket.send", "text": json.dumps(told)})
            await desk.changed()

    async def websocket_disconnect(self, event):
        if self.task:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task
        raise StopConsumer


class ExerciseStatus:
    """Where the judge and the student leave their work, as one page looks at it."""

    def __init__(self, lesson: Lesson | None):
        self.lesson = lesson
        self.seen: tuple | None = None
        self.judge_seen = time.monotonic()
        self._mark: tuple = ()  # and the progress file that it was made of

    async def changed(self) -> None:
        """Return once something may be different."""
        for _ in range(int(CENSUS / LOOK)):
            if self._files() != self.seen:
                break
            await asyncio.sleep(LOOK)

    async def standing(self) -> dict:
        """How things stand, looked up outside the loop, which serves the lesson's sockets."""
        self.seen = self._files()
        return await asyncio.to_thread(self._look)

    def _files(self) -> tuple:
        return state_of(progress.file()), state_of(judge_status.judging_file())

    def _look(self) -> dict:
        if self.lesson is None:
            return {"mark": self._marked()}
        if judge_status.is_there():
            self.judge_seen = time.monotonic()
        return {
            "mark": self._marked(),
            "judging": judge_status.is_judging(self.lesson),
            "judge": time.monotonic() - self.judge_seen < GRACE,
            "source": self._source(),
        }

    def _marked(self) -> str:
        """Made anew only when the file is another: it holds the last verdict on each lesson."""
        file = state_of(progress.file())
        if self._mark[:1] != (file,):
            known = progress.read()
            lesson = self.lesson
            mark = mark_of(known.get(lesson.key, Progress())) if lesson else mark_of_all(known)
            self._mark = file, mark
        return self._mark[1]

    def _source(self) -> str | None:
        """None while nobody can read it, as in the midst of a change."""
        try:
            return mark_of_source(find_source(self.lesson.demo))
        except (UnknownName, SyntaxError, ValueError, OSError):
            return None
