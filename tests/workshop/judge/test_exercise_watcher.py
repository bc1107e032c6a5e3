"""The judge of saved exercises: what it judges, what it skips, what it reports."""

import pytest

from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.daemon import exercise_watcher, judge_client
from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge
from lessons.workshop.judge.runner import CourseError
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import exercise_copies, progress
from tests.support.exercise_files import save


@pytest.fixture
def judged(monkeypatch):
    """The keys of the lessons that were judged, in order; the checks do not run."""
    keys = []

    def judge(lesson, **options):
        keys.append(lesson.key)
        digest = resolve(lesson).digest()
        return Verdict(lesson.key, "exercise", (Outcome("a", "A", "red"),), digest=digest)

    monkeypatch.setattr(exercise_watcher, "judge", judge)
    return keys


@pytest.fixture
def reports():
    """What the judge has reported: (key, report) pairs."""
    return []


@pytest.fixture
def start(course, reports):
    """`start()`: a judge that has judged what had no verdict."""

    def start_it():
        judge = ExerciseJudge(course, lambda *report: reports.append(report))
        judge.begin()
        return judge

    return start_it


def test_reports_that_it_judges_and_then_the_verdict_which_is_saved(lamp, start, judged, reports):
    judge = start()
    save(lamp.exercise, "# mine")
    judge.look()
    (_, begin), (key, end) = reports
    assert (key, begin, end["judging"]) == ("01-lamp", {"judging": True}, False)
    assert Verdict.from_json(end["verdict"]) == exercise_watcher.judge(lamp)
    assert progress.of(lamp).state == "red"


def test_judges_each_save_once(lamp, start, judged):
    judge = start()
    for _ in range(2):
        save(lamp.exercise, "# mine")
        judge.look()
    judge.look()
    assert judged == [lamp.key] * 2


def test_begins_with_the_versions_that_have_no_verdict(lamp, start, judged):
    save(lamp.exercise, "# mine")
    start()
    start()
    assert judged == [lamp.key]


def test_does_not_judge_what_a_reset_has_written(lamp, start, judged):
    save(lamp.exercise, "# mine")
    judge = start()
    exercise_copies.reset_exercise(lamp)
    judge.look()
    assert judged == [lamp.key]


def test_does_not_save_the_verdict_if_the_exercise_was_reset_during_the_checks(
    lamp, start, judged, monkeypatch
):
    judge = start()
    save(lamp.exercise, "# mine")
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
    lamp, course, start, judged, reports, monkeypatch
):
    judge = start()
    right = exercise_watcher.judge

    def judge_or_fail(lesson, **options):
        if lesson == lamp:
            raise CourseError("its checks are broken")
        return right(lesson, **options)

    monkeypatch.setattr(exercise_watcher, "judge", judge_or_fail)
    for lesson in course[:2]:
        save(lesson.exercise, "# mine")
    judge.look()
    assert judged == [course[1].key]
    assert ("01-lamp", {"judging": False, "fault": "its checks are broken"}) in reports


def test_a_new_judge_deletes_the_reports_of_the_last_one(course):
    exercise_watcher.save_report("01-lamp", {"judging": True})
    file = judge_client.report_file("01-lamp")
    assert judge_client.read_report(file) == {"judging": True}
    ExerciseJudge(course, lambda *report: None).begin()
    assert judge_client.read_report(file) == {}
