"""The student's file, as the page's editor reads and saves it.

A digest says which version of the file a text is. A save names the version that it replaces, so a
page never overwrites what another editor has saved since.
"""

from dataclasses import dataclass

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.setup.atomic_write import write
from lessons.workshop.student import exercise_copies, progress

MAX_BYTES = 200_000


class Refused(ValueError):
    """Something that the page may not do. The text gives the reason."""


@dataclass(frozen=True)
class FileVersion:
    """The text of a file, with line ends as on a page, and its digest. A missing file has none."""

    text: str
    digest: str


class SavedElsewhere(Exception):
    """Another editor has saved the file. `version` is what is in it now."""

    def __init__(self, version: FileVersion):
        super().__init__("The file has changed on disk since this page read it.")
        self.version = version


def read_file(lesson: Lesson) -> FileVersion:
    """What is in the student's file. Without a file: the original, with an empty digest.

    Raises Refused or OSError.
    """
    content = exercise_copies.read_content(lesson.exercise)
    if content is None:
        return FileVersion(_decoded(lesson, lesson.original.read_bytes()), "")
    return FileVersion(_decoded(lesson, content), exercise_copies.digest(content))


def file_digest(lesson: Lesson) -> str:
    """The digest of the student's file; empty if it cannot be read."""
    try:
        return exercise_copies.digest_of(lesson.exercise) or ""
    except OSError:
        return ""


def save_file(lesson: Lesson, text: str, replaces: str, overwrite: bool = False) -> FileVersion:
    """Save `text` instead of the version with the digest `replaces`.

    With `overwrite`, what another editor has saved is backed up first and then replaced. Raises
    SavedElsewhere, Refused or OSError.
    """
    content = _encoded(text)
    with progress.state_lock("copies"):
        old = exercise_copies.read_content(lesson.exercise)
        if old is not None and exercise_copies.digest(old) != replaces:
            if not overwrite:
                raise SavedElsewhere(read_file(lesson))
            exercise_copies.back_up(lesson, old)
        if content != old:
            write(lesson.exercise, content)
    return FileVersion(text, exercise_copies.digest(content))


def _encoded(text: str) -> bytes:
    try:
        content = text.replace("\r\n", "\n").encode()
    except UnicodeEncodeError:
        raise Refused("The text holds half of a character, so it was not saved.") from None
    if len(content) > MAX_BYTES:
        raise Refused(f"The text is longer than {MAX_BYTES:,} bytes, so it was not saved.")
    return content


def _decoded(lesson: Lesson, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Refused(
            f"{lesson.exercise.name} is not text in UTF-8, so this page cannot edit it. "
            "Save it as UTF-8 in your own editor."
        ) from None
