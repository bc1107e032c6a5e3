"""What a page asks about played steps: a recording and the source."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.runner import judge
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress

pytestmark = pytest.mark.django_db
NOT_JUDGED = "The last verdict holds no conversation of this claim. Save again."
LOCKED = "You can use the solution once your exercise was green, or once you have read it."


@pytest.fixture
def ask(client, own_feed, state_dir):
    """`ask("03-stop/play/", "connect")`: the answer to a page of this session."""

    def get(path, *steps, **parameters):
        return client.get(f"/lessons/{path}", {"feed": own_feed, "step": steps} | parameters)

    return get


def types(recording):
    return [event["message"]["type"] for event in recording["events"]]


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("example", "finished"),
        ("sync_demo.consumers.Operator", "finished"),
        ("solution", "finished"),
        ("mistake:DoesNotRaise", "cancelled"),
    ],
)
def test_plays_the_steps_on_the_target(ask, target, last):
    answer = ask("03-stop/play/", "connect", "close", target=target)
    assert [step["action"] for step in answer.json()["steps"]] == ["connect", "close"]
    assert types(answer.json()["recording"])[-1] == last


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
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


@pytest.mark.parametrize("what", ["play", "source", "compare", "judged"])
def test_only_a_page_of_the_same_session_gets_an_answer(ask, what):
    other = new_feed_id("another0session0key")
    assert ask(f"03-stop/{what}/", "connect", feed=other).status_code == 404
    assert ask(f"03-stop/{what}/", "connect").status_code != 404


def test_a_lesson_that_does_not_exist_is_404(ask):
    assert ask("99-none/play/").status_code == 404


# A verdict


def test_shows_the_students_events_beside_the_solutions_and_where_they_part(ask):
    verdict = judge(find("stop"), "mistake:DoesNotRaise")
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
