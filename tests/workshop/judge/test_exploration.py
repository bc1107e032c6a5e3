"""Generated conversations: which there are, and when they are played."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge import exploration, judge
from lessons.workshop.judge.claims import Claims
from lessons.workshop.judge.exploration import conversations_of

LESSON = "stop"


def model():
    return Claims.of(find(LESSON)).model


def written():
    return [" | ".join(map(str, steps)) for steps in conversations_of(find(LESSON), model())]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points", (0, 7)),
        ("frames", ("text",)),
        ("last_steps", ("take jobs",)),
        ("frame_of", classmethod(lambda cls, text: f"<{text}>")),
        ("texts", ("another",)),
    ],
)
def test_another_model_gets_other_conversations(name, value):
    original = model()
    changed = type("Changed", (original,), {name: value})
    assert exploration._digest(changed) != exploration._digest(original)


def test_a_client_with_a_request_sends_no_frames():
    lesson, found = find("deploy"), []
    for steps in conversations_of(lesson, Claims.of(lesson).model):
        begun = {}
        for step in steps:
            if step.kind.begins:
                begun[step.client] = step.action
            elif step.action in ("text", "bytes"):
                found.append(begun[step.client])
    assert set(found) == {"connect"}


def test_conversations_are_many_and_vary_what_a_client_can_vary():
    conversations = written()
    assert len(set(conversations)) >= 100
    assert sum(conversation.count("|") + 1 for conversation in conversations) >= 1000
    parts = ["keys both", "seed ", "| & ", "| at ", "3 connect", "vanish", 'text "', " * 70000"]
    for part in (*parts, "bytes |"):
        assert any(part in conversation for conversation in conversations), part


def test_nothing_is_explored_while_a_claim_is_red():
    lesson = find(LESSON)
    [*_, exploration] = judge(lesson, "mistake:BorrowsACode").outcomes
    assert exploration.state == "not run"


def test_after_the_first_red_claim_nothing_is_played_if_that_is_enough():
    whole, first = (
        judge(find(LESSON), "mistake:CountsForEveryone", stops_at_red=stops)
        for stops in (False, True)
    )
    states = [outcome.state for outcome in first.outcomes]
    at = states.index("red")
    assert states[at + 1 :] == ["not run"] * len(states[at + 1 :])
    assert first.findings == whole.findings[:1]
