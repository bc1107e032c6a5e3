"""What the clients of a page do: it is played from the beginning with the exercise or a mistake."""

import json

import pytest

from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress
from tests.support.courses import ACCEPT, LAMP

CONNECT = {"client": 1, "action": "connect", "arguments": {}}
TEXT = {"client": 1, "action": "text", "arguments": {"text": "on"}}
REPORT = "\n\ndef report(number):\n    return number + 1\n"


@pytest.fixture
def play(client, own_feed, state_dir):
    """`play("03-stop", "exercise", CONNECT, TEXT)`: the answer to a page of this session."""

    def answer(key, target, *steps, feed=own_feed, text=None):
        form = {"target": target, "steps": json.dumps(steps) if text is None else text}
        return client.post(f"/lessons/{key}/conversation/?feed={feed}", form)

    return answer


@pytest.fixture
def lamp(course, play):
    """`lamp(source, CONNECT)`: what the page gets when this source is the student's exercise."""

    def played(source, *steps):
        course[0].exercise.write_text(source)
        return play("01-lamp", "exercise", *steps).json()

    return played


def texts(answer):
    return [event["text"] for event in answer["recording"]["events"]]


def clients(answer):
    return [one["client"] for one in answer["recording"]["connections"]]


def test_each_client_keeps_its_number_when_it_connects_again(lamp):
    second = {**CONNECT, "client": 2}
    answer = lamp(LAMP, CONNECT, second, TEXT, {**CONNECT, "action": "close"}, CONNECT)
    assert clients(answer) == ["1", "2", "1"]
    assert 'websocket.send  text: "on"' in texts(answer)
    assert answer["finding"] is None


def test_shows_what_happens_until_now_and_not_the_end_of_the_player(lamp):
    waits = LAMP.replace(ACCEPT, f"{ACCEPT}\n        import time; time.sleep(2)")
    answer = lamp(waits, CONNECT, {"step": "wait 1"})
    assert texts(answer)[-1] == "websocket.accept"
    assert answer["marks"] == [{"time": pytest.approx(0, abs=0.001), "text": "1 s later"}]
    done = lamp(
        LAMP.replace("self.send({", "self.send({**{}, "), CONNECT, {"step": "wait 60"}, TEXT
    )
    assert done["recording"]["events"][-1]["time"] == pytest.approx(60, abs=0.001)


def test_a_step_from_outside_says_what_a_function_of_the_exercise_returns(lamp):
    answer = lamp(LAMP + REPORT, CONNECT, {"step": "call report [1]"})
    assert [mark["text"] for mark in answer["marks"]] == ["call report [1]: returned 2"]


FAULTS = {  # what replaces the accept, the diagnosis, and the line
    "cannot be imported": ("def x(:", "syntax-error", 7),
    "raises an exception": (f"{ACCEPT}; 1 / 0", "exception", 7),
    "ends the program": ("raise SystemExit", "calls-exit", 7),
    "ends the process": ("import os; os._exit(3)", "process-died", None),
}


@pytest.mark.parametrize(("line", "diagnosis", "at"), FAULTS.values(), ids=FAULTS)
def test_names_the_fault_of_code_that(lamp, line, diagnosis, at):
    finding = lamp(LAMP.replace(ACCEPT, line), CONNECT)["finding"]
    assert (finding["diagnosis"], finding["line"] or None) == (diagnosis, at)


def test_a_missing_file_is_a_finding(course, play):
    course[0].exercise.unlink(missing_ok=True)
    assert (
        play("01-lamp", "exercise", CONNECT).json()["finding"]["title"] == "The file does not exist"
    )


def test_the_lesson_s_rows_are_saved_before_the_first_client_comes(play):
    editors = {**TEXT, "arguments": {"text": "editors"}}
    answer = play("19-orm", "mistake:ReturnsTheQuerySet", CONNECT, editors).json()
    assert not any("no group" in text for text in texts(answer))


def test_the_instructor_may_do_all_and_a_ticket_is_issued_to_its_client(play, monkeypatch):
    monkeypatch.setattr(progress, "of", lambda lesson: Progress(was_green=True))
    arguments = {"as": "instructor"}
    asks = {**TEXT, "arguments": {"text": "auth.change_user"}}
    stamped = play("16-user", "solution", {**CONNECT, "arguments": arguments}, asks).json()
    assert texts(stamped)[-1] == 'websocket.send  text: "stamped"'
    ticket = {**CONNECT, "arguments": {"ticket": "student"}}
    assert 'text: "Welcome, student."' in texts(play("18-ticket", "solution", ticket).json())[-1]


# Who may play what

LOCKED = "You can use the solution once your exercise was green, or once you have read it."
REFUSED = [  # the lesson, the target, the steps as JSON, and the reason
    ("03-stop", "solution", "[]", LOCKED),
    ("03-stop", "mistake:DoesNotRaise", "[", "Expecting value"),
    ("03-stop", "mistake:DoesNotRaise", '["connect"]', "These are not steps."),
    ("03-stop", "mistake:DoesNotRaise", '[{"action": "text"}]', "These are not steps."),
    ("03-stop", "mistake:DoesNotRaise", '[{"step": 7}]', "These are not steps."),
    ("03-stop", "mistake:DoesNotRaise", '[{"step": "sleep 1"}]', "'sleep 1'"),
    ("03-stop", "mistake:DoesNotRaise", '[{"step": "text a"}]', "write connect before text a"),
]


@pytest.mark.parametrize(("key", "target", "steps", "reason"), REFUSED)
def test_refuses_what_no_page_plays_with_the_reason(play, key, target, steps, reason):
    answer = play(key, target, text=steps)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_only_a_page_of_the_same_session_plays(play):
    other = new_feed_id("another0session0key")
    assert play("03-stop", "exercise", CONNECT, feed=other).status_code == 404
