"""The output of `manage.py lesson` suits every terminal width and a pipe."""

import io

import pytest

from lessons.workshop.course import lesson_index
from tests.support.lesson_command import Terminal, lesson

ESCAPE = "\x1b["


@pytest.mark.parametrize(("action", "code"), [("check", 1), ("list", 0)])
def test_no_line_is_wider_than_the_terminal(course, monkeypatch, action, code):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(lesson_index.PROJECT_DIR)

    arguments = [action] if action == "list" else [action, "1"]
    shown = lesson(*arguments, code=code, to=Terminal())
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("no_color", [None, "1"])
def test_a_terminal_gets_colour_unless_no_color_is_set(course, monkeypatch, no_color):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)

    assert (ESCAPE in lesson("check", "1", code=1, to=Terminal())) is not bool(no_color)


def test_a_file_of_another_encoding_gets_utf_8(course):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    lesson("check", "1", code=1, to=stdout)
    assert "  ✗ repeats text" in stdout.buffer.getvalue().decode()
