"""Submissions for lesson 4: each right test is green, each wrong one gets its diagnosis."""

import pytest

from lessons.judge import judge
from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio

import pytest
from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    stranger = WebsocketCommunicator(application, "/lamp/?key=tin")
    assert await stranger.connect() == (False, 1000)
    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    other = WebsocketCommunicator(application, "/lamp/?key=brass")
    assert await client.connect() == (True, None)
    assert await other.connect() == (True, None)
    for state in ("on", "off", "on"):
        await client.send_to(text_data="switch")
        assert await client.receive_from() == state
    await other.send_to(text_data="switch")
    assert await other.receive_from() == "on"
    await client.send_to(text_data="hit")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    assert await client.receive_nothing()
    for one in (stranger, client, other):
        await one.disconnect()
        assert not one.future.cancelled()
"""

SILENCE = "    assert await client.receive_nothing()\n"
LEAVE = "        await one.disconnect()\n"
STOPPED = "        assert not one.future.cancelled()\n"
OTHER = """\
    await other.send_to(text_data="switch")
    assert await other.receive_from() == "on"
"""

submissions = Submissions("communicator", "", RIGHT)


def judged(old="", new=""):
    assert old in RIGHT
    return submissions.verdict(source=RIGHT.replace(old, new))


def test_the_usual_version_is_green():
    assert judged().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        # The stock receive_nothing() measures with the machine's clock, and the loop skips time.
        looks_for_silence_often=(" == state\n", " == state\n    " + SILENCE),
        is_patient=("receive_nothing()", "receive_nothing(timeout=30, interval=0.5)"),
        waits_for_the_future=(STOPPED, "        await asyncio.wait_for(one.future, 1)\n"),
        asks_for_the_exception=(STOPPED, "        assert one.future.exception() is None\n"),
        leaves_as_a_browser_does=(LEAVE, "        await one.disconnect(code=None)\n"),
        blocks_and_prints=(
            OTHER,
            "    __import__('time').sleep(0.01)\n    print('x' * 9999)\n" + OTHER,
        ),
        fails_with_pytest=(
            STOPPED,
            "        if one.future.cancelled():\n            pytest.fail('no')\n",
        ),
        hits_with_bytes=('text_data="hit"', 'bytes_data=b"switch"'),
        leaves_a_task=(OTHER, "    asyncio.create_task(asyncio.sleep(3600))\n" + OTHER),
    ),
)
def test_a_right_change_stays_green(old, new):
    assert judged(old, new).findings == []


RAW_EVENTS = """\
import asyncio

from channels.testing import ApplicationCommunicator


async def heard(client, **event):
    await client.send_input(event)
    await asyncio.sleep(0.2)
    queue = client.output_queue
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_lamp(application):
    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": []}
    queries = (b"key=brass", b"key=brass", b"")
    a, b, c = (ApplicationCommunicator(application, scope | {"query_string": q}) for q in queries)
    for client, answer in ((a, "accept"), (b, "accept"), (c, "close")):
        (reply,) = await heard(client, type="websocket.connect")
        assert reply["type"] == f"websocket.{answer}"
    for client, state in ((a, "on"), (b, "on"), (b, "off"), (b, "on")):
        (reply,) = await heard(client, type="websocket.receive", text="switch")
        assert reply["text"] == state
    (reply,) = await heard(a, type="websocket.receive", text=None, bytes=b"switch")
    assert reply == {"type": "websocket.close", "code": 4000}
    for client in (a, b, c):
        assert await heard(client, type="websocket.disconnect", code=None) == []
        assert client.future.result() is None
"""

STRICT = """\
from lessons.judge import StrictCommunicator


async def conversation(application, other):
    async with StrictCommunicator(application, "/lamp/?key=brass") as client:
        assert await client.connect() == (True, None)
        for state in ("on", "off", "on"):
            await client.send_to(text_data="switch")
            assert await client.receive_from() == state
        if other:
            await other
        await client.send_to(text_data="hit")
        client.expect({"type": "websocket.close", "code": 4000})


async def test_lamp(application):
    async with StrictCommunicator(application, "/lamp/") as stranger:
        assert await stranger.connect() == (False, 1000)
    await conversation(application, conversation(application, None))
"""

ONE_AFTER_THE_OTHER = """\
from channels.testing import WebsocketCommunicator


async def test_lamp(application):
    for key, accepted in (("silver", False), ("brass", True), ("brass", True)):
        client = WebsocketCommunicator(application, f"/?key={key}")
        assert (await client.connect())[0] is accepted
        if accepted:
            for state in ("on", "off", "on"):
                await client.send_to(text_data="switch")
                assert await client.receive_from() == state
            await client.send_to(text_data="Switch")
            assert (await client.receive_output())["code"] == 4000
            assert await client.receive_nothing()
        await client.disconnect()
        assert not client.future.cancelled()
"""


@pytest.mark.parametrize(
    "source", named(raw=RAW_EVENTS, strict=STRICT, in_turn=ONE_AFTER_THE_OTHER)
)
def test_any_shape_of_the_test_is_allowed(source):
    assert submissions.verdict(source=source).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        asserts_a_tuple=("test-passes-open-door", "connect() == (False, 1000)", "connect()"),
        ends_with_the_refusal=("test-passes-crash", "(stranger, client, other)", "(client, other)"),
        never_lets_go=("test-passes-crash", LEAVE, ""),
        takes_any_reply=("test-passes-bytes", "receive_from() ==", "receive_from() and"),
        takes_any_state=("test-passes-stuck-lamp", "() == state", "() in ('on', 'off')"),
        has_one_client=("test-passes-shared-lamp", OTHER, ""),
        leaves_the_first_one_off=("test-passes-shared-lamp", '"off", "on"', '"off"'),
        listens_to_the_other=(
            "test-passes-late-frame",
            SILENCE,
            SILENCE.replace("client", "other"),
        ),
        drops_the_answer=("test-passes-late-frame", SILENCE, SILENCE.replace("assert ", "")),
        asks_for_no_code=(
            "test-passes-wrong-code",
            '== {"type": "websocket.close", "code": 4000}',
            "",
        ),
        trusts_disconnect=("test-passes-endless", STOPPED, ""),
        takes_cancelled_for_done=(
            "test-passes-endless",
            STOPPED,
            "        assert one.future.done()\n",
        ),
        waits_again=("test-passes-endless", STOPPED, "        await one.wait()\n"),
        asserts_a_coroutine=("never-awaited", SILENCE, SILENCE.replace("await ", "")),
        waits_for_a_time_out=(
            "test-fails-the-right-one",
            SILENCE,
            "    with pytest.raises(TimeoutError):\n        await client.receive_output()\n",
        ),
        wants_another_code=("test-fails-the-right-one", "4000", "4001"),
        skips=("test-fails-the-right-one", OTHER, "    pytest.skip('later')\n"),
        asks_for_a_fixture=("test-fails-the-right-one", "(application)", "(application, db)"),
        yields=("test-runs-nothing", SILENCE, SILENCE + "    yield\n"),
        returns_at_once=("test-runs-nothing", "    stranger =", "    return\n    stranger ="),
        exits=("calls-exit", SILENCE, "    raise SystemExit\n"),
    ),
)
def test_a_weak_test_gets_a_diagnosis(diagnosis, old, new):
    assert judged(old, new).diagnosis_ids[:1] == [diagnosis]


def test_a_test_that_catches_its_own_failures_is_weak():
    body = RIGHT.partition("(application):")[2].replace("\n", "\n    ").rstrip()
    source = RIGHT.partition("(application):")[0] + "(application):\n    try:" + body
    source += "\n    except Exception as error:\n        print(error)\n"
    assert submissions.verdict(source=source).diagnosis_ids[:1] == ["test-passes-open-door"]


def test_a_test_with_its_own_consumer_runs_nothing():
    source = "from sync_demo.consumers import Turnstile\n" + RIGHT.replace(
        "(application, ", "(Turnstile.as_asgi(), "
    ).replace("key=brass", "gate=north").replace("switch", "in")
    assert submissions.verdict(
        source=source.partition("    for state")[0], to_the_end=True
    ).diagnosis_ids == ["test-runs-nothing"]


UNREAD = """\
from channels.testing import WebsocketCommunicator


async def conversation(application):
    client = WebsocketCommunicator(application, "/lamp/?key=brass")
    await client.connect()
    for text in ("switch", "switch", "hit"):
        await client.send_to(text_data=text)


async def test_lamp(application):
    for _ in range(10):
        await conversation(application)
"""


def test_a_consumer_dropped_during_its_work_does_not_affect_the_next_submission():
    ids = submissions.verdict(source=UNREAD, to_the_end=True).diagnosis_ids
    assert ids[0] == "test-passes-open-door"
    assert not {"test-fails-the-right-one", "never-awaited"} & set(ids)


@pytest.mark.parametrize("wait", ["await asyncio.sleep(1)", "pass"])
def test_an_endless_test_is_stopped(wait, tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(RIGHT.replace(SILENCE, f"    while True:\n        {wait}\n"))
    assert judge(submissions.lesson, str(file), timeout=1).diagnosis_ids == ["stuck"]
