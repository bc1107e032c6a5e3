"""A student's page: what the workshop claimed, the code, and the verdict of this machine."""

import json
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
from lessons.workshop.room.worker.program import judge_code
from lessons.workshop.room.worker.rejudge import RejudgeQueue
from tests.support.room import logged_in, send_report
from tests.support.room import make_class as new_class
from tests.support.room import make_student as new_student

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


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        {"outcomes": "text", "problem": 7},
        {"outcomes": [None, 3, [], {}, {"claim": 1, "state": []}, {"finding": "x"}]},
        {"outcomes": {"claim": "c"}, "problem": {"diagnosis": {}, "message": [], "detail": {}}},
    ],
)
def test_a_verdict_of_any_shape_is_shown(instructor, ann, verdict):
    send_report(ann, verdict=verdict)
    assert "workshop says" in page(instructor, ann)
    assert claimed_verdict(verdict)["outcomes"] == []


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
    assert "Judge it again" not in page(instructor, student)
    assert instructor.post(reverse("room_judge", args=[student.pk, "stop"])).status_code == 409


def test_characters_that_hide_or_reverse_code_are_escapes():
    found = code_lines("a = 1 # \u202e\u2066\u200b\0\x0c\u00a0ü\tß")
    assert "\\u202e\\u2066\\u200b\\x00\\x0c\\xa0ü\tß" in found.lines[0]


def test_large_code_is_cut_and_costs_little_time():
    begun = time.process_time()
    [long_line] = code_lines("(" * 262_144).lines
    [_] = code_lines("'''\"\"\"f'{" * 29_000).lines
    odd = code_lines("\u202e\n" * 131_072)
    assert time.process_time() - begun < 10  # it takes about half a second
    assert len(long_line) < MAX_LENGTH * 10
    assert (len(odd.lines), odd.more) == (MAX_LINES, 131_073 - MAX_LINES)


# Judge it again


@pytest.fixture
def jobs(monkeypatch):
    """The queue of the views. It runs jobs only when a test calls finish()."""
    monkeypatch.setattr(RejudgeQueue, "_start_thread", lambda self: None)
    monkeypatch.setattr(student_views, "queue", RejudgeQueue(workers=1))
    return student_views.queue


def finish(queue, monkeypatch, answer):
    """Let a worker give this answer, or fail with it, to the next job. Returns the order."""
    orders = []

    def run_worker(order, timeout):
        orders.append(order)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(rejudge, "run_worker", run_worker)
    queue._waiting.get_nowait().run()
    return orders[0]


def test_the_page_waits_for_its_turn_and_gets_the_verdict(instructor, ann, jobs, monkeypatch):
    send_report(ann, code="x = 1")
    path = reverse("room_judge", args=[ann.pk, "stop"])
    assert instructor.get(path).json() == {"state": "none"}
    assert instructor.post(path).json() == {"state": "waiting"}
    outcome = {"claim": "a `b`", "state": "green"}
    order = finish(jobs, monkeypatch, {"state": "green", "outcomes": [outcome]})
    assert order == {"order": "judge", "lesson": "03-stop", "code": "x = 1"}
    answer = {"state": "green", "outcomes": [{"claim": "a <code>b</code>", "state": "green"}]}
    assert instructor.get(path).json() == {"state": "done", "claimed": "red", "answer": answer}


def test_the_same_code_is_judged_again_only_if_the_worker_failed(jobs, monkeypatch):
    job = jobs.ask(LESSON, "x = 1")
    assert jobs.ask(LESSON, "x = 1") is job
    finish(jobs, monkeypatch, WorkerFailed("It broke."))
    assert (job.answer["state"], job.answer["detail"]) == ("not judged", "It broke.")
    again = jobs.ask(LESSON, "x = 1")
    assert again is not job
    finish(jobs, monkeypatch, {"state": "red"})
    assert jobs.ask(LESSON, "x = 1") is again


def test_a_full_queue_refuses_and_the_page_says_so(instructor, ann, jobs, monkeypatch):
    monkeypatch.setattr(rejudge, "MAX_WAITING", 1)
    jobs.ask(LESSON, "x = 1")
    send_report(ann)
    answer = instructor.post(reverse("room_judge", args=[ann.pk, "stop"]))
    assert (answer.status_code, "are waiting" in answer.json()["error"]) == (429, True)


def test_without_a_sandbox_nothing_runs_and_the_page_says_what_to_install(monkeypatch):
    problem = "There is no bubblewrap on this machine."
    sandbox = Sandbox(False, problem, problem=problem)
    monkeypatch.setattr("lessons.workshop.grading.sandbox.find_sandbox", lambda: sandbox)
    answer = json.loads(judge_code(LESSON, "raise SystemExit"))
    assert answer == {"state": "not judged", "reason": "no sandbox", "detail": problem}
