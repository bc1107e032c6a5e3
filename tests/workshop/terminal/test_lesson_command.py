"""`manage.py lesson`: list, show, hint, reset, solution, new; and what it rejects."""

import pytest

from lessons.workshop.course import lesson_index
from tests.support.courses import DARK_LAMP
from tests.support.lesson_command import lesson, refusal, solve


def test_without_an_action_the_lessons_are_listed(course):
    assert lesson() == lesson("list")
    assert lesson() == (
        "The events of a connection\n"
        "·  1  lamp    new  A lamp\n"
        "·  2  bell    new  A lamp\n"
        "·  3  buzzer  new  A lamp\n"
        "\n"
        "Read it:   python3 manage.py lesson show 1\n"
        "Do it:     python3 manage.py lesson watch 1\n"
    )


def test_the_list_shows_states_and_hints(course):
    solve(course[0])
    lesson("check", "1")
    lesson("hint", "2")
    lesson("check", "2", code=1)

    _, first, second, *_ = lesson("list").splitlines()
    assert first.split() == ["✓", "1", "lamp", "green", "A", "lamp"]
    assert second.split() == ["✗", "2", "bell", "red,", "1", "hint", "A", "lamp"]


def test_show_prints_the_text_with_the_code_in_it(course):
    text = course[0].path_to("lesson.md")
    text.write_text(text.read_text() + "\n```code sync_demo.consumers.Echo\n```\n")

    shown = lesson("show", "lamp")
    assert "# A lamp" in shown
    assert "class Echo(SyncConsumer):" in shown
    assert "work/01_lamp.py" in shown


def test_each_hint_is_followed_by_the_number_of_those_left(course):
    shown = [lesson("hint", "1") for _ in range(4)]
    assert shown[0].startswith("Hint 1 of 3\n\nBegin with `websocket_connect`.")
    lefts = ("Left: 2.", "Left: 1.", "No hint is left.", "No hint is left.")
    assert all(left in one for left, one in zip(lefts, shown, strict=True))


def test_list_show_and_check_say_that_an_edited_exercise_has_changed(course):
    solve(course[0])
    course[0].original.write_text(DARK_LAMP + "# better\n")

    notice = "The exercise of lesson 1 has changed since you began."
    assert all(notice in lesson(*words) for words in (["list"], ["show", "1"], ["check", "1"]))
    shown = lesson("reset", "1")
    (backup,) = course[0].exercise.parent.glob("01_lamp.*.py")
    assert str(backup.relative_to(lesson_index.PROJECT_DIR)) in shown
    assert notice not in lesson("list")
    assert course[0].exercise.read_text().endswith("# better\n")


def test_the_solution_is_hidden_until_green_and_shown_even_when_it_is_red_again(course):
    assert "manage.py lesson solution 1 --force" in lesson("solution", "1", code=1)
    solve(course[0])
    lesson("check", "1")
    course[0].exercise.write_text("")
    lesson("check", "1", code=1)

    assert lesson("solution", "1") == course[0].solution.read_text()
    assert lesson("solution", "2", "--force") == course[1].solution.read_text()


def files_of(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def no_text(course):
    course[0].path_to("lesson.md").write_text("# A lamp\n")


def unknown_code(course):
    text = course[0].path_to("lesson.md")
    text.write_text(text.read_text() + "\n```code sync_demo.consumers.Gone\n```\n")


def no_original(course):
    course[0].original.unlink()
    solve(course[0])


UNKNOWN = "There is no lesson '9'. There are: 1 lamp, 2 bell, 3 buzzer."
REFUSED = [  # what has changed in the course, the words of the command, and the reason
    *((None, f"{it} 9", UNKNOWN) for it in ("show", "verify")),
    (None, "show buzer", "no lesson 'buzer'. Did you mean buzzer? There are:"),
    (None, "check --target my_stamp.py", "Which lesson is my_stamp.py for? Such as: "),
    (None, "check 1 --target nix", "nix"),
    (None, "check 1 --target mistake:Nix", "Nix"),
    (None, "new horn --app x", "is not a demo app: sync_demo, async_demo"),
    *((None, f"new {slug}", "is not a slug") for slug in ("Horn", "1horn", "a-b", "../x", "hörn")),
    (None, "new lamp", "There is a lesson lamp already"),
    (None, "new none", "is not a slug"),
    (no_text, "check 1", "front matter"),
    (unknown_code, "show 1", "sync_demo.consumers.Gone"),
    (no_original, "reset 1", "No such file or directory"),
]


@pytest.mark.parametrize("change, words, reason", REFUSED)
def test_refuses_wrong_usage_in_one_line_and_changes_nothing(course, change, words, reason):
    if change:
        change(course)
    before = files_of(lesson_index.COURSE_DIR)
    assert reason in refusal(*words.split())
    assert files_of(lesson_index.COURSE_DIR) == before


@pytest.mark.parametrize("action", ["check", "verify"])
def test_ctrl_c_ends_an_action_with_130(course, monkeypatch, action):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("lessons.workshop.terminal.check.judge", interrupt)
    monkeypatch.setattr("lessons.workshop.terminal.verify.verify_lesson", interrupt)
    with pytest.raises(SystemExit) as ended:
        lesson(action, "1")
    assert ended.value.code == 130
