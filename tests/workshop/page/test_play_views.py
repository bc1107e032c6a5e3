"""What a page asks to be played: what its clients do, steps, and a verdict. And the source."""

import json

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.runner import judge
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress
from tests.support.courses import ACCEPT, LAMP

NOT_JUDGED = "The last verdict holds no conversation of this claim. Save again."
LOCKED = "You can use the solution once your exercise was green, or once you have read it."
CONNECT = {"client": 1, "action": "connect", "arguments": {}}
TEXT = {"client": 1, "action": "text", "arguments": {"text": "on"}}
MISTAKE = "mistake:DoesNotRaise"
REPORT = "\n\ndef report(number):\n    return number + 1\n"


@pytest.fixture
def ask(client, own_feed, state_dir):
    """`ask("03-stop/play/", "connect")`: the answer to a page of this session."""

    def get(path, *steps, **parameters):
        return client.get(f"/lessons/{path}", {"feed": own_feed, "step": steps} | parameters)

    return get


@pytest.fixture
def play(client, own_feed, state_dir):
    """`play("03-stop", "exercise", CONNECT, TEXT)`: the answer to a page of this session."""

    def answer(key, target, *steps, text=None):
        form = {"target": target, "steps": text or json.dumps(steps)}
        return client.post(f"/lessons/{key}/conversation/?feed={own_feed}", form)

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


def types(recording):
    return [event["message"]["type"] for event in recording["events"]]


# What the clients of a page do


def test_each_client_keeps_its_number_when_it_connects_again(lamp):
    second = {**CONNECT, "client": 2}
    answer = lamp(LAMP, CONNECT, second, TEXT, {**CONNECT, "action": "close"}, CONNECT)
    connections = answer["recording"]["connections"]
    assert [one["client"] for one in connections] == ["1", "2", "1"]
    assert 'websocket.send  text: "on"' in texts(answer)
    assert answer["finding"] is None


def test_shows_what_happens_until_now_and_not_the_end_of_the_player(lamp):
    waits = LAMP.replace(ACCEPT, f"{ACCEPT}\n        import time; time.sleep(2)")
    answer = lamp(waits, CONNECT, {"step": "wait 1"})
    assert texts(answer)[-1] == "websocket.accept"
    assert answer["marks"] == [{"time": pytest.approx(0, abs=0.001), "text": "1 s later"}]
    done = lamp(LAMP, CONNECT, {"step": "wait 60"}, TEXT)
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
    finding = play("01-lamp", "exercise", CONNECT).json()["finding"]
    assert finding["title"] == "The file does not exist"


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


# Steps of a link or of a text


@pytest.mark.parametrize("target", ["example", "sync_demo.consumers.Operator", "solution", MISTAKE])
def test_plays_the_steps_on_the_target(ask, target):
    answer = ask("03-stop/play/", "connect", "close", target=target).json()
    assert [step["action"] for step in answer["steps"]] == ["connect", "close"]
    last = "cancelled" if target == MISTAKE else "finished"
    assert types(answer["recording"])[-1] == last


NESTED = [f"call add {'[' * 2000}", f"{'& ' * 2000}text a"]
REFUSED = [  # the lesson and what is asked, the target, the steps, and the reason
    ("03-stop/play/", "os.system", ["connect"], "Lesson 3 has no 'os.system' to play."),
    ("03-stop/play/", "mistake:None", ["connect"], "Lesson 3 has no 'mistake:None' to play."),
    ("03-stop/play/", "example", [], "There are no steps to play."),
    ("03-stop/play/", "example", ["sleep 1"], "'sleep 1'"),
    ("03-stop/play/", "example", ["row db_demo.Nothing {}"], "cannot be played"),
    *(("03-stop/play/", "example", [step], "is nested too deep.") for step in NESTED),
    ("03-stop/source/", "../manage.py", [], "Lesson 3 has no '../manage.py' to play."),
    ("03-stop/source/", "solution", [], LOCKED),
    ("05-communicator/source/", "exercise", [], "The exercise of lesson 5 is a test"),
]


@pytest.mark.parametrize(("path", "target", "steps", "reason"), REFUSED)
def test_refuses_what_no_page_plays_with_the_reason(ask, path, target, steps, reason):
    answer = ask(path, *steps, target=target)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)


UNPLAYED = [  # the target, the steps as JSON, and the reason
    ("solution", "[]", LOCKED),
    (MISTAKE, "[", "Expecting value"),
    (MISTAKE, '["connect"]', "These are not steps."),
    (MISTAKE, '[{"action": "text"}]', "These are not steps."),
    (MISTAKE, '[{"step": 7}]', "These are not steps."),
    (MISTAKE, '[{"step": "sleep 1"}]', "'sleep 1'"),
    (MISTAKE, '[{"step": "text a"}]', "write connect before text a"),
]


@pytest.mark.parametrize(("target", "steps", "reason"), UNPLAYED)
def test_refuses_what_no_client_does_with_the_reason(play, target, steps, reason):
    answer = play("03-stop", target, text=steps)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("what", ["conversation", "play", "source", "compare", "judged"])
def test_only_a_page_of_the_same_session_gets_an_answer(client, own_feed, state_dir, what):
    send = client.post if what == "conversation" else client.get
    answers = [
        send(f"/lessons/03-stop/{what}/?feed={feed}").status_code
        for feed in (new_feed_id("another0session0key"), own_feed)
    ]
    assert [answer == 404 for answer in answers] == [True, False]


def test_a_lesson_that_does_not_exist_is_404(ask):
    assert ask("99-none/play/").status_code == 404


# A verdict


def test_shows_the_students_events_beside_the_solutions_and_where_they_part(ask):
    verdict = judge(find("stop"), MISTAKE)
    progress.save_verdict(find("stop"), verdict)
    red = [one.state for one in verdict.outcomes].index("red")
    answer = ask("03-stop/judged/", claim=red).json()
    assert answer["title"] == "The consumer did not stop when its client had left"
    assert answer["steps"][0]["action"] == "connect"
    right, wrong = answer["differs"]["right"], answer["differs"]["wrong"]
    assert types(answer["expected"])[:right] == types(answer["received"])[:right]
    assert types(answer["expected"])[right] == "finished"
    assert types(answer["received"])[wrong:] == ["cancelled"]
    for claim in ("99", "-1", "x"):
        refused = ask("03-stop/judged/", claim=claim)
        assert (refused.status_code, refused.json()) == (400, {"error": NOT_JUDGED})


# The source


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("X = '<b>'\n\n\nclass Lamp:\n    def on(self):\n        pass\n", [*[""] * 4, "on", "on"]),
        ("class Lamp(:\n    <b>\n", ["", ""]),
    ],
)
def test_the_exercise_is_the_whole_file_of_the_student(course, ask, text, methods):
    find("lamp").exercise.write_text(text)
    answer = ask("01-lamp/source/", target="exercise").json()
    assert answer["place"].endswith("work/01_lamp.py:1")
    assert [line["method"] for line in answer["lines"]] == methods
    assert "<b>" not in "".join(line["html"] for line in answer["lines"])
