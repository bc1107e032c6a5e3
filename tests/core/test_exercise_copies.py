"""An exercise can be had as it came, whatever the student did to it, and whatever git knows."""

import errno
import shutil
import subprocess
from pathlib import Path

import pytest

from lessons.core import catalogue, exercise_copies
from lessons.core.atomic_write import with_cure

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

STUDENT = "student@example.org"
COURSE = "course@example.org"


@pytest.fixture
def lesson(course):
    return course[0]


@pytest.fixture
def git(course, monkeypatch):
    """`git(author, *arguments)` in a clone in which the student's address is configured."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(author, *arguments):
        who = ["-c", f"user.email={author}", "-c", "user.name=Somebody"]
        subprocess.run(
            ["git", "-C", catalogue.PROJECT_DIR, *who, *arguments], check=True, capture_output=True
        )

    run(COURSE, "init", "-q", "-b", "main")
    run(COURSE, "config", "user.email", STUDENT)
    commit(run, COURSE)
    return run


def commit(git, author):
    git(author, "add", "lessons")
    git(author, "commit", "-q", "-m", "A change")


def edit(lesson, text="# mine\n"):
    lesson.exercise.write_text(text)


def test_an_untouched_exercise_is_its_own_stub(lesson):
    exercise_copies.keep_copies()

    assert exercise_copies.stub(lesson) == lesson.exercise


def test_without_git_the_copy_made_at_first_sight_is_the_stub(lesson):
    came = lesson.exercise.read_text()
    exercise_copies.keep_copies()
    edit(lesson)
    exercise_copies.keep_copies()

    assert exercise_copies.stub(lesson).read_text() == came


def test_restoring_brings_the_exercise_back(lesson):
    came = lesson.exercise.read_text()
    exercise_copies.keep_copies()
    edit(lesson)
    exercise_copies.restore(lesson)

    assert lesson.exercise.read_text() == came


def test_an_exercise_that_was_deleted_comes_back(lesson):
    came = lesson.exercise.read_text()
    exercise_copies.keep_copies()
    lesson.exercise.unlink()
    exercise_copies.restore(lesson)

    assert lesson.exercise.read_text() == came


def test_what_is_set_aside_twice_in_a_second_is_kept_twice(lesson):
    edit(lesson, "# one\n")
    first = exercise_copies.set_aside(lesson)
    edit(lesson, "# two\n")
    second = exercise_copies.set_aside(lesson)

    assert (first.read_text(), second.read_text()) == ("# one\n", "# two\n")
    assert first.parent == catalogue.PROJECT_DIR / ".workshop" / "set-aside"
    assert first.name.startswith("01_lamp-")


def test_a_full_disk_leaves_no_half_of_what_is_set_aside(lesson, monkeypatch):
    def fill(file, content):
        file.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    lesson.exercise.write_text("mine")
    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", fill)
        with pytest.raises(OSError, match="No space left on device") as error:
            exercise_copies.set_aside(lesson)
    aside = exercise_copies.state_dir() / "set-aside"
    assert list(aside.iterdir()) == []
    told = with_cure(error.value)
    assert f"'{aside}" in told
    assert told.endswith("Make room on its disk, then try again.")
    assert lesson.exercise.read_text() == "mine"


def test_says_where_it_looked_when_there_is_no_stub(lesson):
    edit(lesson)

    with pytest.raises(
        exercise_copies.NoStub, match="git does not know it, and there is no copy in"
    ):
        exercise_copies.stub(lesson)


@needs_git
def test_git_knows_an_exercise_that_was_edited_before_the_first_command(git, lesson):
    came = lesson.exercise.read_text()
    edit(lesson)
    exercise_copies.keep_copies()

    assert exercise_copies.stub(lesson).read_text() == came


@needs_git
def test_what_the_student_has_committed_is_not_the_stub(git, lesson):
    came = lesson.exercise.read_text()
    for text in ("# half\n", "# whole\n"):
        edit(lesson, text)
        commit(git, STUDENT)

    assert exercise_copies.stub(lesson).read_text() == came


@needs_git
def test_what_the_course_brings_later_is_the_stub(git, lesson):
    exercise_copies.keep_copies()
    edit(lesson, "# better\n")
    commit(git, COURSE)
    edit(lesson)

    assert exercise_copies.stub(lesson).read_text() == "# better\n"


@needs_git
def test_what_the_course_brings_beside_a_students_commit_is_the_stub(git, lesson):
    git(COURSE, "switch", "-q", "-c", "course")
    edit(lesson, "# better\n")
    commit(git, COURSE)
    git(STUDENT, "switch", "-q", "main")
    edit(lesson)
    commit(git, STUDENT)
    git(STUDENT, "merge", "-q", "-X", "ours", "course")
    assert lesson.exercise.read_text() == "# mine\n"

    assert exercise_copies.stub(lesson).read_text() == "# better\n"


@needs_git
def test_a_student_who_made_the_repository_from_a_download_has_the_stub(git, lesson):
    came = lesson.exercise.read_text()
    git(STUDENT, "commit", "-q", "--amend", "--reset-author", "-m", "The course as I got it")
    edit(lesson)
    commit(git, STUDENT)

    assert exercise_copies.stub(lesson).read_text() == came


@needs_git
def test_an_author_who_changes_the_lesson_with_its_exercise_has_the_new_stub(git, lesson):
    edit(lesson, "# better\n")
    lesson.check.write_text(lesson.check.read_text() + "\n# better too\n")
    commit(git, STUDENT)

    assert exercise_copies.stub(lesson) == lesson.exercise


@needs_git
def test_a_lesson_that_git_does_not_know_yet_falls_back_on_the_copy(git, course):
    shutil.copytree(course[0].folder, catalogue.COURSE_DIR / "04_new")
    catalogue.lessons.cache_clear()
    lesson = catalogue.find("new")
    came = lesson.exercise.read_text()
    exercise_copies.keep_copies()
    edit(lesson)

    assert exercise_copies.stub(lesson).read_text() == came
