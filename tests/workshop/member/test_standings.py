"""What a workshop reports about a lesson."""

import pytest
from msgspec import to_builtins

from lessons.workshop.course.lesson_index import Lesson, find
from lessons.workshop.member.protocol import MAX_CODE, MAX_FRAME, FromStudent, decode, encode
from lessons.workshop.member.standings import make_standing
from lessons.workshop.student.progress import Progress

FINDING = {"diagnosis": "no-stop", "message": "It never stops.", "detail": "≠ x"}
VERDICT = {
    "outcomes": [
        {"claim": "It accepts.", "state": "green", "finding": None},
        {"claim": "It ends.", "state": "red", "finding": FINDING},
    ],
    "problem": None,
}


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """`edited(code)`: the student's exercise has this code."""
    file = tmp_path / "03_stop.py"
    monkeypatch.setattr(Lesson, "exercise", file)

    def edit(code):
        file.write_text(code, encoding="utf-8")
        return find("stop").key

    return edit


def test_a_standing_has_the_claims_and_the_first_finding(edited):
    found = make_standing(edited("x = 1"), Progress("red", hints=2, verdict=VERDICT), True)
    claims = [{"claim": "It accepts.", "state": "green"}, {"claim": "It ends.", "state": "red"}]
    assert to_builtins(found) == {
        "type": "standing",
        "lesson": "stop",
        "state": "red",
        "was_green": False,
        "hints": 2,
        "claims": claims,
        "title": FINDING["message"],
        **FINDING,
        "code": "x = 1",
    }


def test_code_is_sent_only_by_a_student_who_shares_it_and_only_if_it_is_short(edited):
    key = edited("x = 1")
    assert make_standing(key, Progress("green"), False).code is None
    assert make_standing(edited("#" * (MAX_CODE + 1)), Progress("green"), True).code is None


def test_an_exercise_that_was_not_edited_is_unchanged(edited):
    key = edited(find("stop").original.read_text(encoding="utf-8"))
    found = make_standing(key, Progress("red", verdict=VERDICT), False)
    assert (found.state, found.claims, found.title) == ("unchanged", [], "")


@pytest.mark.parametrize("character", ["\0", "\ud800", "€", "\x01"])
def test_the_room_accepts_a_standing_even_if_a_program_prints_anything(edited, character):
    long = character * 100_000
    outcomes = [{"claim": long, "state": "red", "finding": dict.fromkeys(FINDING, long)}] * 100
    progress = Progress("red", verdict={"outcomes": outcomes, "problem": None}, hints=7)
    standing = make_standing(edited("#" * MAX_CODE), progress, True)
    frame = encode(standing)
    assert decode(frame, FromStudent) == standing
    assert len(frame) <= MAX_FRAME
