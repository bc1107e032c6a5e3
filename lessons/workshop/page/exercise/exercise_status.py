"""What happens to the exercise of an open page: verdicts, hints, resets.

The server looks at the files that the judge process and the student write, and sends what changed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import UnknownName, find_demo_source
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.member import membership
from lessons.workshop.page.exercise.exercise_state import exercise_json
from lessons.workshop.page.markup import source_digest
from lessons.workshop.student import progress
from lessons.workshop.student.watched_file import state_of

INTERVAL = 0.02  # seconds between two looks at what the judge has written
JUDGE_INTERVAL = 0.25  # seconds between two looks whether a judge runs
MISSING_TIMEOUT = 5.0  # seconds without a judge, after which the pages say so


def judge_states() -> Iterator[str]:
    """Yield "running" or "missing". A short pause does not count: the keeper restarts a judge."""
    last_seen = next_look = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_look:
            next_look = now + JUDGE_INTERVAL
            with suppress(OSError):
                if judge_client.is_running():
                    last_seen = now
        yield "missing" if now - last_seen > MISSING_TIMEOUT else "running"


async def exercise_news(lesson: Lesson, shown_source: str) -> AsyncIterator[dict]:
    """First all of it, then what has changed:

    exercise        what exercise_json() returns
    judging         whether the checks of this lesson run
    judge           "running" or "missing"
    sourceChanged   whether the worked example is another one than the page shows
    """
    changed = await asyncio.to_thread(has_changed, lesson, shown_source)
    status, sent = {"sourceChanged": changed}, {}
    report_file, judge = judge_client.report_file(lesson.key), judge_states()
    seen, report = None, {}
    while True:
        # The judge saves the progress first: a report that is older than it does no harm.
        files = report_file, progress.file(), lesson.exercise, membership.file()
        now = [state_of(file) for file in files]
        if now != seen:
            seen, report = now, judge_client.read_report(report_file)
            claims = report.get("claims")
            status["exercise"] = await asyncio.to_thread(exercise_json, lesson, claims)
        status |= {"judging": report.get("judging", False), "judge": next(judge)}
        news = {name: value for name, value in status.items() if sent.get(name) != value}
        if news:
            sent |= news
            yield news
        await asyncio.sleep(INTERVAL)


def has_changed(lesson: Lesson, shown: str) -> bool:
    """Whether the worked example differs from what the page shows.

    The server restarts when its code changes, and then every page connects again.
    """
    try:
        return shown != source_digest(find_demo_source(lesson.demo))
    except (UnknownName, SyntaxError, ValueError, OSError):
        return False  # the file is being changed
