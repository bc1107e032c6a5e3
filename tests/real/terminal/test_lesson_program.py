"""`manage.py lesson` as a program: exit codes, pipes, and a new lesson."""

import os
import tempfile

import pytest

from lessons.workshop.course import lesson_index
from tests.support.lesson_command import lesson
from tests.support.programs.processes import run, start


def manage(project, *arguments):
    return run(["manage.py", "lesson", *arguments], cwd=project)


@pytest.mark.parametrize(
    ("words", "code", "stdout", "stderr"),
    [
        ("check 1 --target solution", 0, "✓ repeats text", ""),
        ("check 1", 1, "✗ repeats text", ""),
        ("check 9", 2, "", "There is no lesson '9'"),
        ("chekc 1", 2, "", "Did you mean check?"),
        ("grade", 2, "", "required: folder"),
        ("check --help", 0, "usage: manage.py lesson check [", ""),
    ],
)
def test_ends_with_0_for_green_1_for_red_2_for_wrong_usage(project, words, code, stdout, stderr):
    done = manage(project, *words.split())
    assert done.returncode == code
    for text, found in ((stdout, done.stdout), (stderr, done.stderr)):
        assert text in found
        assert bool(text) is bool(found)
        assert "\x1b" not in found


@pytest.mark.parametrize("target, code", [("solution", 0), ("exercise", 1)])
def test_a_reader_that_ends_early_does_not_change_the_exit_code(project, target, code):
    ours, theirs = os.pipe()
    os.close(ours)
    with tempfile.TemporaryFile("w+") as stderr:
        words = ["manage.py", "lesson", "check", "1", "--target", target]
        process = start(words, cwd=project, stdout=theirs, stderr=stderr)
        os.close(theirs)
        assert process.wait() == code
        stderr.seek(0)
        assert stderr.read() == ""


@pytest.mark.parametrize("app", ["sync_demo", "async_demo"])
def test_a_new_lesson_lacks_only_its_todos_and_its_worked_example(course, app):
    lesson("new", "horn", "--app", app)
    lesson_index.lessons.cache_clear()
    assert lesson_index.find("horn").number == 4
    for name in ("lesson.md", "teach.md"):
        text = lesson_index.find("horn").path_to(name)
        text.write_text(text.read_text().replace("consumers.Horn", "consumers.Echo"))

    shown = lesson("verify", "horn", "--update", code=1)
    faults = [line.strip() for line in shown.splitlines() if line.startswith("      ")]
    files = [name for name in lesson_index.FILES if name != "exercise.py"]
    assert faults == [f"{name} has a TODO" for name in (*files, "test_04_horn.py")]
