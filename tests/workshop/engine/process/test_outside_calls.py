"""`call NAME ARGUMENTS`: another process calls a function of the exercise, beside the clients."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.session import PlayOptions, Session
from lessons.workshop.engine.process.target import Target

TICKER = """\
import time

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from db_demo.models import Post

calls = []


def tell(text):
    async_to_sync(get_channel_layer().group_send)("ticker", {"type": "news", "text": text})


def insist(text):
    while True:
        try:
            return tell(text)
        except Exception:
            time.sleep(0.5)


def count():
    calls.append(1)
    return len(calls)


def rest(seconds):
    time.sleep(seconds)
    return object if seconds > 5 else seconds


def take(id):
    return Post.objects.filter(id=id, title="free").update(title="taken")


def take_in_two_steps(id):
    post = Post.objects.get(id=id)
    is_free = post.title == "free"
    post.title = "taken"
    post.save()
    return is_free


def fail():
    return 1 / 0


class Ticker(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})
        calls.append(1)

    async def news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""
POST = 'load {"db_demo.Post": [{"title": "free"}]}'


@pytest.fixture(scope="module")
def session():
    lesson = find("liveblog")
    target = Target("submission", lesson.exercise, "Ticker", "AsyncConsumer", TICKER)
    with Session(lesson, target, timeout=20) as session:
        session.wait_until_loaded()
        assert session.problem is None
        yield session


@pytest.fixture
def play(session):
    return lambda text: session.play(text.split(" | "), PlayOptions(database=True))


def texts(played, client=1):
    """The texts that the client received in each burst."""
    turns = [turn.clients[client].received for turn in played.turns if client in turn.clients]
    return [[message["text"] for _, message in turn if "text" in message] for turn in turns]


def answers(played):
    return [answer for turn in played.turns for answer in turn.answers if answer is not None]


def test_a_call_reaches_the_clients(play):
    played = play('connect | call tell ["one"] | call tell ["two"] | close')
    assert texts(played) == [[], ["one"], ["two"], []]
    assert answers(played) == [{"returned": None}] * 2


def test_each_call_is_made_by_another_process(play):
    played = play("connect | call count [] | call count []")
    assert answers(played) == [{"returned": 1}] * 2


def test_the_conversation_goes_on_beside_a_call_that_sleeps(play):
    played = play('call rest [2] | connect | call tell ["one"] | wait 3')
    assert answers(played) == [{"running": True}, {"returned": None}]
    assert texts(played) == [[], ["one"], []]
    begun, connected, _, ended = [
        [(it.text, it.ended) for it in turn.calls] for turn in played.turns
    ]
    assert begun == connected == [("rest(2,)", None)]
    assert ended == [("rest(2,)", 2.0)]
    assert played.turns[-1].calls[0].returned == "2"


def test_a_call_that_runs_at_the_end_is_waited_for(play):
    played = play('redis outside gone | call insist ["one"]')
    assert answers(played) == [{"running": True}]
    assert (played.stuck, played.leftovers) == (None, ())


def test_a_result_that_json_cannot_hold_is_shown_as_python_writes_it(play):
    assert play("call rest [6] | wait 7").turns[-1].calls[0].returned == "\"<class 'object'>\""


def test_an_exception_is_a_fault_at_the_line_of_the_file(play):
    [turn] = play("call fail []").turns
    [fault] = turn.faults
    assert (fault.client, fault.finding.diagnosis) == (None, "function-raised")
    line = TICKER.splitlines()[fault.finding.line - 1]
    assert (line.strip(), fault.finding.detail) == (
        "return 1 / 0",
        "ZeroDivisionError: division by zero",
    )
    assert turn.answers == ({"raised": "division by zero"},)


def test_wrong_arguments_are_a_fault(play):
    [turn] = play("call count [1]").turns
    [fault] = turn.faults
    assert fault.finding.diagnosis == "function-raised"
    assert fault.finding.detail.startswith("TypeError: count() takes 0 positional arguments")


def test_a_function_that_is_missing_is_a_fault(play):
    [turn] = play("call report []").turns
    [fault] = turn.faults
    assert fault.finding.diagnosis == "name-missing"
    assert fault.finding.detail == "Looked for report."


def test_without_the_network_only_code_outside_of_connections_fails(play):
    played = play(
        'redis outside gone | connect | call tell ["one"] | redis back | call tell ["two"]'
    )
    assert [[it.finding.diagnosis for it in turn.faults] for turn in played.turns] == [
        *([], [], ["redis-down"]),
        *([], []),
    ]
    assert texts(played) == [[], [], [], ["two"]]


def test_a_call_goes_on_when_redis_is_back(play):
    steps = 'redis outside gone | call insist ["one"] | wait 0.7 | redis back | wait 1'
    assert texts(play(f"connect | {steps}")) == [[], [], [], [], [], ["one"]]


@pytest.mark.parametrize("function, can_both", [("take", False), ("take_in_two_steps", True)])
def test_another_call_may_be_made_at_each_point_of_a_call(play, function, can_both):
    call = f"call {function} [1]"
    both = []
    points = play(f"{POST} | {call}").turns[-1].points
    assert points >= 2
    for point in range(points):
        first, second = answers(play(f"{POST} | {call} | at {point} {call}"))
        both.append(bool(first["returned"]) and bool(second["returned"]))
    assert any(both) == can_both


def test_a_call_at_a_point_waits_until_the_database_is_free(play):
    """The consumer, or another call, may have locked it: then the call acts at the next point."""
    call = "call take_in_two_steps [1]"
    points = play(f"{POST} | {call}").turns[-1].points
    for point in range(points):
        played = play(f"{POST} | {call} | at {point} call take [1]")
        assert not [fault for turn in played.turns for fault in turn.faults]
