"""`call NAME ARGUMENTS`: another process calls a function of the exercise, beside the clients."""

import pytest

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.report import PlayOptions
from lessons.workshop.engine.subject import Subject

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


def count():
    calls.append(1)
    return len(calls)


def rest(seconds):
    time.sleep(seconds)
    return seconds


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
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})
        calls.append(1)

    async def news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("ticker", self.channel_name)
        raise StopConsumer()
"""
POST = 'load {"db_demo.Post": [{"title": "free"}]}'


@pytest.fixture(scope="module")
def player():
    lesson = find("liveblog")
    target = Subject("submission", lesson.exercise, "Ticker", "AsyncConsumer", TICKER)
    with PlayerHandle(target, timeout=20) as player:
        player.wait_until_loaded()
        assert player.problem is None
        yield player


@pytest.fixture
def play(player):
    return lambda text: player.play(text.split(" | "), PlayOptions(database=True))


def texts(played, client=1):
    """The texts that the client received in each burst."""
    turns = [turn.clients[client].received for turn in played.bursts if client in turn.clients]
    return [[message["text"] for _, message in turn if "text" in message] for turn in turns]


def answers(played):
    return [answer for turn in played.bursts for answer in turn.answers if answer is not None]


def test_each_call_is_made_by_another_process_and_reaches_the_clients(play):
    played = play('connect | call tell ["one"] | call count [] | call count []')
    assert texts(played) == [[], ["one"], [], []]
    assert answers(played) == [{"returned": None}, {"returned": 1}, {"returned": 1}]


def test_the_conversation_goes_on_beside_a_call_that_sleeps(play):
    played = play('call rest [2] | connect | call tell ["one"] | wait 3')
    assert answers(played) == [{"running": True}, {"returned": None}]
    assert texts(played) == [[], ["one"], []]
    [running], _, _, [ended] = [turn.calls for turn in played.bursts]
    assert (running.text, running.ended) == ("rest(2,)", None)
    assert (ended.ended, ended.returned) == (2.0, "2")


def test_an_exception_is_a_fault_at_the_line_of_the_file(play):
    [turn] = play("call fail []").bursts
    [fault] = turn.faults
    assert (fault.client, fault.finding.diagnosis) == (None, "function-raised")
    assert TICKER.splitlines()[fault.finding.line - 1].strip() == "return 1 / 0"
    assert fault.finding.detail == "ZeroDivisionError: division by zero"
    assert turn.answers == ({"raised": "division by zero"},)


def test_without_the_network_only_code_outside_of_connections_fails(play):
    played = play(
        'redis outside gone | connect | call tell ["one"] | redis back | call tell ["two"]'
    )
    assert [[diagnose(it.finding).diagnosis for it in turn.faults] for turn in played.bursts] == [
        *([], [], ["redis-down"]),
        *([], []),
    ]
    assert texts(played) == [[], [], [], ["two"]]


@pytest.mark.parametrize("function, can_both", [("take", False), ("take_in_two_steps", True)])
def test_another_call_may_be_made_at_each_point_of_a_call(play, function, can_both):
    call = f"call {function} [1]"
    both = []
    points = play(f"{POST} | {call}").bursts[-1].points
    assert points >= 2
    for point in range(points):
        first, second = answers(play(f"{POST} | {call} | at {point} {call}"))
        both.append(bool(first["returned"]) and bool(second["returned"]))
    assert any(both) == can_both
