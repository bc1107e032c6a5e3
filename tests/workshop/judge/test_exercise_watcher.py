"""The judge of saved exercises: what it judges, what it skips, what it reports."""

import os

import pytest

from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.daemon import exercise_watcher, judge_client
from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge
from lessons.workshop.judge.daemon.judge_client import JudgeUnavailable
from lessons.workshop.judge.daemon.judge_daemon import Client
from lessons.workshop.judge.runner import CourseError
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import exercise_copies, progress


@pytest.fixture
def lamp(course):
    """A lesson that the student has not begun."""
    return course[0]


@pytest.fixture
def judged(monkeypatch):
    """The keys of the lessons that were judged, in order; the checks do not run."""
    keys = []

    def judge(lesson, on_claims=None):
        keys.append(lesson.key)
        digest = resolve(lesson).digest()
        return Verdict(lesson.key, "exercise", (Outcome("a", "A", "red"),), digest=digest)

    monkeypatch.setattr(exercise_watcher, "judge", judge)
    return keys


@pytest.fixture
def messages():
    """What the judge has reported."""
    return []


@pytest.fixture
def start(course, messages):
    """`start()`: a judge that has judged what had no verdict."""

    def start_it():
        judge = ExerciseJudge(course, messages.append)
        judge.judge_unjudged()
        return judge

    return start_it


@pytest.fixture(autouse=True)
def looks_at_all_exercises_every_time(monkeypatch):
    monkeypatch.setattr(exercise_watcher, "POLL_INTERVAL", 0)


def save(lesson, text):
    """Save as an editor that writes another file and renames it."""
    new = lesson.exercise.with_name("exercise.py~")
    new.write_text(text)
    os.replace(new, lesson.exercise)


def test_reports_the_verdict_and_the_progress_between_begin_and_end(lamp, start, judged, messages):
    judge = start()
    save(lamp, "# mine")
    judge.look()
    begin, verdict, changed, end = messages
    assert begin == {"judging": "01-lamp"}
    assert verdict["lesson"] == "01-lamp"
    assert Verdict.from_json(verdict["verdict"]) == exercise_watcher.judge(lamp)
    assert changed["progress"]["01-lamp"]["state"] == "red"
    assert end == {"judging": None}


@pytest.mark.parametrize(("is_watched", "times"), [(False, 1), (True, 2)])
def test_judges_a_save_without_a_change_only_if_it_is_watched(
    lamp, start, judged, is_watched, times
):
    judge = start()
    judge.watched = {lamp.key} if is_watched else set()
    for _ in range(2):
        save(lamp, "# mine")
        judge.look()
    judge.look()
    assert judged == [lamp.key] * times


def test_judges_a_requested_exercise_once(course, start, judged):
    judge = start()
    judge.request("02-bell")
    judge.look()
    judge.look()
    assert judged == ["02-bell"]


def test_skips_what_a_terminal_has_judged_and_reports_its_progress(lamp, start, judged, messages):
    judge = start()
    save(lamp, "# mine")
    progress.save_verdict(lamp, exercise_watcher.judge(lamp))
    judge.look()
    assert judged == [lamp.key]
    [message] = messages
    assert message["progress"]["01-lamp"]["state"] == "red"


class Killed(BaseException):
    """Ends a judge: nothing that would clean up runs."""


@pytest.fixture
def deaths(judged, monkeypatch):
    """`deaths(2)`: the next judges end during a verdict. Returns what they were judging."""

    def kill(lesson, on_claims=None):
        judged.append(lesson.key)
        raise Killed

    def end_judges(start, count):
        with monkeypatch.context() as patch:
            patch.setattr(exercise_watcher, "judge", kill)
            patch.setattr(exercise_watcher, "_forget_attempts", lambda lesson: None)
            for _ in range(count):
                with pytest.raises(Killed):
                    start()
        judged.clear()

    return end_judges


def test_a_version_that_has_ended_two_judges_is_red_and_runs_only_if_it_is_saved_again(
    lamp, start, deaths, judged
):
    save(lamp, "# mine")
    deaths(start, 2)
    judge = start()
    saved = progress.of(lamp)
    assert (saved.state, saved.verdict["problem"]["diagnosis"]) == ("red", "judge-ended")
    judge.request(lamp.key)  # as a terminal that has connected again
    judge.look()
    assert judged == []
    judge.watched = {lamp.key}
    save(lamp, "# mine")
    judge.look()
    assert judged == [lamp.key]


def test_does_not_save_the_verdict_if_the_exercise_was_reset_during_the_checks(
    lamp, start, judged, monkeypatch
):
    judge = start()
    save(lamp, "# mine")
    slow = exercise_watcher.judge

    def judge_and_reset(lesson, **options):
        verdict = slow(lesson, **options)
        exercise_copies.reset_exercise(lesson)
        return verdict

    monkeypatch.setattr(exercise_watcher, "judge", judge_and_reset)
    judge.look()
    judge.look()
    assert judged == [lamp.key]
    assert progress.of(lamp).state == "new"


def test_a_fault_of_the_course_is_reported_and_the_other_lessons_are_judged(
    lamp, course, start, judged, messages, monkeypatch
):
    judge = start()
    right = exercise_watcher.judge

    def judge_or_fail(lesson, **options):
        if lesson == lamp:
            raise CourseError("its checks are broken")
        return right(lesson, **options)

    monkeypatch.setattr(exercise_watcher, "judge", judge_or_fail)
    for lesson in course[:2]:
        save(lesson, "# mine")
    judge.look()
    assert judged == [course[1].key]
    assert {"lesson": "01-lamp", "fault": "its checks are broken"} in messages
    assert judge.judging is None


# The judge's process and its clients, without a process


def test_a_page_gets_the_claims_of_each_lesson_and_a_terminal_all_of_one():
    page, terminal = Client(None), Client(None)
    page.follows, terminal.watches = True, "01-lamp"
    messages = [
        {"lesson": lesson, kind: {}}
        for lesson in ("01-lamp", "02-door")
        for kind in ("claims", "verdict")
    ]
    assert [page.wants(message) for message in messages] == [True, False, True, False]
    assert [terminal.wants(message) for message in messages] == [True, True, False, False]


def test_the_pause_grows_while_judges_end_at_once(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(judge_client.time, "monotonic", lambda: now[0])
    pause = judge_client.RestartPause()
    assert [pause.seconds() for _ in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]
    now[0] += 30 + judge_client.STABLE_AFTER + 1
    assert [pause.seconds() for _ in range(2)] == [0, 1]


def test_where_no_file_can_be_written_the_reason_is_given(course):
    progress.state_dir().rename(progress.state_dir().with_name("moved"))
    progress.state_dir().write_text("a file where the folder should be")
    with pytest.raises(JudgeUnavailable, match="File exists"):
        judge_client.connect()
