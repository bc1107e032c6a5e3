"""Copies of exercises are created and follow the course; no version of a student is lost."""

import errno
import json
from pathlib import Path

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.setup.atomic_write import explain_os_error
from lessons.workshop.student import exercise_copies, progress
from tests.support.courses import DARK_LAMP

MINE = "# mine\n"
NEWER = DARK_LAMP + "# better\n"


@pytest.fixture
def lesson(course):
    return course[0]


def backups(lesson):
    return sorted(file.read_text() for file in lesson.exercise.parent.glob("01_lamp.*.py"))


# Copies


def test_the_first_start_creates_a_copy_of_each_exercise(fresh_course):
    assert exercise_copies.create_copies() == []

    for lesson in fresh_course:
        assert lesson.exercise.read_bytes() == lesson.original.read_bytes()
        assert exercise_copies.is_unedited(lesson)
    names = [file.name for file in sorted((lesson_index.PROJECT_DIR / "work").iterdir())]
    assert names == ["01_lamp.py", "02_bell.py", "03_buzzer.py"]


def test_an_edited_copy_is_not_overwritten(lesson):
    lesson.exercise.write_text(MINE)

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == MINE
    assert not exercise_copies.is_unedited(lesson)


def test_an_unedited_copy_follows_its_original(lesson):
    lesson.original.write_text(NEWER)

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == NEWER
    assert exercise_copies.is_unedited(lesson)


def test_an_edited_copy_stays_and_a_line_says_that_the_exercise_has_changed(lesson):
    lesson.exercise.write_text(MINE)
    assert exercise_copies.update_notice(lesson) == ""
    lesson.original.write_text(NEWER)

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == MINE
    assert "manage.py lesson reset 1" in exercise_copies.update_notice(lesson)
    assert len(exercise_copies.update_notice(lesson).splitlines()) == 1


def renumber(lesson, name):
    """The course gives the lesson another number."""
    lesson.folder.rename(lesson.folder.with_name(name))
    lesson_index.lessons.cache_clear()
    return lesson_index.find(lesson.slug)


def test_an_edited_copy_and_its_backups_follow_the_number_of_the_lesson(course):
    course[1].exercise.write_text(MINE)
    exercise_copies.back_up(course[1], b"# earlier\n")
    moved = renumber(course[1], "19_bell")

    assert exercise_copies.create_copies() == ["Your work/02_bell.py is now work/19_bell.py."]
    assert moved.exercise.read_text() == MINE
    assert exercise_copies.latest_backup(moved).read_text() == "# earlier\n"
    assert not list(moved.exercise.parent.glob("02_*"))
    moved.original.write_text(NEWER)
    assert "manage.py lesson reset 19" in exercise_copies.update_notice(moved)


def test_changed_line_ends_do_not_count_as_an_edit(lesson):
    windows = DARK_LAMP.replace("\n", "\r\n").encode()
    lesson.original.write_bytes(windows)
    assert exercise_copies.create_copies() == []
    lesson.exercise.write_bytes(windows)

    assert exercise_copies.is_unedited(lesson)
    assert lesson.original.read_bytes() == windows


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_copies_survive_a_damaged_record(lesson, text):
    lesson.exercise.write_text(MINE)
    (progress.state_dir() / "originals.json").write_text(text, encoding="latin-1")

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == MINE
    assert json.loads((progress.state_dir() / "originals.json").read_text())


def test_a_folder_that_is_not_writable_is_reported_once(fresh_course, monkeypatch):
    def refuse(file, content):
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr(exercise_copies, "create", refuse)
    (line,) = exercise_copies.create_copies()
    assert "Permission denied" in line
    assert "Make its folder writable" in line


# Reset


def test_a_reset_restores_the_original_and_keeps_each_version(lesson):
    kept = []
    for text in ("# one\n", "# two\n"):
        lesson.exercise.write_text(text)
        kept.append(exercise_copies.reset_exercise(lesson))
        assert lesson.exercise.read_text() == DARK_LAMP

    assert [file.read_text() for file in kept] == ["# one\n", "# two\n"]
    assert {file.parent for file in kept} == {lesson.exercise.parent}
    assert exercise_copies.latest_backup(lesson) in kept


def test_a_full_disk_leaves_no_half_written_backup(lesson, monkeypatch):
    def fill(file, content):
        file.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    lesson.exercise.write_text(MINE)
    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", fill)
        with pytest.raises(OSError, match="No space left on device") as error:
            exercise_copies.reset_exercise(lesson)
    assert backups(lesson) == []
    message = explain_os_error(error.value)
    assert str(lesson.exercise.parent) in message
    assert message.endswith("Make room on its disk, then try again.")
    assert lesson.exercise.read_text() == MINE
