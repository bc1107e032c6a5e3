"""The sandbox says what it cannot do, and judges as the usual process does."""

import warnings
from dataclasses import replace

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process import child_process
from lessons.workshop.grading import judging
from lessons.workshop.grading import sandbox as sandbox_module
from lessons.workshop.grading.judging import NOT_JUDGED
from lessons.workshop.grading.sandbox import Sandbox, find_sandbox
from lessons.workshop.judge.runner import judge
from tests.support.submissions import WITHOUT_BUBBLEWRAP, bubblewrap, judge_code, judge_content


@pytest.fixture
def forks(monkeypatch):
    """The judging process is a copy of this one, so it has what a test has replaced.

    If earlier tests have left threads behind, it would be started in another way.
    """
    monkeypatch.setattr(child_process, "start_method", lambda: "fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads
        yield


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Replaces `bwrap` by a shell script, or by nothing."""

    def replace(script: str | None) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        if script is not None:
            file = tmp_path / "bwrap"
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
        find_sandbox.cache_clear()

    yield replace
    find_sandbox.cache_clear()


def test_judges_a_lesson_with_a_database_as_the_usual_process_does():
    lesson = find("replay")
    usual = judge(lesson, str(lesson.original))
    found = judge_content(lesson.original.read_bytes(), bubblewrap(), lesson)
    assert found.state == "red"
    assert [it.state for it in found.verdict.outcomes] == [it.state for it in usual.outcomes]
    assert found.verdict.diagnosis_ids == usual.diagnosis_ids


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        (None, ["There is no bubblewrap on this machine."]),
        (
            "echo 'bwrap: No permissions to create new namespace' >&2; exit 1",
            ["bwrap: No permissions to create new namespace."],
        ),
    ],
)
def test_the_warning_says_why_bubblewrap_does_not_work(program, script, texts):
    program(script)
    found = find_sandbox()
    assert not found.uses_bubblewrap
    for text in (*texts, "in a container: see lessons/guides/grading.md"):
        assert text in found.warning


def test_a_sandbox_that_does_not_start_is_neither_green_nor_red(program, forks):
    program("echo 'bwrap: Can'\"'\"'t mount proc' >&2; exit 1")
    found = judge_code("", Sandbox(True))
    assert (found.state, found.reason) == (NOT_JUDGED, judging.SANDBOX_FAILED)
    assert found.detail == "bwrap: Can't mount proc"
    assert found.verdict is None


def test_a_sandbox_without_memory_for_the_player_is_neither_green_nor_red(monkeypatch, forks):
    limits = replace(sandbox_module.SUBMISSION, memory=40 * 1024**2)
    monkeypatch.setattr(sandbox_module, "SUBMISSION", limits)
    found = judge_code("", bubblewrap())
    assert (found.state, found.reason) == (NOT_JUDGED, judging.SANDBOX_FAILED)


def test_a_judge_that_fails_is_neither_green_nor_red(monkeypatch, forks):
    def fail(*_, **__):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(judging, "judge", fail)
    found = judge_code("", WITHOUT_BUBBLEWRAP)
    assert (found.state, found.reason) == (NOT_JUDGED, judging.JUDGE_FAILED)
    assert found.detail == "ZeroDivisionError: broken"


def test_a_sandbox_without_root_has_its_own_users(monkeypatch):
    monkeypatch.setattr(sandbox_module.os, "getuid", lambda: 1000)
    assert "--unshare-user" in sandbox_module._bubblewrap([])
    assert "--cap-add" not in sandbox_module._bubblewrap([])
