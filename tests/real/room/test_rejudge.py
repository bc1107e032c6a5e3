"""Judges code for the room again, in a real sandbox."""

from lessons.workshop.course.lesson_index import find
from lessons.workshop.room import rejudge
from tests.support.submissions import bubblewrap

LESSON = find("stop")
SOLUTION = LESSON.solution.read_text(encoding="utf-8")


def judged(code):
    bubblewrap()
    return rejudge.judge_again(LESSON, code)


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


def test_deep_code_is_judged_or_not_and_the_room_goes_on():
    assert judged("x = " + "(" * 100_000)["state"] in ("red", "not judged")
