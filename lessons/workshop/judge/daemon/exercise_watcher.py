"""Judges the exercises when a student saves them, and reports each verdict.

The files are polled many times a second. Polling works on WSL, on network shares and with editors
that save by renaming. It needs no thread, so this process can fork for a verdict.
"""

import json
import shutil
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

import lessons.workshop.judge.preload  # noqa: F401 - loads what a verdict needs before the first fork
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.runner import CourseError, judge
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.student.watched_file import WatchedFile

INTERVAL = 0.005  # seconds between two looks at all exercises


class ExerciseJudge:
    """Judges the exercises of some lessons. It calls `report(key, report)` with plain data:

    {"judging": true}                          the checks run
    {"judging": true, "claims": {...}}         what is known so far, as Verdict.as_json() writes it
    {"judging": false, "verdict": {...}}       the verdict; it is in the student's progress, too
    {"judging": false, "fault": "..."}         or the reason why there is no verdict
    """

    def __init__(self, lessons: Iterable[Lesson], report: Callable[[str, dict], object]):
        self._report = report
        self._exercises = [(lesson, WatchedFile(lesson.exercise)) for lesson in lessons]
        self._failed: dict[str, Outcome | None] = {}  # by key: the first red outcome, the last time

    def begin(self) -> None:
        """Forget the reports of an earlier judge, then judge what was edited since its verdict."""
        shutil.rmtree(judge_client.reports(), ignore_errors=True)
        for lesson, file in self._exercises:
            file.look()
            if self._is_due(lesson):
                self.judge_exercise(lesson)

    def look(self) -> None:
        """Judge what was saved since the last look."""
        for lesson, file in self._exercises:
            if file.was_saved():
                file.look()
                if not _is_untouched(lesson):
                    self.judge_exercise(lesson)

    def judge_exercise(self, lesson: Lesson) -> None:
        """Save the verdict on the exercise in the student's progress, and report it."""
        self._report(lesson.key, {"judging": True})
        try:
            verdict = self._verdict(lesson)
            # A student may have saved again or reset the exercise. This verdict is outdated then.
            if verdict.digest == resolve(lesson).digest():
                progress.save_verdict(lesson, verdict)
            found = {"verdict": verdict.as_json()}
            self._failed[lesson.key] = first_red(verdict) or self._failed.get(lesson.key)
        except Exception as error:  # the other lessons still get their verdicts
            is_known = isinstance(error, CourseError)
            found = {"fault": str(error) if is_known else traceback.format_exc()}
        self._report(lesson.key, {"judging": False, **found})

    def _verdict(self, lesson: Lesson) -> Verdict:
        def report_claims(verdict: Verdict) -> None:
            self._report(lesson.key, {"judging": True, "claims": verdict.as_json()})

        if lesson.key not in self._failed:
            saved = progress.of(lesson).verdict
            self._failed[lesson.key] = saved and first_red(Verdict.from_json(saved))
        return judge(lesson, on_claims=report_claims, failed_before=self._failed[lesson.key])

    def _is_due(self, lesson: Lesson) -> bool:
        """Whether the student has edited the exercise and this version has no verdict."""
        try:
            digest = resolve(lesson).digest()
        except Exception:  # an incomplete lesson: judge() reports why
            return True
        verdict = progress.of(lesson).verdict or {}
        return bool(digest) and digest != verdict.get("digest") and not _is_untouched(lesson)


def _is_untouched(lesson: Lesson) -> bool:
    """Whether the student has not begun: the course has written the file, or a reset."""
    return progress.of(lesson).state == "new" and exercise_copies.is_unedited(lesson)


def first_red(verdict: Verdict) -> Outcome | None:
    """The first red outcome with a conversation."""
    red = (it for it in verdict.outcomes if it.finding and it.finding.conversation)
    return next(red, None)


def save_report(key: str, report: dict) -> None:
    """Save the report for the clients."""
    with suppress(OSError):  # the verdict is saved where the page can be used at all
        atomic_write.write(judge_client.report_file(key), json.dumps(report).encode())
