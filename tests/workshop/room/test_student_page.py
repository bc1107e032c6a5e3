"""A student's page: what the workshop claimed, the code, and the verdict of this machine."""

import time

import pytest
from django.urls import reverse

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading.sandbox import Sandbox
from lessons.workshop.room.views import student_views
from lessons.workshop.room.views.code_lines import MAX_LENGTH, MAX_LINES, code_lines
from lessons.workshop.room.views.student_views import claimed_verdict
from lessons.workshop.room.worker import rejudge
from lessons.workshop.room.worker.orders import WorkerFailed
from lessons.workshop.room.worker.rejudge import QueueFull, RejudgeQueue
from tests.support.room_pages import (
    logged_in,
    new_class,
    new_student,
    send_report,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("room_pages")]
LESSON = find("stop")
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def ann():
    return new_student(new_class())


@pytest.fixture
def instructor():
    return logged_in()


def page(client, student, slug="stop"):
    return client.get(reverse("room_student", args=[student.pk, slug])).content.decode()


# The claim


def test_shows_the_claims_the_finding_and_the_history(instructor, ann):
    send_report(ann, 1)
    send_report(ann, 2, state="green", verdict=None, code=None, was_green=True)
    send_report(ann, 3)
    text = page(instructor, ann)
    assert "workshop says" in text
    assert "It ends." in text
    assert "The consumer did not stop when its client had left" in text
    assert "3 reports" in text
    assert [
        text.count(f'<td><span class="state" data-state="{it}"') for it in ("red", "green")
    ] == [2, 1]


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        {},
        {"outcomes": "text", "problem": 7},
        {"outcomes": [None, 3, [], {}, {"claim": 1, "state": []}, {"finding": "x"}]},
        {"outcomes": [{"claim": "c", "state": "purple", "finding": {"diagnosis": ["x"]}}]},
        {"outcomes": {"claim": "c"}, "problem": {"diagnosis": {}, "message": [], "detail": {}}},
    ],
)
def test_a_verdict_of_any_shape_is_shown(instructor, ann, verdict):
    send_report(ann, verdict=verdict)
    assert "workshop says" in page(instructor, ann)
    assert claimed_verdict(verdict)["outcomes"] == []


def test_a_long_verdict_is_cut_to_what_a_page_can_show():
    outcome = {"claim": "c" * 10_000, "state": "red", "finding": {"message": "m" * 10_000}}
    found = claimed_verdict({"outcomes": [outcome] * 1000})
    assert len(found["outcomes"]) == 40
    assert {len(found["outcomes"][0]["claim"]), len(found["title"])} == {2_000}


def test_names_claims_and_code_with_markup_are_text(instructor):
    student = new_student(new_class(), f"{MARKUP}!")
    finding = {"diagnosis": MARKUP, "message": MARKUP, "detail": MARKUP}
    outcome = {"claim": f"{MARKUP} `{MARKUP}`", "state": "red", "finding": finding}
    send_report(student, verdict={"outcomes": [outcome]}, code=f"x = '{MARKUP}'\n# </pre>{MARKUP}")
    text = page(instructor, student)
    assert "<script>" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


# The code


def test_a_student_who_shares_no_code_is_not_judged(instructor):
    student = new_student(new_class(), shares_code=False)
    send_report(student)
    text = page(instructor, student)
    assert "does not share code" in text
    assert "Judge it again" not in text
    answer = instructor.post(reverse("room_judge", args=[student.pk, "stop"]))
    assert (answer.status_code, answer.json()) == (
        409,
        {"error": "The student has not shared any code."},
    )


def test_the_code_has_the_colours_of_the_course_and_each_line_its_element():
    found = code_lines("class A:\r\n    pass\rdone = '<b>'")
    assert found.lines == [
        "<i class=k>class</i> <i class=n>A</i>:",
        "    <i class=k>pass</i>",
        "done = <i class=s>'&lt;b&gt;'</i>",
    ]


def test_characters_that_hide_or_reverse_code_are_escapes():
    found = code_lines("a = 1 # \u202e\u2066\u200b\0\x0c\u00a0ü\tß")
    assert "\\u202e\\u2066\\u200b\\x00\\x0c\\xa0ü\tß" in found.lines[0]


def test_large_code_is_cut_and_costs_little_time():
    begun = time.process_time()
    long_line = code_lines("(" * 262_144)
    many_lines = code_lines("\n" * 262_143)
    odd = code_lines("\u202e\n" * 131_072)
    mixed = code_lines("'''\"\"\"f'{" * 29_000)
    assert time.process_time() - begun < 10  # it takes about half a second
    assert [len(it.lines) for it in (long_line, mixed)] == [1, 1]
    assert len(long_line.lines[0]) < MAX_LENGTH * 10
    assert (len(odd.lines), odd.more) == (MAX_LINES, 131_073 - MAX_LINES)
    assert many_lines.more == 262_144 - MAX_LINES


# Judge it again


@pytest.fixture
def jobs(monkeypatch):
    """Runs jobs only when the test says so: `jobs.queue` is that of the views."""
    monkeypatch.setattr(RejudgeQueue, "_start_thread", lambda self: None)
    monkeypatch.setattr(student_views, "queue", RejudgeQueue(workers=1))
    return student_views.queue


def finish(queue):
    """Run the next job of a queue without threads."""
    queue._waiting.get_nowait().run()


def answers(monkeypatch, *given):
    """Workers give these answers, one after the other."""
    orders = []

    def run_worker(order, timeout):
        orders.append(order)
        answer = given[len(orders) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(rejudge, "run_worker", run_worker)
    return orders


def test_the_page_waits_for_its_turn_and_gets_the_verdict(instructor, ann, jobs, monkeypatch):
    orders = answers(
        monkeypatch, {"state": "green", "outcomes": [{"claim": "a `b`", "state": "green"}]}
    )
    send_report(ann, code="x = 1")
    path = reverse("room_judge", args=[ann.pk, "stop"])
    assert instructor.get(path).json() == {"state": "none"}
    assert instructor.post(path).json() == {"state": "waiting"}
    assert instructor.get(path).json() == {"state": "waiting"}
    finish(jobs)
    assert instructor.get(path).json() == {
        "state": "done",
        "claimed": "red",
        "answer": {
            "state": "green",
            "outcomes": [{"claim": "a <code>b</code>", "state": "green"}],
        },
    }
    assert orders == [{"order": "judge", "lesson": "03-stop", "code": "x = 1"}]


def test_the_same_code_is_judged_once(jobs, monkeypatch):
    answers(monkeypatch, {"state": "red"})
    job = jobs.ask(LESSON, "x = 1")
    assert jobs.ask(LESSON, "x = 1") is job
    finish(jobs)
    assert jobs.ask(LESSON, "x = 1") is job
    assert jobs.ask(LESSON, "x = 2") is not job
    assert jobs.ask(find("group"), "x = 1") is not job


def test_a_job_that_failed_says_why_and_can_be_asked_for_again(jobs, monkeypatch):
    answers(monkeypatch, WorkerFailed("It broke."), {"state": "green"})
    job = jobs.ask(LESSON, "x = 1")
    finish(jobs)
    assert job.answer == {
        "state": "not judged",
        "reason": "the judge failed",
        "detail": "It broke.",
    }
    again = jobs.ask(LESSON, "x = 1")
    finish(jobs)
    assert (job.answer["state"], again.answer["state"]) == ("not judged", "green")


def test_a_full_queue_refuses_and_the_page_says_so(instructor, ann, jobs, monkeypatch):
    for number in range(rejudge.MAX_WAITING):
        jobs.ask(LESSON, f"x = {number}")
    with pytest.raises(QueueFull):
        jobs.ask(LESSON, "more")
    send_report(ann)
    answer = instructor.post(reverse("room_judge", args=[ann.pk, "stop"]))
    assert answer.status_code == 429
    assert "are waiting" in answer.json()["error"]


def test_without_a_sandbox_nothing_runs_and_the_page_says_what_to_install(monkeypatch):
    import json

    from lessons.workshop.room.worker.program import judge_code

    problem = "There is no bubblewrap on this machine. Install it: sudo apt-get install bubblewrap"
    sandbox = Sandbox(False, f"{problem}. A submission can read your files.", problem=problem)
    monkeypatch.setattr("lessons.workshop.grading.sandbox.find_sandbox", lambda: sandbox)
    assert json.loads(judge_code(LESSON, "raise SystemExit")) == {
        "state": "not judged",
        "reason": "no sandbox",
        "detail": problem,
    }
