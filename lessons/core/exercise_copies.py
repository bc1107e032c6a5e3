"""Every exercise as it came: what `reset` restores and `verify` judges.

Students edit exercise.py in place, so the version that came has to be found elsewhere. Git has it,
and has the newest one after a `git pull`. Where git does not know the file, a copy made before the
student began has to do.
"""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from lessons.core import catalogue
from lessons.core.atomic_write import write
from lessons.core.catalogue import Lesson
from lessons.core.progress import start_anew, state_dir


class NoStub(LookupError):
    """The exercise as it came is nowhere to be found; the message says what to do."""


def keep_copies() -> None:
    """Copy each exercise that has no copy yet. Every command of the workshop calls this first."""
    for lesson in catalogue.lessons():
        if not copy_of(lesson).exists():
            with suppress(OSError):  # a read-only folder, or no exercise: reset says so when asked
                write(copy_of(lesson), lesson.exercise.read_bytes())


def stub(lesson: Lesson) -> Path:
    """A file that holds the exercise as it came: exercise.py itself while nobody has edited it.

    Raises NoStub.
    """
    came = _from_git(lesson)
    if came is None and copy_of(lesson).exists():
        came = copy_of(lesson).read_bytes()
    if came is None:
        raise NoStub(
            f"{lesson.exercise} as it came is not to be found: git does not know it, and there is "
            f"no copy in {copy_of(lesson).parent}. Take it from a fresh download of the course."
        )
    if lesson.exercise.exists() and _same(lesson.exercise.read_bytes(), came):
        return lesson.exercise
    if not copy_of(lesson).exists() or copy_of(lesson).read_bytes() != came:
        write(copy_of(lesson), came)
    return copy_of(lesson)


def is_as_it_came(lesson: Lesson) -> bool:
    """Whether nobody has edited the exercise; asks git only where the copy is another version."""
    with suppress(OSError):
        if _same(lesson.exercise.read_bytes(), copy_of(lesson).read_bytes()):
            return True
    with suppress(NoStub, OSError):
        return stub(lesson) == lesson.exercise
    return False


def reset(lesson: Lesson) -> Path | None:
    """Put the exercise back as it came; where the student's version is now, if there was one.

    Raises NoStub.
    """
    stub(lesson)
    aside = set_aside(lesson) if lesson.exercise.exists() else None
    start_anew(lesson)  # first, or a judge who sees the file change would judge it as the student's
    restore(lesson)
    return aside


def set_aside(lesson: Lesson) -> Path:
    """Copy the student's version to where no reset reaches it; the copy's path."""
    folder = state_dir() / "set-aside"
    name = f"{lesson.folder.name}-{datetime.now():%Y%m%d-%H%M%S}"
    names = (f"{name}.py" if number == 1 else f"{name}-{number}.py" for number in count(1))
    aside = next(folder / name for name in names if not (folder / name).exists())
    write(aside, lesson.exercise.read_bytes())
    return aside


def kept_aside(lesson: Lesson) -> Path | None:
    """The student's version that was set aside last."""
    files = (state_dir() / "set-aside").glob(f"{lesson.folder.name}-*.py")
    return max(files, key=lambda file: file.stat().st_mtime_ns, default=None)


def restore(lesson: Lesson) -> None:
    """Make exercise.py what it was when it came. Raises NoStub."""
    came = stub(lesson)
    if came != lesson.exercise:
        write(lesson.exercise, came.read_bytes())


def copy_of(lesson: Lesson) -> Path:
    return state_dir() / "stubs" / f"{lesson.folder.name}.py"


def _same(one: bytes, other: bytes) -> bool:
    """Git on Windows changes line ends on the way out."""
    return one.replace(b"\r\n", b"\n") == other.replace(b"\r\n", b"\n")


def _from_git(lesson: Lesson) -> bytes | None:
    """The newest version that the course, not the student, has committed."""
    for commit in _commits_of_the_course(lesson):
        content = _git("show", f"{commit}:./{_relative(lesson.exercise)}")
        if content is not None:
            return content
    return None


def _commits_of_the_course(lesson: Lesson) -> Iterator[str]:
    """Commits that brought exercise.py, newest first, without those that hold a student's work.

    A student commits exercise.py alone, in their own name. The course brings it together with the
    rest of the lesson, or in another name.
    """
    me = (_git("config", "user.email") or b"").decode().strip()
    folder = _relative(lesson.folder)
    log = _git(
        "log", "--full-history", "--relative", "--name-only", "--format=%x00%H %ae", "--", folder
    )
    for entry in (log or b"").decode(errors="replace").split("\0")[1:]:
        head, *names = entry.split("\n")
        commit, _, author = head.partition(" ")
        names = {name for name in names if name}
        if _relative(lesson.exercise) in names and (len(names) > 1 or author != me):
            yield commit


def _relative(path: Path) -> str:
    return path.relative_to(catalogue.PROJECT_DIR).as_posix()


def _git(*arguments: str) -> bytes | None:
    """What git answers; None without git, outside a repository, and for what it does not know."""
    with suppress(OSError):
        command = ["git", "-C", catalogue.PROJECT_DIR, *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None
    return None
