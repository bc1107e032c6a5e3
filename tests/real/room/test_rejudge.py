"""A worker judges code for the room: in a real process, and in a real sandbox."""

from contextlib import suppress

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.room import worker
from lessons.workshop.room.worker import WorkerFailed, judge_code, read_answer
from tests.support.submissions import bubblewrap

LESSON = find("stop")
SOLUTION = LESSON.solution.read_text(encoding="utf-8")


def judged(code):
    """The worker's answer on this code."""
    bubblewrap()
    return judge_code(LESSON, code)


def test_the_solution_is_green_and_its_code_is_escaped():
    answer = judged(f"{SOLUTION}\n    more = '<script>'\n")
    assert (answer["state"], answer["comparison"]) == ("green", None)
    lines = [row["wrong"]["html"] for row in answer["code"]["rows"] if row["wrong"]]
    assert not any("<script>" in line for line in lines)
    assert any("&lt;script&gt;" in line for line in lines)


def test_the_exercise_is_red_with_the_conversation_the_solutions_events_and_both_codes():
    answer = judged(LESSON.original.read_text(encoding="utf-8"))
    assert answer["state"] == "red"
    assert answer["finding"]["line"] > 0
    assert answer["finding"]["title"]
    comparison = answer["comparison"]
    types = {
        side: [event["message"]["type"] for event in comparison[side]["events"]]
        for side in ("right", "wrong")
    }
    right, wrong = comparison["differs"]["right"], comparison["differs"]["wrong"]
    assert types["right"][:right] == types["wrong"][:wrong]
    assert types["right"][right] == "finished"
    assert answer["code"]["wrong"] == "03_stop.py"
    assert any(row["differs"] for row in answer["code"]["rows"])


def test_deep_code_ends_the_worker_at_most():
    with suppress(WorkerFailed):
        assert judged("x = " + "(" * 100_000)["state"] in ("red", "not judged")


def test_a_worker_that_fails_says_its_last_line():
    with pytest.raises(WorkerFailed, match="There is no lesson 'nothing'"):
        read_answer("nothing", 1)


def test_the_worker_knows_nothing_of_the_rooms_environment(monkeypatch):
    seen = {}

    def run(command, **options):
        seen.update(options["env"], command=command)
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(worker.subprocess, "run", run)
    for name in ("DJANGO_SECRET_KEY", "DJANGO_MODE", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "room")
    with pytest.raises(WorkerFailed, match="did not start: No such file"):
        read_answer("stop", 1)
    assert "room" not in seen.values()
    assert seen["command"][-1] == "lessons.workshop.room.worker"


def test_a_question_is_played_by_a_worker_which_grades_the_votes():
    right, wrong = "1:0 1:1 2:1 3:0", "2:0"
    found = read_answer("group", 1, frozenset([right, wrong, "<script>"]))
    assert [card.partition(" ")[0] for card in found["cards"]] == ["websocket.send"] * 2
    assert found["grades"] == {right: True, wrong: False, "<script>": False}


def test_an_order_that_is_none_is_wrong():
    votes = ["", "x", "0 0", "9 | 1", "0 | 1 | 2"]
    assert read_answer("stop", 1, frozenset(votes))["grades"] == dict.fromkeys(votes, False)
