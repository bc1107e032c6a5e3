"""`bench verdict`: a lesson about tests has no generated conversations."""

from lessons.workshop.course.lesson_index import find
from lessons.workshop.measure.verdict import measure


def test_a_lesson_without_generated_conversations_has_its_claims_with_its_verdict():
    times = measure(find("communicator"), rounds=1)
    assert times["save to claims"] == times["save to verdict"]
    assert len(times["save to a red verdict"]) == 1
