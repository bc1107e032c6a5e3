"""`lesson check`: a verdict in a terminal of any width, in a pipe, and as JSON."""

import io
import json
import re

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.student import progress
from tests.support.lesson_command import Terminal, lesson, solve


def test_a_red_exercise_shows_crosses_diagnosis_cure_and_transcript(course):
    shown = lesson("check", "1", code=1)

    claims = '  ✗ repeats text\n  ✗ closes on "bye"\n'
    assert shown.startswith(f"{claims}red  Lesson 1 lamp  exercise, ")
    assert "The handshake was never answered  no-accept\n" in shown
    assert "websocket.connect → Lamp.websocket_connect\n" in shown
    assert re.search(r"work/01_lamp\.py:6\n", shown)
    assert "  You see  Daphne logs nothing and drops" in shown
    assert "  Usually  websocket_connect returned" in shown
    assert "  If so    Send websocket.accept" in shown
    assert re.search(r"Transcript: repeats text\n +1  client +→ scope  /ws/lamp/\n", shown)
    assert shown.endswith("Stuck?  python3 manage.py lesson hint 1\n")


def test_a_green_exercise_shows_ticks_and_the_next_lesson(course):
    solve(course[0])

    shown = lesson("check", "1")
    claims = '  ✓ repeats text\n  ✓ closes on "bye"\n'
    assert shown.startswith(f"{claims}green  Lesson 1 lamp  exercise, ")
    assert "manage.py lesson solution 1\n" in shown
    assert shown.endswith("manage.py lesson show 2\n")


@pytest.mark.parametrize(
    ("target", "code"), [("solution", 0), ("mistake:AlwaysRepeats", 1), ("a path", 1)]
)
def test_does_not_save_a_verdict_on_another_target(course, target, code):
    target = str(course[0].exercise) if target == "a path" else target
    lesson("check", "1", "--target", target, code=code)

    assert progress.of(course[0]).state == "new"


def test_shows_printed_text_cut_and_without_control_characters(course):
    flood = 'print("\\x1b[2J bell \\a")\nfor n in range(40):\n    print(n)\n'
    course[0].exercise.write_text(flood + course[0].solution.read_text())

    shown = lesson("check", "1")
    assert "Printed by your code\n  �[2J bell �\n  0\n" in shown
    assert re.search(r"  13\n  \[\d+ more lines: --json has them\]\n", shown)
    assert "\x1b" not in shown


def test_json_holds_the_verdict(course):
    shown = json.loads(lesson("check", "1", "--json", code=1))

    assert (shown["lesson"], shown["target"], shown["green"]) == ("01-lamp", "exercise", False)
    assert [outcome["state"] for outcome in shown["outcomes"]] == ["red", "red"]
    kept = progress.of(course[0])
    assert kept.state == "red"
    assert kept.verdict["outcomes"][0]["finding"]["diagnosis"] == "no-accept"


@pytest.mark.parametrize(("words", "code"), [("check 1", 1), ("list", 0)])
def test_no_line_is_wider_than_the_terminal(course, monkeypatch, words, code):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(lesson_index.PROJECT_DIR)
    shown = lesson(*words.split(), code=code, to=Terminal())
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_colour_unless_no_color_is_set(course, monkeypatch, no_color):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    shown = lesson("check", "1", code=1, to=Terminal())
    assert ("\x1b[" in shown) is not bool(no_color)


def test_a_file_of_another_encoding_gets_utf_8(course):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    lesson("check", "1", code=1, to=stdout)
    assert "  ✗ repeats text" in stdout.buffer.getvalue().decode()
