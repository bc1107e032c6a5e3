"""What a page shows of a student's exercise: the verdict, hints, the solution, and the reset."""

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.page.exercise.exercise_state import exercise_json, finding_json
from lessons.workshop.student import progress

CONNECT = Event(
    1, 0.0, "client", "in", {"type": "websocket.connect"}, "T", "websocket_connect", "c"
)


def post(client, lesson, action):
    response = client.post(f"/lessons/{lesson.key}/{action}/")
    return response.status_code, response.json()


def keep(lesson, state="green", *findings, output=""):
    outcomes = [Outcome("test_a", "It lights.", state)] if not findings else []
    for finding in findings:
        outcomes.append(Outcome("test_b", "It ends.", "red", finding, (CONNECT,)))
    progress.save_verdict(lesson, Verdict(lesson.key, "exercise", tuple(outcomes), output=output))


def test_the_first_finding_is_shown_in_full_and_the_same_fault_is_marked(lamp):
    first = Finding("no-stop-consumer", "it", line=4)
    again, other = Finding("no-stop-consumer", "it", line=5), Finding("no-accept", "it", line=7)
    keep(lamp, "red", first, again, other, output="printed text")
    verdict = exercise_json(lamp)["verdict"]
    assert verdict["finding"]["line"] == 4
    assert verdict["finding"]["title"] == "The consumer did not stop when its client had left"
    marks = [(one["state"], one["plays"]) for one in verdict["outcomes"]]
    assert marks == [("red", True), ("same", True), ("red", True)]
    assert verdict["output"] == "printed text"


def test_a_finding_of_another_version_of_the_course_is_shown_without_a_diagnosis():
    finding = finding_json(Finding("of-another-version", "it"))
    assert (finding["title"], finding["cause"]) == ("of-another-version", "")


def test_hints_are_shown_one_by_one(client, lamp):
    assert exercise_json(lamp)["hints"] == []
    for number in (1, 2, 3, 3):
        assert post(client, lamp, "hint") == (200, {})
        assert len(exercise_json(lamp)["hints"]) == number
    assert "Begin with" in exercise_json(lamp)["hints"][0]


def test_a_solution_that_was_read_counts_as_read_until_the_exercise_is_green(client, course, lamp):
    assert exercise_json(lamp)["solution"] is None
    assert post(client, lamp, "solution") == (200, {})
    shown = exercise_json(lamp)
    assert "class" in shown["solution"]
    assert shown["isRead"]
    assert shown["upcoming"]["url"] == f"/lessons/{course[1].key}/"
    keep(lamp)
    assert not exercise_json(lamp)["isRead"]


def test_a_reset_keeps_the_students_version_and_names_it(client, lamp):
    original = lamp.exercise.read_text()
    lamp.exercise.write_text("# mine")
    keep(lamp, "red")
    assert post(client, lamp, "reset") == (200, {})
    assert lamp.exercise.read_text() == original
    backup = progress.state_dir().parent / exercise_json(lamp)["backup"]
    assert backup.read_text() == "# mine"
    assert progress.of(lamp).state == "new"
