"""`manage.py lesson`: list, show, hint, reset, solution, new; and what it rejects."""

import json
import os
import tempfile

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.student import exercise_copies, progress
from tests.support.courses import DARK_LAMP
from tests.support.lesson_command import Terminal, lesson, refusal, solve
from tests.support.programs.processes import run, start


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


def test_the_list_includes_a_lesson_without_a_text(course):
    course[1].path_to("lesson.md").unlink()
    lesson_index.lessons.cache_clear()

    line = "·  2  bell    new  (incomplete: see lesson verify)"
    assert f"Unfinished lessons\n{line}" in lesson("list")


def test_the_list_puts_each_lesson_under_the_title_of_its_part(course):
    text = course[2].path_to("lesson.md")
    text.write_text(text.read_text().replace("minutes:", "part: wild\nminutes:"))
    lesson_index.lessons.cache_clear()

    lines = lesson("list").splitlines()
    assert lines[0] == "The events of a connection"
    assert (lines[3], lines[4].split()[1]) == ("In the wild", "3")


def test_show_prints_the_text_with_the_code_in_it(course):
    text = course[0].path_to("lesson.md")
    text.write_text(text.read_text() + "\n```code sync_demo.consumers.Echo\n```\n")

    shown = lesson("show", "lamp")
    assert "# A lamp" in shown
    assert "class Echo(SyncConsumer):" in shown
    assert "work/01_lamp.py" in shown


def test_show_draws_markdown_on_a_terminal(course):
    shown = lesson("show", "1", to=Terminal())

    assert "# A lamp" not in shown
    assert "A lamp" in shown


def test_show_rejects_a_text_whose_code_does_not_exist(course):
    text = course[0].path_to("lesson.md")
    text.write_text(text.read_text() + "\n```code sync_demo.consumers.Gone\n```\n")

    assert "sync_demo.consumers.Gone" in refusal("show", "1")


def test_each_hint_is_followed_by_the_number_of_those_left(course):
    first, second, third, fourth = (lesson("hint", "1") for _ in range(4))

    assert first.startswith("Hint 1 of 3\n\nBegin with `websocket_connect`.")
    assert "Left: 2." in first
    assert second.startswith("Hint 2 of 3\n\nSend `websocket.accept`.")
    assert "Left: 1." in second
    assert third.startswith("Hint 3 of 3")
    assert "No hint is left." in third
    assert fourth == third


def test_reset_restores_the_original_and_keeps_the_students_version(course):
    solve(course[0])
    lesson("check", "1")

    shown = lesson("reset", "1")
    (backup,) = course[0].exercise.parent.glob("01_lamp.*.py")
    assert str(backup.relative_to(lesson_index.PROJECT_DIR)) in shown
    assert backup.read_text() == course[0].solution.read_text()
    assert course[0].exercise.read_text() == course[0].original.read_text()
    assert progress.of(course[0]) == progress.Progress("new", was_green=True)


def test_reset_of_an_unedited_exercise_does_nothing(course):
    assert "Nothing was done." in lesson("reset", "1")
    assert len(list(course[0].exercise.parent.iterdir())) == len(course)


def test_reset_says_when_the_original_is_lost(course):
    course[0].original.unlink()
    solve(course[0])

    assert "Take the file from a fresh download" in refusal("reset", "1")


def test_reset_does_not_take_an_edit_for_the_lost_original(course):
    exercise_copies.update_manifest(course)
    solve(course[0])
    course[0].original.write_text(course[0].solution.read_text())

    assert "Take the file from a fresh download" in refusal("reset", "1")
    assert course[0].exercise.read_text() == course[0].solution.read_text()


def test_list_show_and_check_say_that_an_edited_exercise_has_changed(course):
    solve(course[0])
    course[0].original.write_text(DARK_LAMP + "# better\n")
    exercise_copies.update_manifest(course)

    notice = "The exercise of lesson 1 has changed since you began."
    assert all(notice in lesson(*words) for words in (["list"], ["show", "1"], ["check", "1"]))
    lesson("reset", "1")
    assert notice not in lesson("list")
    assert course[0].exercise.read_text().endswith("# better\n")


def test_the_solution_is_hidden_until_green(course):
    shown = lesson("solution", "1", code=1)

    assert "class Lamp" not in shown
    assert "manage.py lesson solution 1 --force" in shown


def test_the_solution_is_shown_after_green_even_when_it_is_red_again(course):
    solve(course[0])
    lesson("check", "1")
    course[0].exercise.write_text("")
    lesson("check", "1", code=1)

    assert lesson("solution", "1") == course[0].solution.read_text()


def test_the_solution_is_shown_with_force_and_the_lesson_counts_as_read(course):
    assert lesson("solution", "1", "--force") == course[0].solution.read_text()
    assert lesson("solution", "1") == course[0].solution.read_text()
    shown = lesson("list")
    assert "lamp    read" in shown
    assert "manage.py lesson watch 2" in shown


def test_new_creates_the_files_of_the_next_lesson(course):
    shown = lesson("new", "big_horn")
    lesson_index.lessons.cache_clear()

    made = lesson_index.find("big_horn")
    assert made.number == 4
    assert {file.name for file in made.folder.iterdir()} == set(lesson_index.FILES)
    assert made.exercise_name == "BigHorn"
    assert len(made.hints) == 3
    assert "04_big_horn" in shown


def files_of(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("app", ["sync_demo", "async_demo"])
def test_undo_deletes_the_files_that_new_has_created(course, app):
    exercise_copies.update_manifest(course)
    lesson("list")
    folders = [
        lesson_index.COURSE_DIR,
        course[0].exercise.parent,
        lesson_index.PROJECT_DIR / "tests",
    ]
    before = list(map(files_of, folders))
    lesson("new", "big_horn", "--app", app)
    lesson_index.lessons.cache_clear()
    exercise_copies.update_manifest([lesson_index.find("big_horn")])
    lesson("list")  # makes a copy of the new exercise
    assert list(map(files_of, folders)) != before

    assert "Deleted" in lesson("new", "big_horn", "--undo")
    assert list(map(files_of, folders)) == before


def test_undo_deletes_nothing_that_is_edited(course):
    lesson("new", "horn")
    lesson_index.lessons.cache_clear()
    made = lesson_index.find("horn")
    made.check.write_text(made.check.read_text() + "# mine\n")
    (made.folder / "notes.txt").write_text("mine")
    before = files_of(made.folder)

    said = refusal("new", "horn", "--undo")
    assert said.startswith("Nothing was deleted, because these are edited: ")
    assert all(name in said for name in ("/check.py", "/notes.txt"))
    assert "solution.py" not in said
    assert files_of(made.folder) == before


def test_undo_deletes_no_lesson_of_the_course(course):
    before = files_of(course[0].folder)
    assert "Nothing was deleted" in refusal("new", "lamp", "--undo")
    assert files_of(course[0].folder) == before


def test_verify_finds_a_new_lesson_incomplete(course):
    lesson("new", "horn")
    lesson_index.lessons.cache_clear()

    shown = lesson("verify", "horn", "--update", code=1)
    assert shown.startswith("✗  4  horn")
    assert "the worked example sync_demo.consumers.Horn does not exist" in shown


@pytest.mark.parametrize("app", ["sync_demo", "async_demo"])
def test_a_new_lesson_lacks_only_its_todos_and_its_worked_example(course, app):
    lesson("new", "horn", "--app", app)
    lesson_index.lessons.cache_clear()
    for name in ("lesson.md", "teach.md"):
        text = lesson_index.find("horn").path_to(name)
        text.write_text(text.read_text().replace("consumers.Horn", "consumers.Echo"))

    shown = lesson("verify", "horn", "--update", code=1)
    faults = [line.strip() for line in shown.splitlines() if line.startswith("      ")]
    files = [name for name in lesson_index.FILES if name != "exercise.py"]
    assert faults == [f"{name} has a TODO" for name in (*files, "test_04_horn.py")]


def test_new_rejects_an_app_that_is_not_a_demo(course):
    assert "is not a demo app: sync_demo, async_demo" in refusal("new", "horn", "--app", "x")


@pytest.mark.parametrize("slug", ["Horn", "1horn", "a-b", "../x", "", "_x", "hörn"])
def test_new_rejects_what_is_not_a_slug(course, slug):
    assert "is not a slug" in refusal("new", slug)


def test_new_rejects_a_slug_that_is_taken(course):
    assert "There is a lesson lamp already" in refusal("new", "lamp")


@pytest.mark.parametrize(
    "action", ["show", "check", "watch", "hint", "reset", "solution", "mistakes", "verify"]
)
def test_an_unknown_lesson_is_rejected_with_a_list_of_lessons(course, action):
    assert refusal(action, "9") == ("There is no lesson '9'. There are: 1 lamp, 2 bell, 3 buzzer.")


def test_the_closest_slug_and_action_are_suggested(course, project):
    assert "no lesson 'buzer'. Did you mean buzzer? There are:" in refusal("show", "buzer")
    assert manage(project, "shwo", "1").stderr.rstrip().endswith("Did you mean show?")


def test_a_target_needs_a_lesson(course):
    assert refusal("check", "--target", "my stamp.py") == (
        "Which lesson is my stamp.py for? Such as: "
        "python3 manage.py lesson check 1 --target 'my stamp.py'"
    )


@pytest.mark.parametrize("target", ["nix", "mistake:Nix", "mistake:"])
def test_an_unknown_target_is_rejected(course, target):
    refusal("check", "1", "--target", target)


def test_a_junit_file_that_cannot_be_written_is_rejected(course, tmp_path):
    assert "Cannot write" in refusal("check", "1", "--junit", str(tmp_path))


def test_a_lesson_without_a_front_matter_is_rejected(course):
    course[0].path_to("lesson.md").write_text("# A lamp\n")

    assert "front matter" in refusal("check", "1")


def manage(project, *arguments):
    return run(["manage.py", "lesson", *arguments], cwd=project)


def test_exit_codes_are_0_for_green_1_for_red_2_for_wrong_usage(project):
    green = manage(project, "check", "1", "--target", "solution")
    red = manage(project, "check", "1")
    unknown = manage(project, "check", "9")
    misspelt = manage(project, "chekc", "1")

    assert [done.returncode for done in (green, red, unknown, misspelt)] == [0, 1, 2, 2]
    assert green.stderr == red.stderr == ""
    assert unknown.stdout == misspelt.stdout == ""
    assert len(unknown.stderr.splitlines()) == 1
    assert "invalid choice: 'chekc'" in misspelt.stderr


def test_a_pipe_gets_plain_text(project):
    done = manage(project, "check", "1")

    assert "✗ repeats text" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("words", [["--force-color", "check"], ["check", "--force-color"]])
def test_the_options_for_colours_stand_before_the_action_or_after_it(project, words, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in manage(project, *words, "1").stdout
    assert "\x1b[" not in manage(project, "check", "1", "--no-color").stdout


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


def test_a_student_who_edited_the_original_loses_nothing(project):
    lesson = project / "lessons" / "01_lamp"
    stub = project / ".workshop" / "stubs" / "01_lamp.py"
    stub.parent.mkdir(parents=True)
    stub.write_text(DARK_LAMP)  # as an earlier workshop saved it at its first start
    edited = (lesson / "solution.py").read_text() + "# mine\n"
    (lesson / "exercise.py").write_text(edited)

    done = manage(project, "check", "1")
    assert done.returncode == 0
    assert "\ngreen  Lesson 1" in done.stdout
    assert "exercise.py is now work/01_lamp.py: edit it there." in done.stderr
    assert (project / "work" / "01_lamp.py").read_text() == edited
    assert (lesson / "exercise.py").read_text() == DARK_LAMP
    assert manage(project, "check", "1").stderr == ""


def test_teach_without_a_lesson_prints_the_plans_for_a_class():
    shown = lesson("teach")
    assert "One day\n" in shown
    assert "Two half days\n" in shown
    assert "lesson teach 1" in shown


@pytest.mark.parametrize("action", ["reset", "check", "show"])
def test_an_empty_name_is_not_the_next_lesson(course, action):
    solve(course[0])
    assert "There is no lesson" in refusal(action, "")
    assert course[0].exercise.read_text() == course[0].solution.read_text()


@pytest.mark.parametrize("slug", ["none", "true", "false"])
def test_new_refuses_a_slug_whose_class_python_does_not_allow(course, slug):
    assert f"class {slug.title()}" in refusal("new", slug)


def test_undo_names_a_file_that_is_not_text(course):
    lesson("new", "horn")
    lesson_index.lessons.cache_clear()
    lesson_index.find("horn").path_to("hints.md").write_bytes(b"\xff")

    assert "hints.md" in refusal("new", "horn", "--undo")


@pytest.mark.parametrize("action", ["check", "grade"])
def test_the_usage_of_an_action_is_a_command(project, action):
    shown = run(["manage.py", "lesson", action, "--help"], cwd=project).stdout
    assert shown.startswith(f"usage: manage.py lesson {action} [")


def test_grade_requires_a_folder_only(project):
    refused = run(["manage.py", "lesson", "grade"], cwd=project)
    assert refused.returncode == 2
    assert refused.stderr.rstrip().endswith("required: folder")


@pytest.mark.parametrize("action", ["check", "mistakes", "verify"])
def test_ctrl_c_ends_an_action_with_130(course, monkeypatch, action):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("lessons.workshop.terminal.check.judge", interrupt)
    monkeypatch.setattr("lessons.workshop.terminal.verify.verify_lesson", interrupt)
    with pytest.raises(SystemExit) as ended:
        lesson(action, "1")
    assert ended.value.code == 130


@pytest.fixture
def survivors(course, tmp_path, monkeypatch):
    """The file with the mutants that nothing caught the last time."""
    monkeypatch.setattr("lessons.workshop.terminal.verify.state_dir", lambda: tmp_path)
    return tmp_path / "survivors.json"


def test_verify_refuses_to_run_survivors_that_are_not_known(course, survivors):
    assert "run --mutants first" in refusal("verify", "--survivors")
    survivors.write_text('{"another": []}')
    assert "run --mutants first" in refusal("verify", "1", "--survivors")


def test_verify_reports_and_keeps_a_survivor_that_does_not_exist(course, survivors):
    names = {course[0].key: ["Lamp: no such change"]}
    survivors.write_text(json.dumps(names))
    shown = lesson("verify", "1", "--survivors", code=1)
    assert "no mutant has this name now: Lamp: no such change" in shown
    assert json.loads(survivors.read_text()) == names


def test_verify_keeps_the_survivors_of_a_lesson_whose_mutants_did_not_run(course, survivors):
    names = {course[0].key: ["Lamp: a change"]}
    survivors.write_text(json.dumps(names))
    course[0].path_to("hints.md").unlink()
    lesson("verify", "1", "--mutants", code=1)
    assert json.loads(survivors.read_text()) == names
