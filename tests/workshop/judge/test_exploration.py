"""Generated conversations: which there are, and when they are played."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.model.awkward import filled
from lessons.workshop.engine.model.conversations import conversations_for
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.script.report import BurstReport, Report
from lessons.workshop.judge import judge
from lessons.workshop.judge.claims import MAX_POINTS, Claim, Claims, Exploration

LESSON = "stop"


def conversations(slug=LESSON):
    return conversations_for(Claims.of(find(slug)).model)


def test_conversations_are_many_and_vary_what_a_client_can_vary():
    written = [" | ".join(map(str, steps)) for steps in conversations()]
    assert len(set(written)) >= 30
    assert sum(conversation.count("|") + 1 for conversation in written) >= 800
    parts = ["keys both", "seed ", "| & ", "| at ", "3 connect", "vanish", 'text "', " * 70000"]
    for part in (*parts, "bytes |"):
        assert any(part in conversation for conversation in written), part


def test_some_conversations_are_long():
    steps = [*conversations()]
    sessions = [sum(step.action in ("text", "bytes") for step in it) for it in steps]
    visits = [sum(step.action == "connect" for step in it) for it in steps]
    waits = {step.arguments["seconds"] for it in steps for step in it if step.action == "wait"}
    news = [sum(step.action == "group" for step in it) for it in conversations("delivery")]
    assert max(sessions) >= 300
    assert max(visits) >= 40
    assert max(news) >= 60
    assert waits == {3, 61, 3601}


def test_each_value_of_a_declared_input_is_sent():
    model = Claims.of(find("accept")).model
    sent = [step.arguments for steps in conversations_for(model) for step in steps]
    for gap, values in model.inputs.items():
        for value in values:
            assert filled(gap, value).arguments in sent


@pytest.mark.parametrize("slug", ["accept", "http"])  # one without texts, one without WebSockets
def test_all_conversations_are_explored(slug):
    exploration = Exploration(Claims.of(find(slug)).model, ())
    explored = [it.steps for it in iter(exploration.next, None)]
    assert explored == [*conversations(slug)]
    assert all(explored)


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


def test_what_failed_before_is_reported_first_if_it_fails_again():
    lesson, reports = find(LESSON), []
    expected = judge(lesson, "mistake:CountsForEveryone")
    red = next(outcome for outcome in expected.outcomes if outcome.state == "red")
    options = {"on_claims": reports.append, "failed_before": red}
    assert judge(lesson, "mistake:CountsForEveryone", **options).findings == expected.findings
    [report] = reports
    states = {one.name: one.finding for one in report.outcomes if one.state != "not run"}
    assert states == {red.name: red.finding}
    judge(lesson, "solution", **options)
    assert all(one.state == "green" for one in reports[1].outcomes[:-1])


def test_a_claim_has_a_conversation_for_each_of_the_first_points_only():
    claim = Claim("test_a", "A claim.", Model)
    claim.at_each_point("connect | text a | at * close")
    claim.conversations[0].follow_ups(Report(bursts=(BurstReport((), points=5000),)), False)
    steps = [str(it.steps[2]) for it in claim.conversations]
    assert steps == [f"at {point} close" for point in range(MAX_POINTS + 1)]
