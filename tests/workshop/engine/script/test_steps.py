"""The step grammar: every step that is parsed is written in the same words."""

import json
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.engine.script.frame_notation import MAX_PAYLOAD
from lessons.workshop.engine.script.steps import (
    Step,
    UnknownStep,
    parse_step,
    split_steps,
    tickets_in,
    with_channels,
    with_tickets,
)

TRANSCRIPT = re.compile(r"^`{3,}transcript \S+ \| (?P<steps>.+)$", re.MULTILINE)


def steps_of_the_course():
    """Every step in a transcript, a prediction and the rows that a lesson begins with."""
    for lesson in lessons():
        for found in TRANSCRIPT.finditer(lesson.text):
            yield from split_steps(found["steps"])
        for entry in tomllib.loads(lesson.predictions.read_text())["prediction"]:
            yield from entry["steps"]
        yield from lesson.rows


def test_every_step_of_the_course_is_written_as_it_was_read():
    for text in set(steps_of_the_course()):
        step = parse_step(text)
        assert str(step) == text.removeprefix("1 ")
        assert Step.from_json(json.loads(json.dumps(step.as_json()))) == step


@pytest.mark.parametrize(
    "text, step",
    [
        (
            "2 connect /ws/two/ ?a=1 subprotocols=a,b as=ada ticket=ada/2 forged=bob "
            "origin=https://a%20b%25%FF authorization=Ticket%20a server=2",
            Step(
                "connect",
                {
                    "path": "/ws/two/",
                    "query": "a=1",
                    "subprotocols": ["a", "b"],
                    "as": "ada",
                    "ticket": "ada/2",
                    "forged": "bob",
                    "server": 2,
                    "origin": "https://a b%\udcff",
                    "authorization": "Ticket a",
                },
                client=2,
            ),
        ),
        ("POST hello, world", Step("POST", {"pieces": ["hello,", "world"]})),
        ('piece "" ...', Step("piece", {"piece": "", "unfinished": True})),
        ('POST "hello, world"', Step("POST", {"body": "hello, world"})),
        (
            "2 POST /drain/ /a ...",
            Step("POST", {"path": "/drain/", "pieces": ["/a"], "unfinished": True}, client=2),
        ),
        ('3 text " two  spaces "', Step("text", {"text": " two  spaces "}, client=3)),
        ('text "a" * 65536', Step("text", {"text": "a" * 65536})),
        (r'text "\"" + "ab" * 200 + "c\" +"', Step("text", {"text": '"' + "ab" * 200 + 'c" +'})),
        ('text "\\ud800\\u007c"', Step("text", {"text": "\ud800|"})),
        ("& 2 text hi", Step("text", {"text": "hi"}, client=2, together=True)),
        ("at 3 close", Step("close", point=3)),
        ("text", Step("text", {"text": ""})),
        ("bytes 00ff * 20", Step("bytes", {"hex": "00ff" * 20})),
        (
            'row auth.Group {"name": "\\u007c"} * 120',
            Step(
                "row", {"model": "auth.Group", "fields": {"name": "|"}, "times": 120}, client=None
            ),
        ),
        (
            'call report [1, "a\\u007cb"]',
            Step("call", {"name": "report", "arguments": [1, "a|b"]}, client=None),
        ),
    ],
)
def test_reads_a_step_and_writes_it_in_the_same_words(text, step):
    assert parse_step(text) == step
    assert str(step) == text
    assert Step.from_json(step.as_json()) == step


WRITTEN = """
connect | close 1001 | vanish | crash | kill | wait 0.5 | layer {"type": "a.b"} | GET /health/
row auth.Group {"name": "é"} | rolled-back row auth.Group {} | partial row auth.Group {"id": 1}
silent row auth.Group {} | load {"auth.Group": [{"name": "a"}]} | delete auth.Group {}
begin | commit | rollback | database restarted | rows auth.Group | worker a b | kill-workers
group a {"type": "a.b"} | join a b | take a | take-all a | redis outside gone | redis groups gone
logout ada | account ada {"is_active": false} | session ada {} | issue ada/2
capacity 3 | keys fewer | seed 7
"""


@pytest.mark.parametrize("text", WRITTEN.strip().replace("\n", " | ").split(" | "))
def test_each_kind_of_step_is_written_as_it_was_read(text):
    step = parse_step(text)
    assert str(step) == text
    assert step.action in text.split()
    assert Step.from_json(json.loads(json.dumps(step.as_json()))) == step


@pytest.mark.parametrize(
    "text, reason",
    [
        ("sleep 1", r"'sleep 1' is unknown: write connect, .*, try\."),
        ("connect me", "connect does not know 'me'.*: write connect "),
        ("connect ticket=ada altered=more", "'more' is not one of longer, .*: write connect "),
        ("bytes xyz", "write bytes 00ff"),
        (
            f'text "a" * {MAX_PAYLOAD + 1}',
            r"at most 2097152 characters, not 2097153; use a smaller number\): write text hello",
        ),
        (f"bytes 00ff * {MAX_PAYLOAD // 2 + 1}", "at most 2097152 bytes, not 2097154.*write bytes"),
        ("wait -1", "cannot be read: write wait 0.5"),
        ("layer []", "not a JSON object"),
        ('layer {"number": 1e999}', "write layer "),
        ("redis up", "write redis gone, .*, or redis back"),
        ('POST "\\ud800"', "write POST piece piece"),
        ("row auth.Group", "write row "),
        ("capacity many", "write capacity 3"),
        ("call report {}", "not a JSON list.*: write call report "),
        ("2 row auth.Group {}", "No client takes .*: remove the number 2"),
    ],
)
def test_an_unknown_step_is_reported_with_the_cure(text, reason):
    with pytest.raises(UnknownStep, match=reason):
        parse_step(text)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"action": "text", "arguments": {}, "client": 1},
        {"action": "wait", "arguments": {"seconds": float("inf")}, "client": 1},
        {"action": "row", "arguments": {"model": "a.B", "fields": {}}, "client": 2},
    ],
)
def test_rejects_json_that_does_not_describe_a_step(data):
    with pytest.raises(UnknownStep):
        Step.from_json(data)


@given(st.text())
def test_any_text_of_a_frame_is_written_and_read_as_the_same_text(text):
    step = Step("text", {"text": text})
    assert parse_step(str(step)) == step
    assert Step.from_json(json.loads(json.dumps(step.as_json()))) == step


@given(st.text())
def test_any_text_is_a_step_or_is_refused_with_a_reason(text):
    try:
        step = parse_step(text)
    except UnknownStep:
        return
    assert parse_step(str(step)) == step


def test_a_channel_stands_for_the_name_that_is_known():
    step = parse_step('layer {"a": ["{channel of 2}"], "b": {"c": "to {channel of 3}"}, "d": 1}')
    message = with_channels(step, {2: "specific.a!1"}).arguments["message"]
    assert message == {"a": ["specific.a!1"], "b": {"c": "to {channel of 3}"}, "d": 1}


def test_a_token_stands_for_the_ticket_with_its_options():
    step = parse_step("connect subprotocols=a,b.{token=ada} ?{token=bob}")
    assert tickets_in(step) == [{"ticket": "ada"}]
    step = parse_step(
        'text {"token": "{token=ada/2&altered=longer}", "b": "{token=}{channel of 2}"}'
    )
    assert tickets_in(step) == [{"ticket": "ada/2", "altered": "longer"}]
    text = with_tickets(step, lambda options: options["altered"]).arguments["text"]
    assert text == '{"token": "longer", "b": "{token=}{channel of 2}"}'
