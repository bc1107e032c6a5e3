"""The workshop's judge: what it judges, what it lets be, and when it ends."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from lessons.core import exercise_copies, progress
from lessons.judge import judge_daemon, judge_status
from lessons.judge.judge_daemon import Watch
from lessons.judge.runner import CourseFault
from lessons.judge.verdict import Outcome, Verdict
from lessons.playback.target import resolve
from tests.support.programs.processes import start
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until


@pytest.fixture
def lamp(course):
    """A lesson that the student has not begun."""
    return course[0]


@pytest.fixture
def judged(monkeypatch):
    """The keys of the lessons that were judged, in order; none of them is run."""
    keys = []

    def judge(lesson):
        keys.append(lesson.key)
        digest = resolve(lesson).digest()
        return Verdict(lesson.key, "exercise", (Outcome("a", "A", "red"),), digest=digest)

    monkeypatch.setattr(judge_daemon, "judge", judge)
    return keys


def save(lesson, text):
    """As an editor does that writes another file and gives it the name."""
    new = lesson.exercise.with_name("exercise.py~")
    new.write_text(text)
    os.replace(new, lesson.exercise)


def test_what_is_saved_is_judged_and_the_verdict_kept(lamp, course):
    watch = Watch(course)
    save(lamp, lamp.solution.read_text())
    watch.look()
    assert progress.of(lamp).state == "green"
    assert set(progress.read()) == {lamp.key}


def test_a_touch_is_no_save(lamp, course, judged):
    watch = Watch(course)
    save(lamp, "# mine")
    watch.look()
    save(lamp, "# mine")
    watch.look()
    watch.look()
    assert judged == [lamp.key]


def test_what_was_saved_before_it_began_is_judged_at_once(lamp, course, judged):
    save(lamp, "# mine")
    Watch(course)
    Watch(course)
    assert judged == [lamp.key]


def test_what_a_terminal_has_judged_is_not_judged_again(lamp, course, judged):
    watch = Watch(course)
    save(lamp, "# mine")
    progress.keep_verdict(lamp, judge_daemon.judge(lamp))
    watch.look()
    assert judged == [lamp.key]


def test_an_exercise_put_back_as_it_came_is_not_begun(lamp, course, judged):
    watch = Watch(course)
    save(lamp, "# mine")
    watch.look()
    exercise_copies.reset_exercise(lamp)
    watch.look()
    assert judged == [lamp.key]
    assert progress.of(lamp).state == "new"


def test_a_verdict_on_what_was_put_back_meanwhile_is_not_kept(lamp, course, judged, monkeypatch):
    watch = Watch(course)
    save(lamp, "# mine")
    slow = judge_daemon.judge

    def judge(lesson):
        verdict = slow(lesson)
        exercise_copies.reset_exercise(lesson)
        return verdict

    monkeypatch.setattr(judge_daemon, "judge", judge)
    watch.look()
    watch.look()
    assert judged == [lamp.key]
    assert progress.of(lamp).state == "new"


def test_an_exercise_that_is_gone_is_waited_for(lamp, course, judged):
    watch = Watch(course)
    lamp.exercise.unlink()
    watch.look()
    assert judged == []
    save(lamp, "# mine")
    watch.look()
    assert judged == [lamp.key]


def test_a_fault_of_the_course_keeps_no_other_lesson_from_its_verdict(
    lamp, course, judged, monkeypatch, caplog
):
    watch = Watch(course)
    right = judge_daemon.judge

    def judge(lesson):
        if lesson == lamp:
            raise CourseFault("its checks are broken")
        return right(lesson)

    monkeypatch.setattr(judge_daemon, "judge", judge)
    for lesson in course[:2]:
        save(lesson, "# mine")
    watch.look()
    assert judged == [course[1].key]
    assert "Lesson 01-lamp could not be judged" in caplog.text
    assert not judge_status.is_judging(lamp)


def test_of_two_judges_one_is_at_work(lamp):
    assert not judge_status.is_there()
    with judge_status.acquire_lock():
        assert judge_status.is_there()
        assert judge_status.acquire_lock() is None
    assert not judge_status.is_there()


def test_says_whose_exercise_it_is_at_while_it_is_there(lamp, course):
    with judge_status.acquire_lock():
        judge_status.announce(lamp.key)
        assert [judge_status.is_judging(lesson) for lesson in course[:2]] == [True, False]
    assert not judge_status.is_judging(lamp)


@pytest.fixture
def owner():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_outlives_every_exercise_and_ends_with_its_owner(project, owner):
    exercise = project / "work" / "01_lamp.py"
    exercise.parent.mkdir()
    state = project / ".workshop"
    state.mkdir()
    judge = start(["-m", "lessons.judge.judge_daemon", owner.pid], cwd=project)
    try:
        for text, diagnosis in (
            ("import os; os._exit(0)", "process-died"),
            ("class Lamp(:", "syntax-error"),
            ("import sys; sys.exit()", "calls-exit"),
        ):
            exercise.write_text(text)
            wait_until(lambda name=diagnosis: name in text_of(state / "progress.json"))
        assert psutil.Process(judge.pid).num_threads() == 1
        owner.send_signal(signal.SIGTERM)  # and nobody waits for it: it is a zombie
        assert judge.wait(TEST_TIMEOUT) == 0
    finally:
        judge.kill()
        judge.wait()


def text_of(file):
    return file.read_text() if file.exists() else ""
