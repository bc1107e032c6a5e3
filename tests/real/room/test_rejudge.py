"""A worker judges code for the room: in a real process, and in a real sandbox."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.room.worker import orders
from lessons.workshop.room.worker.orders import WorkerFailed, read_question, run_worker
from lessons.workshop.room.worker.rejudge import DONE, TIMEOUT, Job
from tests.support.submissions import bubblewrap

LESSON = find("stop")
SOLUTION = LESSON.solution.read_text(encoding="utf-8")


def judged(code):
    """The worker's answer on this code."""
    bubblewrap()
    job = Job(LESSON, code)
    job.run()
    assert job.state == DONE
    return job.answer


def test_the_solution_is_green_and_sees_no_secret_of_the_room(monkeypatch):
    monkeypatch.setenv("DJANGO_SECRET_KEY", "the room's key of this test, which is long enough")
    monkeypatch.setenv("DATABASE_URL", "postgres://room:password@127.0.0.1/room")
    code = "import os\nprint(sorted(os.environ))\n"
    answer = judged(f"{code}{SOLUTION}\n    more = '<script>'\n")
    assert (answer["state"], answer["comparison"]) == ("green", None)
    seen = answer["output"].splitlines()[0]
    assert "'LANG'" in seen
    assert not [it for it in ("DJANGO_SECRET_KEY", "DATABASE_URL") if it in seen]
    lines = [row["wrong"]["html"] for row in answer["code"]["rows"] if row["wrong"]]
    assert not any("<script>" in line for line in lines)
    assert any("&lt;script&gt;" in line for line in lines)


def test_the_exercise_is_red_with_the_conversation_the_solutions_events_and_both_codes():
    answer = judged(LESSON.original.read_text(encoding="utf-8"))
    assert answer["state"] == "red"
    assert answer["finding"]["line"] > 0
    assert answer["diagnosis"]["title"]
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
    assert judged("x = " + "(" * 100_000)["state"] in ("red", "not judged")


def test_a_worker_that_fails_says_its_last_line():
    with pytest.raises(WorkerFailed, match="There is no lesson 'nothing'"):
        run_worker({"order": "judge", "lesson": "nothing", "code": ""}, TIMEOUT)


def test_a_worker_that_takes_too_long_is_ended():
    with pytest.raises(WorkerFailed, match=r"has not ended after 0\.01 s"):
        run_worker({"order": "judge", "lesson": "stop", "code": SOLUTION}, 0.01)


def test_the_worker_knows_nothing_of_the_rooms_environment(monkeypatch):
    seen = {}

    def run(command, **options):
        seen.update(options["env"], command=command)
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(orders.subprocess, "run", run)
    for name in ("DJANGO_SECRET_KEY", "DJANGO_MODE", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "room")
    with pytest.raises(WorkerFailed, match="did not start: No such file"):
        run_worker({}, 1)
    assert "room" not in seen.values()
    assert seen["command"][-1] == "lessons.workshop.room.worker.program"


def test_a_question_is_played_by_a_worker_and_kept():
    found = read_question(find("group"), 1)
    assert found is read_question(find("group"), 1)
    assert [card.partition(" ")[0] for card in found["cards"]] == ["websocket.send"] * 2
