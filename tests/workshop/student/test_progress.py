"""Progress survives restarts, damage, concurrent writers and read-only folders."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import progress


def verdict(state):
    return Verdict("01-lamp", "exercise", (Outcome("test_it", "it works", state),))


@pytest.fixture
def file(fresh_course):
    """The path of the progress file. Its folder exists, the file does not."""
    progress.state_dir().mkdir()
    return progress.state_dir() / "progress.json"


def test_a_lesson_that_was_not_begun_is_new(fresh_course):
    assert progress.of(fresh_course[0]) == progress.Progress("new", False, 0, None)


def test_progress_follows_a_lesson_whose_number_has_changed(fresh_course):
    for lesson in fresh_course[:2]:
        progress.save_verdict(lesson, verdict("green"))
    for lesson, name in ((fresh_course[1], "03_bell"), (fresh_course[2], "02_buzzer")):
        lesson.folder.rename(lesson.folder.with_name(name))
    lesson_index.lessons.cache_clear()

    assert progress.of(lesson_index.find("bell")).state == "green"
    assert progress.of(lesson_index.find("buzzer")).state == "new"
    assert progress.next_lesson().key == "02-buzzer"
    progress.show_hint(lesson_index.find("bell"))
    assert json.loads(progress.file().read_text()).keys() == {"01-lamp", "03-bell"}


def test_a_reset_forgets_everything_else(fresh_course):
    progress.save_verdict(fresh_course[0], verdict("green"))
    progress.show_hint(fresh_course[0])
    progress.reset_progress(fresh_course[0])

    assert progress.of(fresh_course[0]) == progress.Progress("new", True, 0, None)


def test_next_is_the_first_lesson_that_is_neither_green_nor_read_or_the_last_one(fresh_course):
    lamp, bell, buzzer = fresh_course
    assert progress.next_lesson() == lamp
    progress.save_verdict(lamp, verdict("green"))
    progress.save_verdict(bell, verdict("red"))
    assert progress.next_lesson() == bell
    progress.show_solution(bell)
    assert progress.next_lesson() == buzzer
    progress.save_verdict(buzzer, verdict("green"))
    assert progress.next_lesson() == buzzer


def test_the_last_verdict_is_saved_and_a_green_one_is_remembered(fresh_course):
    for state in ("green", "red"):
        progress.save_verdict(fresh_course[0], verdict(state))
    kept = progress.of(fresh_course[0])
    assert (kept.state, kept.was_green) == ("red", True)
    assert kept.verdict == verdict("red").as_json()
    progress.show_solution(fresh_course[0])
    assert progress.of(fresh_course[0]).standing == "red"


def test_a_lesson_is_read_once_its_solution_was_shown_and_solved_once_it_is_green(fresh_course):
    lesson = fresh_course[0]
    progress.show_solution(lesson)
    assert progress.of(lesson).standing == "read"
    progress.save_verdict(lesson, verdict("red"))
    assert (progress.of(lesson).standing, progress.of(lesson).state) == ("read", "red")
    progress.save_verdict(lesson, verdict("green"))
    progress.save_verdict(lesson, verdict("red"))
    assert progress.of(lesson).standing == "red"


def test_a_lesson_that_the_course_no_longer_has_keeps_its_progress(fresh_course, file):
    file.write_text(json.dumps({"09-gone": {"state": "green", "was_green": True}}))
    progress.show_hint(fresh_course[0])

    assert json.loads(file.read_text())["09-gone"]["state"] == "green"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b'{"01-lamp": {"state": "gre',
        b"\xff\xfe\x00",
        b"[]",
        b'{"01-lamp": 3}',
        b'{"01-lamp": {"state": "blue"}}',
        b'{"01-lamp": {"verdict": "green"}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_renamed_with_one_warning(fresh_course, file, caplog, damaged):
    file.write_bytes(damaged)

    assert progress.show_hint(fresh_course[0]) == 1

    (damaged_file,) = file.parent.glob("progress.json.damaged-*")
    assert damaged_file.read_bytes() == damaged
    assert json.loads(file.read_text())["01-lamp"]["hints"] == 1
    assert len(caplog.messages) == 1
    assert "was damaged. It is now progress.json.damaged-" in caplog.messages[0]


def test_concurrent_writers_lose_nothing(fresh_course):
    def write(number):
        progress.save_verdict(fresh_course[number % 3], verdict("green"))
        progress.show_hint(fresh_course[number % 3])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(9)))

    assert [progress.of(lesson).hints for lesson in fresh_course] == [3, 3, 3]
    assert all(progress.of(lesson).was_green for lesson in fresh_course)


def test_a_folder_that_cannot_be_written_gives_one_warning(fresh_course, caplog):
    (lesson_index.PROJECT_DIR / ".workshop").write_text("a file where the folder should be")

    progress.save_verdict(fresh_course[0], verdict("green"))
    progress.save_verdict(fresh_course[0], verdict("red"))
    assert progress.of(fresh_course[0]).state == "new"

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("Your progress cannot be saved: ")
