"""Judges the written submissions of a lesson: each right one must be green, each wrong one red.

A table tests/submissions/NN_slug.toml holds them:

- `base` is a right file. It is a submission, too.
- `right` and `wrong` hold others by name: a list of [old, new] pairs, each `old` of which occurs
  once in `base`, or a whole file.
- `diagnosis` holds, for wrong ones, the first diagnosis that they must get.
- `not` holds look-alikes by diagnosis: the names of files that go wrong in a similar way, for
  another reason, and must not get it first. They are wrong submissions, or mutants of the solution.
- `says` holds, for wrong ones, what their verdict must say: a line, a title or a quoted sentence.

Most submissions stand there because a verdict on such a file was wrong once.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lessons.workshop.authoring.mutant_runs import solution_mutants
from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import exercise
from lessons.workshop.judge.runner import judge
from lessons.workshop.judge.verdict import explain

_KEYS = {"base", "right", "wrong", "diagnosis", "not", "says"}


class InvalidTable(ValueError):
    """A table of submissions that cannot be used; the message says why."""


@dataclass(frozen=True)
class WrittenSubmission:
    """A file of a table.

    `diagnosis` is the first one that a wrong file must get, if known, and `other_than` are those
    that it must not get. `says` is a part of the text that a student reads.
    """

    name: str
    source: str
    is_right: bool
    diagnosis: str | None = None
    other_than: tuple[str, ...] = ()
    says: str = ""


def folder() -> Path:
    """Where the tables are. A copy of the course without its tests does not have them."""
    return lesson_index.PROJECT_DIR / "tests" / "submissions"


def read_submissions(lesson: Lesson) -> list[WrittenSubmission]:
    """All submissions of the lesson. Raises InvalidTable."""
    file = folder() / f"{lesson.folder.name}.toml"
    if not file.is_file():
        raise InvalidTable(f"tests/submissions/{file.name} is missing")
    try:
        return list(_submissions_in(lesson, tomllib.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError) as error:
        raise InvalidTable(f"{file.name}: {error}") from None


def _submissions_in(lesson: Lesson, table: dict) -> Iterator[WrittenSubmission]:
    base, wrong, diagnoses = table.get("base"), table.get("wrong", {}), table.get("diagnosis", {})
    says = table.get("says", {})
    if unknown := table.keys() - _KEYS or {*diagnoses, *says} - wrong.keys():
        raise ValueError(f"no wrong submission and no part has this name: {min(unknown)}")
    if not base or not wrong:
        raise ValueError("write `base` and a wrong submission")
    yield WrittenSubmission("base", base, True)
    for name, change in table.get("right", {}).items():
        yield WrittenSubmission(name, _changed(base, name, change), True)
    other_than: dict[str, tuple[str, ...]] = {}
    for diagnosis, names in table.get("not", {}).items():
        for name in names:
            other_than[name] = (*other_than.get(name, ()), diagnosis)
    mutants = {it.name: it.source for it in solution_mutants(lesson)} if other_than else {}
    for name, change in wrong.items():
        other, source = other_than.pop(name, ()), _changed(base, name, change)
        more = diagnoses.get(name), other, says.get(name, "")
        yield WrittenSubmission(name, source, False, *more)
    for name, other in other_than.items():
        if name not in mutants:
            raise ValueError(f"no wrong submission and no mutant has this name: {name}")
        yield WrittenSubmission(name, mutants[name], False, other_than=other)


def _changed(base: str, name: str, change: str | list[list[str]]) -> str:
    if isinstance(change, str):
        return change
    for old, new in change:
        if (count := base.count(old)) != 1:
            raise ValueError(f"{name}: {old!r} occurs {count} times")
        base = base.replace(old, new)
    return base


def fault_of(lesson: Lesson, submission: WrittenSubmission) -> str | None:
    """What is wrong with the verdict on this submission; None if it is as written."""
    target = exercise(lesson, "submission", lesson.exercise, submission.source)
    verdict = judge(lesson, target, stops_at_red=True)
    if submission.is_right:
        red = f"{submission.name} is right and red:\n{explain(verdict)}"
        return None if verdict.green else red
    if verdict.green:
        return f"{submission.name} is wrong and green"
    found, wanted = next(iter(verdict.diagnosis_ids), "no diagnosis"), submission.diagnosis
    if found in submission.other_than:
        return f"{submission.name} looks like {found} and gets it, for another reason"
    if submission.says not in (text := explain(verdict)):
        return f"{submission.name} does not say {submission.says!r}:\n{text}"
    return None if wanted in (None, found) else f"{submission.name} gets {found}, not {wanted}"
