"""`bench verdict`: a lesson about tests has no generated conversations."""

from lessons.bench.verdict import measure
from lessons.core.catalogue import find


def test_a_lesson_without_generated_conversations_has_its_claims_with_its_verdict():
    times = measure(find("communicator"), rounds=1)
    assert times["save to claims"] == times["save to verdict"]
    assert len(times["save to a red verdict"]) == 1
