"""Copies of exercises are created and follow the course; no version of a student is lost."""

import errno
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.student import exercise_copies, progress
from tests.support.courses import DARK_LAMP

MINE = "# mine\n"
NEWER = DARK_LAMP + "# better\n"


@pytest.fixture
def lesson(course):
    return course[0]


@pytest.fixture
def old_lesson(fresh_course):
    """A lesson in a clone that an earlier version of the workshop has used."""
    return fresh_course[0]


def keep_stub(lesson, text=DARK_LAMP):
    """The copy of the original that an earlier workshop made at its first start."""
    stub = progress.state_dir() / "stubs" / f"{lesson.folder.name}.py"
    stub.parent.mkdir(parents=True)
    stub.write_text(text)


def change_original(lesson, text=NEWER):
    """What a `git pull` brings."""
    lesson.original.write_text(text)
    exercise_copies.update_manifest([lesson])


# Copies


def test_the_first_start_creates_a_copy_of_each_exercise(fresh_course):
    assert exercise_copies.create_copies() == []

    for lesson in fresh_course:
        assert lesson.exercise.read_bytes() == lesson.original.read_bytes()
        assert exercise_copies.is_unedited(lesson)
    names = [file.name for file in sorted((lesson_index.PROJECT_DIR / "work").iterdir())]
    assert names == ["01_lamp.py", "02_bell.py", "03_buzzer.py"]


def test_an_unedited_copy_follows_its_original(lesson):
    change_original(lesson)

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == NEWER
    assert exercise_copies.is_unedited(lesson)


def test_an_edited_copy_stays_and_a_line_says_that_the_exercise_has_changed(lesson):
    lesson.exercise.write_text(MINE)
    assert exercise_copies.update_notice(lesson) == ""
    change_original(lesson)

    assert exercise_copies.create_copies() == []
    assert lesson.exercise.read_text() == MINE
    assert not exercise_copies.is_unedited(lesson)
    assert "manage.py lesson reset 1" in exercise_copies.update_notice(lesson)


def test_an_edited_copy_and_its_backups_follow_the_number_of_the_lesson(course):
    bell, manifest = course[1], exercise_copies.MANIFEST
    bell.exercise.write_text(MINE)
    exercise_copies.back_up(bell, b"# earlier\n")
    bell.folder.rename(bell.folder.with_name("19_bell"))
    manifest.write_text(manifest.read_text().replace("02_bell", "19_bell"))
    lesson_index.lessons.cache_clear()
    moved = lesson_index.find("bell")

    assert exercise_copies.create_copies() == ["Your work/02_bell.py is now work/19_bell.py."]
    assert moved.exercise.read_text() == MINE
    assert exercise_copies.latest_backup(moved).read_text() == "# earlier\n"
    assert not list(moved.exercise.parent.glob("02_*"))


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
    assert exercise_copies.latest_backup(lesson) in kept


def test_a_full_disk_leaves_no_half_written_backup(lesson, monkeypatch):
    def fill(file, content):
        file.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    lesson.exercise.write_text(MINE)
    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space left on device"):
        exercise_copies.reset_exercise(lesson)
    assert exercise_copies.latest_backup(lesson) is None
    assert lesson.exercise.read_text() == MINE


# An exercise that was edited where earlier versions of the workshop had it


def test_an_edit_of_the_original_moves_to_the_copy(old_lesson):
    keep_stub(old_lesson)
    old_lesson.original.write_text(MINE)

    (line,) = exercise_copies.create_copies()
    assert "lessons/01_lamp/exercise.py is now work/01_lamp.py" in line
    assert old_lesson.exercise.read_text() == MINE
    assert old_lesson.original.read_text() == DARK_LAMP
    assert exercise_copies.create_copies() == []


def test_an_edit_of_the_original_is_kept_beside_an_edited_copy(lesson):
    keep_stub(lesson)
    lesson.exercise.write_text("# newer\n")
    lesson.original.write_text(MINE)

    (line,) = exercise_copies.create_copies()
    assert lesson.exercise.read_text() == "# newer\n"
    assert exercise_copies.latest_backup(lesson).read_text() == MINE
    assert exercise_copies.latest_backup(lesson).name in line
    assert lesson.original.read_text() == DARK_LAMP


def test_an_edit_whose_original_is_lost_is_saved_and_the_cure_is_named(old_lesson):
    keep_stub(old_lesson, "# an older version of the course\n")
    old_lesson.original.write_text(MINE)

    for _ in range(2):
        moved, lost = exercise_copies.create_copies()
        assert "is now work/01_lamp.py" in moved
        assert "Take the file from a fresh download" in lost
        assert old_lesson.exercise.read_text() == MINE
    assert exercise_copies.latest_backup(old_lesson) is None


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_git_restores_an_original_that_was_edited_before_the_first_start(old_lesson, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    user = ["-c", "user.email=student@example.org", "-c", "user.name=Student"]
    for words in (["init", "-q"], ["add", "lessons"], [*user, "commit", "-q", "-m", "A course"]):
        subprocess.run(["git", "-C", lesson_index.PROJECT_DIR, *words], check=True)
    old_lesson.original.write_text(MINE)

    assert len(exercise_copies.create_copies()) == 1
    assert old_lesson.exercise.read_text() == MINE
    assert old_lesson.original.read_text() == DARK_LAMP


def test_each_original_of_the_course_has_its_digest():
    assert exercise_copies.read_manifest() == {
        one.folder.name: exercise_copies.digest_of(one.original) for one in lesson_index.lessons()
    }
