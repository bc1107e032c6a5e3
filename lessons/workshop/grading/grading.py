"""Judges many submissions, on all cores, and keeps each verdict for the next run."""

import hashlib
import json
import multiprocessing
import os
import platform
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.engine.process.child_process import set_up_django, start_method
from lessons.workshop.grading.sandbox import Sandbox
from lessons.workshop.grading.submission import NOT_JUDGED, SubmissionVerdict, judge_submission
from lessons.workshop.grading.submission_folder import Submission
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.setup import atomic_write

# What a verdict depends on, besides the submission.
_FOLDERS = (
    *("lessons/[0-9][0-9]_*", "*_demo"),
    *(f"lessons/workshop/{name}" for name in ("course", "engine", "grading", "judge")),
)
_PACKAGES = ("django", "channels", "asgiref", "msgpack", "time-machine")
_CONTENT = 1024**2  # bytes; a longer file is not judged


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict, or with the reason why it has none.

    `same_as` is the path of the submission that was judged, if this file has the same bytes.
    """

    submission: Submission
    result: SubmissionVerdict
    same_as: str = ""

    @property
    def verdict(self) -> Verdict | None:
        return self.result.verdict

    @property
    def is_judged(self) -> bool:
        return self.result.state != NOT_JUDGED

    @property
    def diagnosis(self) -> str:
        """The id of the first diagnosis, or ""."""
        found = self.verdict.diagnosis_ids if self.verdict else []
        return found[0] if found else ""

    @property
    def claims(self) -> tuple[int, int]:
        """How many checks are green, and how many the lesson has: 0 if it could not be loaded."""
        outcomes = self.verdict.outcomes if self.verdict else ()
        return sum(one.state == "green" for one in outcomes), len(outcomes)


class JudgeKilled(Exception):
    """The system has ended a judging process, perhaps because memory was short."""


class Grading:
    """Judges submissions in several processes. Iterate over it for the grades, in any order.

    The iteration raises JudgeKilled if the system ends one of the processes.

    It starts its processes at once, before its caller has started any thread. Verdicts are kept in
    the folder `kept`. If the iteration ends early, as after Ctrl-C, no other submission is begun.
    Those in progress are judged to their end, in some seconds, and their verdicts are kept, too.

    Files for one lesson with the same bytes are judged once: a verdict depends on nothing else.
    """

    def __init__(
        self,
        submissions: Sequence[Submission],
        sandbox: Sandbox,
        kept: Path,
        again: bool = False,
    ):
        course = course_version()
        self._pool = ProcessPoolExecutor(
            min(cores(), len(submissions)) or 1,
            multiprocessing.get_context(start_method()),
            initializer=_prepare_process,
        )
        self._groups: dict[Future[Grade], list[Submission]] = {}
        for first, *others in _groups_of_same_bytes(submissions):
            future = self._pool.submit(_grade, first, sandbox, kept, course, again)
            self._groups[future] = others

    def __iter__(self) -> Iterator[Grade]:
        for future in as_completed(self._groups):
            try:
                grade = future.result()
            except BrokenProcessPool:
                raise JudgeKilled from None
            yield grade
            for other in self._groups[future]:
                result = grade.result.renamed(Path(other.path).name)
                yield Grade(other, result, same_as=grade.submission.path)

    def stop(self) -> int:
        """Begin no other submission, wait for those in progress. Returns how many are judged."""
        self._pool.shutdown(cancel_futures=True)
        groups = self._groups.items()
        return sum(1 + len(it) for done, it in groups if done.done() and not done.cancelled())

    def __enter__(self) -> "Grading":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def _groups_of_same_bytes(submissions: Sequence[Submission]) -> list[list[Submission]]:
    groups: dict[tuple, list[Submission]] = {}
    for one in submissions:
        content = _digest_of(one.file) or one.path  # what cannot be read stays alone
        groups.setdefault((one.lesson.key, content), []).append(one)
    return [*groups.values()]


def cores() -> int:
    """How many processes of this program can run at the same time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _prepare_process() -> None:
    """Ctrl-C reaches this process, too. Its parent decides what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_up_django()


def _grade(submission: Submission, sandbox: Sandbox, kept: Path, course: str, again: bool) -> Grade:
    digest = _digest_of(submission.file)
    file_of = partial(_file, kept, submission, course, sandbox)
    if digest and not again and (known := _read_kept(file_of(digest))):
        return Grade(submission, known)
    result = judge_submission(submission.lesson, submission.file, sandbox=sandbox)
    if result.verdict:
        _keep(file_of(result.verdict.digest), result)
    return Grade(submission, result)


def _digest_of(file: Path) -> str:
    with suppress(OSError):
        if file.stat().st_size <= _CONTENT:
            return hashlib.sha256(file.read_bytes()).hexdigest()
    return ""


def _file(kept: Path, submission: Submission, course: str, sandbox: Sandbox, digest: str) -> Path:
    """The file of a kept verdict. The verdict contains the submission's name.

    Without bubblewrap a submission can do more, so its verdict may be another one.
    """
    contained = "bubblewrap" if sandbox.uses_bubblewrap else ""
    key = "\0".join((digest, submission.path, submission.lesson.key, course, contained))
    return kept / f"{hashlib.sha256(key.encode()).hexdigest()}.json"


def _keep(file: Path, result: SubmissionVerdict) -> None:
    """Save a verdict. What could not be judged is not saved: the next run tries it again."""
    with suppress(OSError):  # then the next run judges it again
        data = {"name": result.name, "state": result.state, "verdict": result.verdict.as_json()}
        atomic_write.write(file, json.dumps(data).encode())


def _read_kept(file: Path) -> SubmissionVerdict | None:
    try:
        data = json.loads(file.read_bytes())
        return SubmissionVerdict(data["name"], data["state"], Verdict.from_json(data["verdict"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def course_version() -> str:
    """A digest of all files and packages on which a verdict depends."""
    digest = hashlib.sha256(platform.python_version().encode())
    for package in _PACKAGES:
        digest.update(f"{package} {version(package)}\n".encode())
    for pattern in _FOLDERS:
        for folder in sorted(PROJECT_DIR.glob(pattern)):
            for file in sorted(folder.rglob("*")):
                if file.suffix in (".py", ".md", ".toml"):
                    digest.update(f"{file.relative_to(PROJECT_DIR)}\0".encode())
                    digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
