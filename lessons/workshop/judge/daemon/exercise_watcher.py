"""Judges the exercises when a student saves them, and reports each verdict.

The files are polled many times a second. Polling works on WSL, on network shares and with editors
that save by renaming. It needs no thread, so this process can fork for a verdict.
"""

import json
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import lessons.workshop.judge.preload  # noqa: F401 - loads what a verdict needs before the first fork
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.faults.finding import Place, make_finding
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.runner import CourseError, judge
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.student.progress import Progress
from lessons.workshop.student.watched_file import WatchedFile, state_of

POLL_INTERVAL = 0.04  # seconds between two looks at all exercises
WATCHED_POLL_INTERVAL = 0.005  # for an exercise whose verdict a student waits for
MAX_ATTEMPTS = 2  # to judge a version: one end of the judge may have another reason


class ExerciseJudge:
    """Judges the exercises of some lessons. It calls `report(message)` with plain data:

    {"judging": "03-stop"}                    the checks run
    {"lesson": "03-stop", "claims": {...}}    all claims are green, and conversations are played
    {"lesson": "03-stop", "verdict": {...}}   the verdict, as Verdict.as_json() writes it
    {"lesson": "03-stop", "fault": "..."}     or the reason why there is no verdict
    {"progress": {"03-stop": {...}}}          what has changed in the student's progress: by
                                              this verdict, in a terminal, or on a page
    {"judging": None}                         no checks run
    """

    def __init__(self, lessons: Iterable[Lesson], report: Callable[[dict], None]):
        self.report = report
        self.judging: str | None = None
        self.watched: set[str] = set()  # keys of the lessons that a terminal shows
        self.progress = progress.read()
        self._progress_file = state_of(progress.file())
        self._exercises = [(lesson, WatchedFile(lesson.exercise)) for lesson in lessons]
        self._requested: set[str] = set()
        self._next_look = 0.0

    @property
    def interval(self) -> float:
        """Seconds until the next look."""
        return WATCHED_POLL_INTERVAL if self.watched else POLL_INTERVAL

    def request(self, key: str) -> None:
        """Judge the exercise of this lesson at the next look, even if it has not changed."""
        self._requested.add(key)

    def judge_unjudged(self) -> None:
        """Judge each exercise that was edited before this judge started and has no verdict."""
        for lesson, file in self._exercises:
            file.look()
            if self._is_due(lesson):
                self.judge_exercise(lesson)

    def look(self) -> None:
        """Judge what was requested, and what was saved since the last look."""
        is_time_for_all = time.monotonic() >= self._next_look
        for lesson, file in self._exercises:
            is_watched = lesson.key in self.watched
            is_requested = lesson.key in self._requested
            was_saved = (is_watched or is_time_for_all) and file.was_saved()
            if is_requested or was_saved:
                file.look()
                self._requested.discard(lesson.key)
                if was_saved:
                    _forget_attempts(lesson)
                if is_requested or is_watched or self._is_due(lesson):
                    self.judge_exercise(lesson)
        if is_time_for_all:
            self._next_look = time.monotonic() + POLL_INTERVAL
            self._report_progress()

    def judge_exercise(self, lesson: Lesson) -> None:
        """Report the verdict on the exercise and save it in the student's progress."""
        self._report_judging(lesson.key)
        try:
            verdict = self._verdict(lesson, resolve(lesson))
            self.report({"lesson": lesson.key, "verdict": verdict.as_json()})
            # A student may have saved again or reset the exercise. This verdict is outdated then.
            if verdict.digest == resolve(lesson).digest():
                progress.save_verdict(lesson, verdict)
                self._report_progress()
        except Exception as error:  # the other lessons still get their verdicts
            fault = str(error) if isinstance(error, CourseError) else traceback.format_exc()
            self.report({"lesson": lesson.key, "fault": fault})
        self._report_judging(None)

    def _verdict(self, lesson: Lesson, target: Subject) -> Verdict:
        """The verdict on this version. It is red if earlier judges have ended while they judged it.

        A judge that ends during a verdict leaves the number of its attempt in a file.
        """
        digest = target.digest()
        attempt = _attempts(lesson, digest) + 1
        if attempt > MAX_ATTEMPTS:
            detail = f"The judge ended during each of its {MAX_ATTEMPTS} attempts."
            ended = make_finding("judge-ended", Place(str(target.file)), detail=detail)
            return Verdict(lesson.key, target.title, problem=ended, digest=digest)
        with suppress(OSError):
            text = json.dumps({"digest": digest, "attempt": attempt})
            atomic_write.write(_attempts_file(lesson), text.encode())
        try:
            return judge(lesson, on_claims=partial(self._report_claims, lesson.key))
        finally:
            _forget_attempts(lesson)

    def _is_due(self, lesson: Lesson) -> bool:
        """Whether the student has edited the exercise and this version has no verdict."""
        try:
            digest = resolve(lesson).digest()
        except Exception:  # an incomplete lesson: judge() reports why
            return True
        known = progress.of(lesson)
        if not digest or known.state == "new":
            return bool(digest) and not exercise_copies.is_unedited(lesson)
        return digest != (known.verdict or {}).get("digest")

    def _report_claims(self, key: str, verdict: Verdict) -> None:
        self.report({"lesson": key, "claims": verdict.as_json()})

    def _report_judging(self, key: str | None) -> None:
        self.judging = key
        self.report({"judging": key})

    def _report_progress(self) -> None:
        """Report what has changed in the progress file, whichever process has written it."""
        state = state_of(progress.file())
        if state == self._progress_file:
            return
        before, self.progress, self._progress_file = self.progress, progress.read(), state
        changed = {
            key: asdict(self.progress.get(key, Progress()))
            for key in before.keys() | self.progress.keys()
            if before.get(key) != self.progress.get(key)
        }
        if changed:
            self.report({"progress": changed})


def _attempts(lesson: Lesson, digest: str) -> int:
    """How many judges have begun to judge this version, and have ended before its verdict."""
    try:
        known = json.loads(_attempts_file(lesson).read_text(encoding="utf-8"))
        return int(known["attempt"]) if known["digest"] == digest else 0
    except (OSError, ValueError, TypeError, LookupError):
        return 0


def _forget_attempts(lesson: Lesson) -> None:
    with suppress(OSError):
        _attempts_file(lesson).unlink()


def _attempts_file(lesson: Lesson) -> Path:
    return progress.state_dir() / "attempts" / f"{lesson.key}.json"
