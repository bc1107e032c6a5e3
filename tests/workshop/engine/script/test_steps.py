"""The step grammar: every step that is parsed is written in the same words."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.workshop.engine.script.action import ACTIONS
from lessons.workshop.engine.script.frame_notation import MAX_PAYLOAD
from lessons.workshop.engine.script.steps import (
    Step,
    UnknownStep,
    filled_in,
    parse_step,
    setup_of,
    tickets_in,
)

HANDSHAKE = (
    "2 connect /ws/two/ ?a=1 subprotocols=a,b as=ada ticket=ada/2 forged=bob "
    "origin=https://a%20b%25%FF authorization=Ticket%20a server=2"
)
OPTIONS = {"path": "/ws/two/", "query": "a=1", "subprotocols": ["a", "b"], "as": "ada"}
OPTIONS |= {"ticket": "ada/2", "forged": "bob", "server": 2}
OPTIONS |= {"origin": "https://a b%\udcff", "authorization": "Ticket a"}
GROUP = {"model": "auth.Group", "fields": {"name": "é|"}}
CALL = {"name": "report", "arguments": [1, "a|b"]}

STEPS = {
    HANDSHAKE: Step("connect", OPTIONS, client=2),
    "POST hello, world": Step("POST", {"pieces": ["hello,", "world"]}),
    'POST "hello, world"': Step("POST", {"body": "hello, world"}),
    "POST /a/ /b ...": Step("POST", {"path": "/a/", "pieces": ["/b"], "unfinished": True}),
    'piece "" ...': Step("piece", {"piece": "", "unfinished": True}),
    "& text": Step("text", {"text": ""}, together=True),
    'text " two  spaces "': Step("text", {"text": " two  spaces "}),
    'text "a" * 65536': Step("text", {"text": "a" * 65536}),
    r'text "\"" + "ab" * 200 + "c\" +"': Step("text", {"text": '"' + "ab" * 200 + 'c" +'}),
    'text "\\ud800\\u007c"': Step("text", {"text": "\ud800|"}),
    "bytes 00ff * 20": Step("bytes", {"hex": "00ff" * 20}),
    "at 3 wait 2": Step("wait", {"seconds": 2.0}, point=3),
    'row auth.Group {"name": "é\\u007c"} * 120': Step("row", {**GROUP, "times": 120}, None),
    'rolled-back row auth.Group {"name": "é\\u007c"}': Step(
        "row", {**GROUP, "rolled_back": True}, None
    ),
    'call report [1, "a\\u007cb"]': Step("call", CALL, None),
    "take {channel of 2}": Step("take", {"name": "{channel of 2}"}, None),
}
USAGES = [kind.usage for name, kind in ACTIONS.items() if name != "connect"]
EXAMPLES = sorted(
    {text for usage in USAGES for text in re.split(r",? or |, (?=redis|POST)", usage)}
)


@pytest.mark.parametrize("text, step", STEPS.items())
def test_reads_a_step_and_writes_it_in_the_same_words(text, step):
    assert parse_step(text) == step
    assert str(step) == text


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_step_that_an_error_advises_is_one(text):
    step = parse_step(text)
    assert str(step) == text


@pytest.mark.parametrize(
    "text, reason",
    [
        ("sleep 1", r"'sleep 1' is unknown: write .*connect, .*, seed"),
        ("connect me", "connect does not know 'me'.*: write connect "),
        ("connect ticket=ada altered=more", "'more' is not one of longer, .*: write connect "),
        ("bytes xyz", "write bytes 00ff"),
        (f'text "a" * {MAX_PAYLOAD + 1}', "at most 2097152 characters, not 2097153.*: write text"),
        (f"bytes 00ff * {MAX_PAYLOAD // 2 + 1}", "at most 2097152 bytes, not 2097154.*write bytes"),
        ("wait -1", "cannot be read: write wait 0.5"),
        ("layer []", "not a JSON object"),
        ('layer {"number": 1e999}', "write layer "),
        ("redis up", "write redis gone, .*, or redis back"),
        ('POST "\\ud800"', "write POST piece piece"),
        ("row auth.Group", "write row "),
        ("silent auth.Group {}", "write row "),
        ("capacity many", "write capacity 3"),
        ("call report {}", "not a JSON list.*: write call report "),
        ("2 row auth.Group {}", "No client takes .*: remove the number 2"),
        ('layer {"a": ' + "[" * 9999, "is nested too deep"),
    ],
)
def test_an_unknown_step_is_reported_with_the_cure(text, reason):
    with pytest.raises(UnknownStep, match=reason):
        parse_step(text)


@given(st.text())
def test_any_text_of_a_frame_is_written_and_read_as_the_same_text(text):
    step = Step("text", {"text": text})
    assert parse_step(str(step)) == step


@given(st.text())
def test_any_text_is_a_step_or_is_refused_with_a_reason(text):
    with suppress(UnknownStep):
        step = parse_step(text)
        assert parse_step(str(step)) == step


def test_the_first_steps_say_how_to_play():
    steps = [*map(parse_step, ("seed 7", "keys both", "connect"))]
    assert setup_of(steps) == {"seed": 7, "keys": "both"}
    with pytest.raises(UnknownStep, match="'seed 7' stands too late: write it as the first step"):
        setup_of([steps[2], steps[0]])


def test_a_channel_stands_for_the_name_that_is_known():
    step = parse_step('layer {"a": ["{channel of 2}"], "b": {"c": "to {channel of 3}"}, "d": 1}')
    message = filled_in(step, {2: "specific.a!1"}).arguments["message"]
    assert message == {"a": ["specific.a!1"], "b": {"c": "to {channel of 3}"}, "d": 1}


def test_a_token_stands_for_the_ticket_with_its_options():
    step = parse_step("connect subprotocols=a,b.{token=ada} ?{token=bob}")
    assert tickets_in(step) == [{"ticket": "ada"}]
    step = parse_step('text {"a": "{token=ada/2&altered=longer}", "b": "{token=}{channel of 2}"}')
    assert tickets_in(step) == [{"ticket": "ada/2", "altered": "longer"}]
    text = filled_in(step, {}, lambda options: options["altered"]).arguments["text"]
    assert text == '{"a": "longer", "b": "{token=}{channel of 2}"}'
