"""Generated conversations: always the same ones, and a failing one becomes short."""

from pathlib import Path

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.script.steps import BEGINNINGS
from lessons.workshop.judge import exploration, judge
from lessons.workshop.judge.claims import Claims
from lessons.workshop.judge.exploration import CLAIM, conversations_of
from tests.submissions.test_submissions import verdict_on as verdict_on_submission

LESSON = "stop"
SUBMISSIONS = Path(__file__).parents[1] / "submissions"


def model():
    return Claims.of(find(LESSON)).model


def verdict_on(old, new):
    lesson = find(LESSON)
    source = lesson.solution.read_text(encoding="utf-8")
    assert old in source
    names = lesson.exercise_name, lesson.exercise_base
    return judge(lesson, Target("changed", lesson.exercise, *names, source.replace(old, new)))


def written():
    return [" | ".join(map(str, steps)) for steps in conversations_of(find(LESSON), model())]


def test_the_conversations_are_always_the_same():
    assert written() == written()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points", (0, 7)),
        ("takes_bytes", False),
        ("last_steps", ("take-all jobs",)),
        ("frame_of", classmethod(lambda cls, text: f"<{text}>")),
        ("texts", ("another",)),
    ],
)
def test_another_model_gets_other_conversations(name, value):
    original = model()
    changed = type("Changed", (original,), {name: value})
    assert exploration._digest(changed) != exploration._digest(original)


def test_a_conversation_in_which_the_consumer_hangs_is_not_shortened(monkeypatch):
    monkeypatch.setattr(exploration, "_shortened", None)
    lesson = find(LESSON)
    source = lesson.solution.read_text(encoding="utf-8")
    hangs = source.replace(
        "    def websocket_receive(self, event):\n",
        "    def websocket_receive(self, event):\n"
        '        while len(event.get("text") or "") > 5000: pass\n',
    )
    assert hangs != source
    names = lesson.exercise_name, lesson.exercise_base
    target = Target("changed", lesson.exercise, *names, hangs)
    outcome = judge(lesson, target, timeout=0.5).outcomes[-1]
    assert outcome.finding.diagnosis == "stuck"


def test_there_are_at_least_100_conversations_with_1000_steps():
    conversations = written()
    assert len(set(conversations)) >= 100
    assert sum(conversation.count("|") + 1 for conversation in conversations) >= 1000


@pytest.mark.parametrize(
    "part",
    ["keys both", "seed ", "| & ", "| at ", "3 connect", "vanish", 'text "', " * 70000", "bytes |"],
)
def test_the_conversations_vary_what_a_client_can_vary(part):
    assert any(part in conversation for conversation in written())


def test_a_client_with_a_request_sends_no_frames():
    lesson, found = find("deploy"), []
    for steps in conversations_of(lesson, Claims.of(lesson).model):
        begun = {}
        for step in steps:
            if step.action in BEGINNINGS:
                begun[step.client] = step.action
            elif step.action in ("text", "bytes"):
                found.append(begun[step.client])
    assert set(found) == {"connect"}


def test_the_verdict_says_how_many_conversations_were_held():
    [*_, last] = verdict_on("# No try", "# No more try").outcomes
    assert last.state == "green"
    assert last.claim == f"{CLAIM} ({len(written())} conversations)"


def test_a_failing_conversation_becomes_short():
    verdict = verdict_on('event.get("text") == "7"', '(event.get("text") or "").strip() == "7"')
    [*claims, exploration] = verdict.outcomes
    assert {claim.state for claim in claims} == {"green"}
    assert exploration.state == "red"
    assert exploration.finding.conversation in ('connect | text " 7"', 'connect | text "7 "')


def test_a_short_conversation_keeps_the_setup_and_only_the_clients_that_it_needs():
    file = SUBMISSIONS / "19_logout.toml"
    submission = verdict_on_submission(
        file, "wrong", "keeps the session in the class while it joins"
    )
    [finding] = submission.findings
    steps = finding.conversation.split(" | ")
    assert [step.split()[0] for step in steps] == ["account", "account", "connect", "&", "text"]
    assert finding.diagnosis == "wrong-connection"


def test_the_same_mistake_gives_the_same_counterexample():
    change = 'event.get("text") == "7"', '(event.get("text") or "").strip() == "7"'
    first, second = (verdict_on(*change) for _ in range(2))
    assert first.findings == second.findings


def test_nothing_is_explored_while_a_claim_is_red():
    [*_, exploration] = verdict_on("self.end(4000)", "self.end(4001)").outcomes
    assert exploration.state == "not run"
