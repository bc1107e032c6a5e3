"""The student's copies of the exercises: `work/NN_slug.py`, ignored by git.

A student edits the copy, never the original in `lessons/`, so a `git pull` has no conflict.
`.workshop/originals.json` remembers which original each copy was made from: a copy that equals it
is unedited, and follows when the course changes the exercise.

Earlier versions of the workshop let students edit the original. `exercises.sha256` holds a digest
of each original, so such an edit is recognised: it moves to `work/`, and the original comes back.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.setup.atomic_write import create, explain_os_error, write
from lessons.workshop.student import progress

MANIFEST = Path(__file__).with_name("exercises.sha256")


class OriginalNotFound(LookupError):
    """This machine has no copy of a course's original exercise. The message says what to do."""

    def __init__(self, lesson: Lesson):
        super().__init__(
            f"{_shown(lesson.original)} is not the course's version, and neither .workshop/stubs "
            "nor git has it. Take the file from a fresh download of the course."
        )


def create_copies() -> list[str]:
    """Create the missing copies and update the unedited ones. Returns lines for the student.

    Every command of the workshop calls this first.
    """
    lines: list[str] = []
    failures: dict[int | None, str] = {}  # by errno: a read-only folder is reported once
    with progress.state_lock("copies"):
        manifest, known = read_manifest(), _read_bases()
        bases = dict(known)
        for lesson in lesson_index.lessons():
            expected = manifest.get(lesson.folder.name)  # None: the lesson is still being written
            try:
                if old := _follow_number(lesson, bases):
                    lines.append(f"Your {old} is now {_shown(lesson.exercise)}.")
                if place := _move_old_edit(lesson, expected, bases):
                    old, new = _shown(lesson.original), _shown(place)
                    lines.append(f"Your version of {old} is now {new}: edit it there.")
                _restore_original(lesson, expected)
                _update_copy(lesson, bases)
            except OriginalNotFound as error:
                lines.append(str(error))
            except OSError as error:
                failures.setdefault(error.errno, explain_os_error(error))
        if bases != known:
            _save_bases(bases)
    return lines + [f"Your copies of the exercises: {failure}" for failure in failures.values()]


def _follow_number(lesson: Lesson, bases: dict[str, str]) -> str | None:
    """Rename the copy and its backups if the lesson had another number. Returns the old path."""
    folder, slug = lesson.exercise.parent, lesson.slug
    copies = sorted(folder.glob(f"[0-9][0-9]_{slug}.py"))
    if not copies or lesson.exercise in copies:
        return None
    old = copies[-1]
    for file in (old, *folder.glob(f"{old.stem}.*.py")):
        file.rename(file.with_name(file.name.replace(old.stem, lesson.folder.name, 1)))
    if base := bases.pop(old.stem, None):
        bases[lesson.folder.name] = base
    return _shown(old)


def _update_copy(lesson: Lesson, bases: dict[str, str]) -> None:
    """Create the copy, or let an unedited one follow its original."""
    original = read_content(lesson.original)
    if original is None:
        return
    name, newest, copy = lesson.folder.name, digest(original), digest_of(lesson.exercise)
    if copy is None:
        with suppress(FileExistsError):  # an editor has just saved it
            create(lesson.exercise, original)
    elif copy != newest and copy == bases.get(name):
        write(lesson.exercise, original)
    elif copy != newest and name in bases:
        return  # edited: the base stays, so that `update_notice` can compare
    bases[name] = newest


def is_unedited(lesson: Lesson) -> bool:
    """Whether the copy is the original that it was made from, or the newest one."""
    try:
        copy = digest_of(lesson.exercise)
        # An original with another digest is a student's edit, as _move_old_edit() says.
        newest = read_manifest().get(lesson.folder.name) or digest_of(lesson.original)
    except OSError:
        return False
    return copy is not None and copy in (newest, _read_bases().get(lesson.folder.name))


def update_notice(lesson: Lesson) -> str:
    """A line that says that the course has changed an exercise that the student edited, or ""."""
    base, newest = _read_bases().get(lesson.folder.name), digest_of(lesson.original)
    if base in (None, newest) or newest is None or is_unedited(lesson):
        return ""
    return (
        f"The exercise of lesson {lesson.number} has changed since you began. To take the new one "
        f"and keep your version: {MANAGE} lesson reset {lesson.number}"
    )


def reset_exercise(lesson: Lesson) -> Path | None:
    """Replace the copy with the original. Raises OriginalNotFound.

    Returns the path of the backup, or None if the copy was unedited.
    """
    with progress.state_lock("copies"):
        expected, bases = read_manifest().get(lesson.folder.name), _read_bases()
        _move_old_edit(lesson, expected, bases)
        _restore_original(lesson, expected)
        edited = lesson.exercise.exists() and not is_unedited(lesson)
        backup = back_up(lesson) if edited else None
        # Before the file changes, or a judge that sees the change would judge it as the student's.
        progress.reset_progress(lesson)
        write(lesson.exercise, lesson.original.read_bytes())
        bases[lesson.folder.name] = digest_of(lesson.original)
        _save_bases(bases)
    return backup


def back_up(lesson: Lesson, content: bytes | None = None) -> Path:
    """Save the student's version beside the copy, under a new name. Returns the new path."""
    content = lesson.exercise.read_bytes() if content is None else content
    stem = f"{lesson.exercise.stem}.{datetime.now():%Y-%m-%d-%H%M}"
    names = (f"{stem}.py" if number == 1 else f"{stem}-{number}.py" for number in count(1))
    backups = (lesson.exercise.with_name(name) for name in names)
    backup = next(file for file in backups if not file.exists())
    create(backup, content)
    return backup


def latest_backup(lesson: Lesson) -> Path | None:
    """The newest backup. Earlier workshops saved backups in .workshop/set-aside."""
    older = (progress.state_dir() / "set-aside").glob(f"{lesson.folder.name}-*.py")
    return max((*older, *_backups(lesson)), key=lambda file: file.stat().st_mtime_ns, default=None)


def _backups(lesson: Lesson) -> Iterator[Path]:
    return lesson.exercise.parent.glob(f"{lesson.exercise.stem}.*.py")


def _move_old_edit(lesson: Lesson, expected: str | None, bases: dict[str, str]) -> Path | None:
    """Copy a student's edit of the original to `work/`. Returns the path there, or None.

    The edit becomes the student's copy, unless the student has edited the copy too.
    """
    edited = read_content(lesson.original)
    if edited is None or expected in (None, digest(edited)):
        return None
    for file in (lesson.exercise, *_backups(lesson)):
        if digest_of(file) == digest(edited):
            return file
    base = bases.setdefault(lesson.folder.name, expected)
    if digest_of(lesson.exercise) not in (None, base, expected):
        return back_up(lesson, edited)
    write(lesson.exercise, edited)
    return lesson.exercise


def _restore_original(lesson: Lesson, expected: str | None) -> None:
    """Make the original the course's version, which its digest proves. Raises OriginalNotFound."""
    if expected in (None, digest_of(lesson.original)):
        return
    for candidate in _candidates(lesson):
        if digest(candidate) == expected:
            write(lesson.original, candidate)
            return
    raise OriginalNotFound(lesson)


def _candidates(lesson: Lesson) -> Iterator[bytes]:
    """What may be the original: the copy of an earlier workshop, then the versions in git."""
    stub = read_content(progress.state_dir() / "stubs" / f"{lesson.folder.name}.py")
    if stub is not None:
        yield stub
    path = lesson.original.relative_to(lesson_index.PROJECT_DIR).as_posix()
    commits = _git("log", "--full-history", "--format=%H", "--", path) or b""
    for commit in commits.decode().split():
        content = _git("show", f"{commit}:./{path}")
        if content is not None:
            yield content


def _git(*arguments: str) -> bytes | None:
    """The output of git; None without git, outside a repository, and for an unknown object."""
    with suppress(OSError):
        command = ["git", "-C", lesson_index.PROJECT_DIR, *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


def digest(content: bytes) -> str:
    """A digest that ignores line ends: git on Windows changes them."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def digest_of(file: Path) -> str | None:
    """The digest of a file; None if it does not exist. Raises OSError if it cannot be read."""
    content = read_content(file)
    return None if content is None else digest(content)


def read_content(file: Path) -> bytes | None:
    """The bytes of a file; None if it does not exist. Raises OSError if it cannot be read."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_manifest() -> dict[str, str]:
    """The digest of each original, by the name of its lesson's folder."""
    text = (read_content(MANIFEST) or b"").decode()
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {path.partition("/")[0]: found for found, path in pairs}


def update_manifest(some: Iterable[Lesson]) -> None:
    """Accept the present originals of these lessons, for authors of the course."""
    folders = {lesson.folder.name for lesson in lesson_index.lessons()}
    manifest = read_manifest() | {one.folder.name: digest_of(one.original) for one in some}
    lines = [f"{manifest[name]}  {name}/exercise.py\n" for name in sorted(folders & set(manifest))]
    write(MANIFEST, "".join(lines).encode())


def _bases_file() -> Path:
    return progress.state_dir() / "originals.json"


def _read_bases() -> dict[str, str]:
    """The digest of the original that each copy was made from."""
    with suppress(OSError, ValueError):
        bases = json.loads(_bases_file().read_bytes())
        return bases if isinstance(bases, dict) else {}
    return {}


def _save_bases(bases: dict[str, str]) -> None:
    with suppress(OSError):
        write(_bases_file(), json.dumps(bases).encode())


def _shown(file: Path) -> str:
    return file.relative_to(lesson_index.PROJECT_DIR).as_posix()
