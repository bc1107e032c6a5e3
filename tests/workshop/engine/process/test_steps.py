"""The step grammar: every step that is parsed is written in the same words."""

import json
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.engine.script.steps import (
    MAX_PAYLOAD,
    METHODS,
    REDIS_STATES,
    Step,
    UnknownStep,
    parse_step,
    split_steps,
    tickets_in,
    with_channels,
    with_tickets,
)
from lessons.workshop.engine.world.daphne_rules import MAX_FRAME_SIZE

TRANSCRIPT = re.compile(r"^`{3,}transcript \S+ \| (?P<steps>.+)$", re.MULTILINE)


def steps_of_the_course():
    """Every step in a transcript, a prediction and the rows that a lesson begins with."""
    for lesson in lessons():
        for found in TRANSCRIPT.finditer(lesson.text):
            yield from split_steps(found["steps"])
        for entry in tomllib.loads(lesson.predictions.read_text())["prediction"]:
            yield from entry["steps"]
        yield from lesson.rows


@pytest.mark.parametrize("text", sorted(set(steps_of_the_course())))
def test_every_step_of_the_course_is_written_as_it_was_read(text):
    step = parse_step(text)
    assert str(step) == text.removeprefix("1 ")
    assert Step.from_json(json.loads(json.dumps(step.as_json()))) == step


@pytest.mark.parametrize(
    "text, step",
    [
        ("connect", Step("connect")),
        (
            "2 connect /ws/two/ ?a=1 subprotocols=a,b as=ada ticket=ada/2 origin=http://a.test",
            Step(
                "connect",
                {
                    "path": "/ws/two/",
                    "query": "a=1",
                    "subprotocols": ["a", "b"],
                    "as": "ada",
                    "ticket": "ada/2",
                    "origin": "http://a.test",
                },
                client=2,
            ),
        ),
        (
            "connect ticket=ada forged=bob spliced=cleo altered=longer "
            "host=a.test origin=https://a%20b%25%FF cookie=a=b; authorization=Ticket%20a server=2",
            Step(
                "connect",
                {
                    "ticket": "ada",
                    "forged": "bob",
                    "spliced": "cleo",
                    "altered": "longer",
                    "host": "a.test",
                    "origin": "https://a b%\udcff",
                    "cookie": "a=b;",
                    "authorization": "Ticket a",
                    "server": 2,
                },
            ),
        ),
        ("GET", Step("GET")),
        ("POST hello, world", Step("POST", {"pieces": ["hello,", "world"]})),
        ('POST "" 1 ""', Step("POST", {"pieces": ["", "1", ""]})),
        ("POST 1 2 ...", Step("POST", {"pieces": ["1", "2"], "unfinished": True})),
        ("2 piece 3", Step("piece", {"piece": "3"}, client=2)),
        ('piece "" ...', Step("piece", {"piece": "", "unfinished": True})),
        ('POST "hello, world"', Step("POST", {"body": "hello, world"})),
        ("GET /health/", Step("GET", {"path": "/health/"})),
        (
            "2 POST /drain/ /a ...",
            Step("POST", {"path": "/drain/", "pieces": ["/a"], "unfinished": True}, client=2),
        ),
        ('POST /drain/ "two words"', Step("POST", {"path": "/drain/", "body": "two words"})),
        ('3 text " two  spaces "', Step("text", {"text": " two  spaces "}, client=3)),
        ('text "two\\nlines"', Step("text", {"text": "two\nlines"})),
        ('text "a" * 65536', Step("text", {"text": "a" * 65536})),
        (r'text "\"" + "ab" * 200 + "c\" +"', Step("text", {"text": '"' + "ab" * 200 + 'c" +'})),
        ('text "a" * 300 + "b" * 200', Step("text", {"text": "a" * 300 + "b" * 200})),
        ('text "\\ud800\\u007c"', Step("text", {"text": "\ud800|"})),
        ("& 2 text hi", Step("text", {"text": "hi"}, client=2, together=True)),
        ("at 3 close", Step("close", point=3)),
        ("text", Step("text", {"text": ""})),
        ("bytes 00ff", Step("bytes", {"hex": "00ff"})),
        ("bytes 00ff * 20", Step("bytes", {"hex": "00ff" * 20})),
        ("close", Step("close")),
        ("close 1001", Step("close", {"code": 1001})),
        ("vanish", Step("vanish")),
        ("wait 0.5", Step("wait", {"seconds": 0.5})),
        ('layer {"type": "a.b"}', Step("layer", {"message": {"type": "a.b"}})),
        ("redis gone", Step("redis", {"state": "gone"}, client=None)),
        ("redis groups gone", Step("redis", {"state": "groups gone"}, client=None)),
        ("redis outside gone", Step("redis", {"state": "outside gone"}, client=None)),
        ("crash", Step("crash")),
        ("kill", Step("kill")),
        (
            'row auth.Group {"name": "é"}',
            Step("row", {"model": "auth.Group", "fields": {"name": "é"}}, client=None),
        ),
        (
            "rolled-back row auth.Group {}",
            Step("row", {"model": "auth.Group", "fields": {}, "rolled_back": True}, client=None),
        ),
        (
            'row auth.Group {"name": "\\u007c"} * 120',
            Step(
                "row", {"model": "auth.Group", "fields": {"name": "|"}, "times": 120}, client=None
            ),
        ),
        (
            'partial row auth.Group {"id": 1}',
            Step("row", {"model": "auth.Group", "fields": {"id": 1}, "partial": True}, client=None),
        ),
        (
            "silent row auth.Group {}",
            Step("row", {"model": "auth.Group", "fields": {}, "silent": True}, client=None),
        ),
        (
            'load {"auth.Group": [{"name": "a"}]}',
            Step("load", {"tables": {"auth.Group": [{"name": "a"}]}}, client=None),
        ),
        ("begin", Step("begin", client=None)),
        ("commit", Step("commit", client=None)),
        ("rollback", Step("rollback", client=None)),
        ("database restarted", Step("database", {"event": "restarted"}, client=None)),
        ("worker a b", Step("worker", {"channels": ["a", "b"]}, client=None)),
        (
            "delete auth.Group {}",
            Step("delete", {"model": "auth.Group", "fields": {}}, client=None),
        ),
        ("rows auth.Group", Step("rows", {"model": "auth.Group"}, client=None)),
        (
            'group a {"type": "a.b"}',
            Step("group", {"name": "a", "message": {"type": "a.b"}}, client=None),
        ),
        ("join a b", Step("join", {"group": "a", "name": "b"}, client=None)),
        ("take a", Step("take", {"name": "a"}, client=None)),
        ("take-all a", Step("take-all", {"name": "a"}, client=None)),
        ("kill-workers", Step("kill-workers", client=None)),
        ("logout ada", Step("logout", {"user": "ada"}, client=None)),
        (
            'account ada {"is_active": false}',
            Step("account", {"user": "ada", "fields": {"is_active": False}}, client=None),
        ),
        ("session ada {}", Step("session", {"user": "ada", "fields": {}}, client=None)),
        ("issue ada/2", Step("issue", {"name": "ada/2"}, client=None)),
        (
            'call report [1, "a\\u007cb"]',
            Step("call", {"name": "report", "arguments": [1, "a|b"]}, client=None),
        ),
        ("capacity 3", Step("capacity", {"messages": 3}, client=None)),
        ("keys both", Step("keys", {"frames": "both"}, client=None)),
        ("keys fewer", Step("keys", {"frames": "fewer"}, client=None)),
        ("seed 7", Step("seed", {"number": 7}, client=None)),
    ],
)
def test_parses_and_writes_each_kind_of_step(text, step):
    assert parse_step(text) == step
    assert str(step) == text
    assert Step.from_json(step.as_json()) == step


@pytest.mark.parametrize(
    "text, reason",
    [
        ("sleep 1", r"'sleep 1' is unknown: write connect, .*, seed\."),
        ("", "'' is unknown"),
        ("connect me", "connect does not know 'me'.*: write connect "),
        ("connect ticket=ada altered=more", "altered= is one of longer, "),
        ("connect server=two", "write connect "),
        ("account ada", "write account ada "),
        ("bytes xyz", "write bytes 00ff"),
        (
            f'text "a" * {MAX_PAYLOAD + 1}',
            r"at most 2097152 characters, not 2097153; use a smaller number\): write text hello",
        ),
        (f'text "ab" * {MAX_PAYLOAD // 2} + "c"', "not 2097153"),
        (f"bytes 00ff * {MAX_PAYLOAD // 2 + 1}", "at most 2097152 bytes, not 2097154.*write bytes"),
        ("close soon", "write close, or close 1001"),
        ("vanish now", "cannot be read: write vanish"),
        ("wait nan", "cannot be read: write wait 0.5"),
        ("wait -1", "cannot be read: write wait 0.5"),
        ("layer []", "not a JSON object"),
        ("layer {", "write layer "),
        ('layer {"number": 1e999}', "write layer "),
        ("redis up", "write redis gone, .*, or redis back"),
        ('POST "\\ud800"', "write POST piece piece"),
        ("row auth.Group", "write row "),
        ("worker", "cannot be read: write worker channel"),
        ("capacity many", "write capacity 3"),
        ("call report", "write call report "),
        ("call report {}", "no name and list.*: write call report "),
        ("call [1]", "write call report "),
        ("2 row auth.Group {}", "No client takes .*: remove the number 2"),
    ],
)
def test_an_unknown_step_is_reported_with_the_cure(text, reason):
    with pytest.raises(UnknownStep, match=reason):
        parse_step(text)


@pytest.mark.parametrize("step", ['text "ab" * {}', 'text "c" * 2 + "ab" * {} + "c"'])
def test_a_text_that_only_looks_like_a_long_one_stands_for_itself(step):
    text = step.format(MAX_PAYLOAD) + " and more"
    assert parse_step(text).arguments == {"text": text.removeprefix("text ")}


@pytest.mark.parametrize("step", ['text "é" * {}', "bytes ff * {}"])
def test_a_frame_may_be_twice_as_long_as_daphne_receives(step):
    assert parse_step(step.format(2 * MAX_FRAME_SIZE)).payload_length == 2 * MAX_FRAME_SIZE


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        {"action": "sleep", "arguments": {}, "client": 1},
        {"action": "text", "arguments": {}, "client": 1},
        {"action": "wait", "arguments": {"seconds": float("inf")}, "client": 1},
        {"action": "layer", "arguments": {"message": [1]}, "client": 1},
        {"action": "row", "arguments": {"model": "a.B", "fields": {}}, "client": 2},
    ],
)
def test_rejects_json_that_does_not_describe_a_step(data):
    with pytest.raises(UnknownStep):
        Step.from_json(data)


def test_json_from_a_page_is_brought_into_the_usual_form():
    arguments = {"query": "a=b&c", "other": 1}
    step = Step.from_json({"action": "connect", "arguments": arguments, "client": 1})
    assert step == Step("connect", {"query": "a=b&c="})


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Z", "C"], exclude_characters='"'), min_size=1
)
NAMES = WORDS.filter(lambda word: "," not in word)
BODIES = st.text(st.characters(exclude_categories=["Cs"]))
PIECES = st.lists(WORDS, min_size=1)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(WORDS, children, max_size=3),
    max_leaves=8,
)
JSON_OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES)


def arguments(**strategies):
    return st.fixed_dictionaries(strategies)


CLIENT_STEPS = {
    "connect": st.fixed_dictionaries(
        {},
        optional={
            "path": WORDS.map("/{}".format),
            "subprotocols": st.lists(NAMES, min_size=1, max_size=3),
            "as": WORDS,
            "ticket": WORDS,
            "origin": st.binary(min_size=1).map(lambda it: it.decode(errors="surrogateescape")),
            "server": st.integers(1, 9),
        },
    ),
    "text": arguments(text=st.text()),
    "bytes": arguments(hex=st.binary().map(bytes.hex)),
    "close": st.fixed_dictionaries({}, optional={"code": st.integers()}),
    "vanish": st.just({}),
    "crash": st.just({}),
    "kill": st.just({}),
    "wait": arguments(seconds=st.floats(0, allow_infinity=False)),
    "layer": arguments(message=JSON_OBJECTS),
} | {
    method: st.just({})
    | arguments(body=BODIES)
    | arguments(pieces=PIECES.filter(lambda pieces: pieces[0][0] != "/"))
    | arguments(path=WORDS.map("/{}".format))
    | arguments(path=WORDS.map("/{}".format), body=BODIES)
    | arguments(path=WORDS.map("/{}".format), pieces=PIECES)
    for method in METHODS
}
OTHER_STEPS = {
    "row": arguments(model=WORDS, fields=JSON_OBJECTS)
    | arguments(model=WORDS, fields=JSON_OBJECTS, times=st.integers(1, 9999))
    | arguments(model=WORDS, fields=JSON_OBJECTS, silent=st.just(True))
    | arguments(model=WORDS, fields=JSON_OBJECTS, rolled_back=st.just(True)),
    "account": arguments(user=WORDS, fields=JSON_OBJECTS),
    "load": arguments(tables=JSON_OBJECTS),
    "worker": arguments(channels=st.lists(WORDS, min_size=1)),
    "capacity": arguments(messages=st.integers()),
    "redis": arguments(state=st.sampled_from(REDIS_STATES)),
    "call": arguments(
        name=st.from_regex(r"[a-z][a-z_0-9]*", fullmatch=True), arguments=st.lists(JSON_VALUES)
    ),
}


def any_of(kinds, clients):
    return st.one_of(
        st.builds(Step, st.just(action), found, clients) for action, found in kinds.items()
    )


@given(any_of(CLIENT_STEPS, st.integers(1, 999)) | any_of(OTHER_STEPS, st.none()))
def test_every_step_that_is_written_is_read_as_the_same_step(step):
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
