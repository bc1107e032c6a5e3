"""`lesson check`: a verdict in the terminal and as JSON."""

import json
import re

import pytest

from lessons.workshop.student import progress
from tests.support.lesson_command import lesson, solve


def test_a_red_exercise_shows_crosses_diagnosis_cure_and_transcript(course):
    shown = lesson("check", "1", code=1)

    claims = '  ✗ repeats text\n  ✗ closes on "bye"\n'
    assert shown.startswith(f"{claims}red  Lesson 1 lamp  exercise, ")
    assert "The handshake was never answered  no-accept\n" in shown
    assert "websocket.connect → Lamp.websocket_connect\n" in shown
    assert re.search(r"work/01_lamp\.py:6\n", shown)
    assert "  You see  Daphne logs nothing and drops" in shown
    assert "  Cause    websocket_connect returned" in shown
    assert "  Cure     Send websocket.accept" in shown
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
