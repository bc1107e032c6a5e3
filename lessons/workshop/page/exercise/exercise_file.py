"""The student's file, as the page's editor reads and saves it.

A digest says which version of the file a text is. A save names the version that it replaces, so a
page never overwrites what another editor has saved since.
"""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.page.json_answers import Refused
from lessons.workshop.setup.atomic_write import write
from lessons.workshop.student import exercise_copies, progress

MAX_BYTES = 200_000


def read_file(lesson: Lesson) -> dict[str, str]:
    """`{"text", "digest"}`. A missing file has the text of the original, and an empty digest.

    Raises Refused or OSError.
    """
    content = exercise_copies.read_content(lesson.exercise)
    shown = lesson.original.read_bytes() if content is None else content
    try:
        text = shown.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Refused(
            f"{lesson.exercise.name} is not text in UTF-8, so this page cannot edit it. "
            "Save it as UTF-8 in your own editor."
        ) from None
    return {"text": text, "digest": "" if content is None else exercise_copies.digest(content)}


def save_file(lesson: Lesson, text: str, replaces: str, overwrite: bool = False) -> str:
    """Save `text` instead of the version with the digest `replaces`. Returns the new digest.

    With `overwrite`, what another editor has saved is backed up first and then replaced. Raises
    Refused or OSError.
    """
    content = text.replace("\r\n", "\n").encode()
    if len(content) > MAX_BYTES:
        raise Refused(f"The text is longer than {MAX_BYTES:,} bytes, so it was not saved.")
    with progress.state_lock("copies"):
        old = exercise_copies.read_content(lesson.exercise)
        if old is not None and exercise_copies.digest(old) != replaces:
            if not overwrite:
                reason = "The file has changed on disk since this page read it."
                raise Refused(reason, status=409, **read_file(lesson))
            exercise_copies.back_up(lesson, old)
        if content != old:
            write(lesson.exercise, content)
    return exercise_copies.digest(content)
