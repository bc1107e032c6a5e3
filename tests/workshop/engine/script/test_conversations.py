"""Steps that are taken: what clients receive, what steps answer, and which faults show."""

from dataclasses import replace

import pytest
from django.contrib.sessions.backends import base

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.conversation import Conversation
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.report import PlayOptions
from lessons.workshop.engine.script.steps import parse_step, split_steps
from lessons.workshop.engine.subject import Subject

NEWS = """\
import asyncio
import time

from asgiref.sync import async_to_sync
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.core.cache import cache

from db_demo.models import Post

here = []
layer = get_channel_layer()


def issue(user):
    print(f"ticket-{user.pk}")
    return f"ticket-{user.pk}"


def count():
    here.append(1)
    return len(here)


def rest(seconds):
    time.sleep(seconds)
    return seconds


def tell(text):
    async_to_sync(layer.group_send)("news", {"type": "news", "text": text})


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


class News(AsyncConsumer):
    async def websocket_connect(self, event):
        user, headers = self.scope["user"], dict(self.scope["headers"])
        await cache.aset("known", await cache.aget("known", 0) + 1)
        ticket = headers.get(b"authorization", b"-").decode()
        text = f"{user.username or '-'} {count()} {await cache.aget('known')} {ticket}"
        await self.channel_layer.group_add("news", self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
        for pause in event["text"].split():
            await asyncio.sleep(float(pause))
            await self.send({"type": "websocket.send", "text": pause})

    async def news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("news", self.channel_name)
        raise StopConsumer()


application = AuthMiddlewareStack(News.as_asgi())
"""
POST = 'load {"db_demo.Post": [{"title": "free"}]}'
SUBJECT = Subject("submission", find("liveblog").exercise, "News", "AsyncConsumer", NEWS)
OPTIONS = PlayOptions(database=True)


@pytest.fixture(scope="module")
def play():
    with PlayerHandle(SUBJECT, timeout=20) as player:
        player.wait_until_loaded()
        assert player.problem is None
        yield lambda text: player.play(split_steps(text), OPTIONS)


def transcript(report):
    """A list for each burst: the texts that clients received, answers, and faults."""
    return [list(seen(burst)) for burst in report.bursts]


def seen(burst):
    for number, client in burst.clients.items():
        yield from (f"{number}: {it['text']}" for _, it in client.received if "text" in it)
    yield from (f"= {answer}" for answer in burst.answers if answer is not None)
    for fault in burst.faults:
        finding = diagnose(fault.finding)
        yield f"! {finding.diagnosis} in {finding.handler}: {finding.detail}"


CONVERSATIONS = {
    "a user may have two browsers": {
        "connect as=ada": ["1: ada 1 1 -"],
        "2 connect as=ada/2": ["2: ada 2 2 -"],
        "logout ada": [],
        "3 connect as=ada": ["3: - 3 3 -"],
        "4 connect as=ada/2": ["4: ada 4 4 -"],
    },
    "a user who logs out while a handler is held has logged in before": {
        "connect as=ada | at 3 logout grace": ["1: ada 1 1 -"],
    },
    "a session without a login is anonymous": {
        'session ada {"theme": "dark"}': [],
        "connect as=ada": ["1: - 1 1 -"],
    },
    "a ticket of the own file is shown in a header, and may be written only by issue()": {
        "connect ticket=ada": ["1: - 1 1 Ticket ticket-700001"],
        "connect ticket=ada altered=longer": ["1: - 2 2 Ticket ticket-700001x"],
        "connect ticket=ada altered=quoted": ['1: - 3 3 Ticket "ticket-700001"'],
        "connect ticket=ada altered=halved": ["1: - 4 4 Ticket ticket -700001"],
        "connect ticket=ada forged=bob": ["1: - 5 5 Ticket ticket-700002"],
        "issue ada": ["! secret-logged in issue: Written: [the secret]"],
    },
    "another process makes one call after the other, and reaches the clients": {
        "connect": ["1: - 1 1 -"],
        'call tell ["one"]': ["1: one", "= {'returned': None}"],
        "call count []": ["= {'returned': 2}"],
        "call fail []": [
            "= {'raised': 'division by zero'}",
            "! function-raised in fail: ZeroDivisionError: division by zero",
        ],
    },
    "another process fills a channel, and takes what waits": {
        "fill jobs": [],
        "take jobs": ["= {'type': 'filler'}"],
        "take others": [],
    },
    "rows are saved, changed, rolled back and deleted": {
        'row auth.Group {"name": "a"}': ["= 1"],
        'silent row auth.Group {"name": "b"}': ["= 2"],
        'rolled-back row auth.Group {"name": "c"}': ["= 3"],
        "begin": [],
        'partial row auth.Group {"id": 1, "name": "d"}': ["= 1"],
        "rollback": [],
        'delete auth.Group {"name": "b"}': [],
        "rows auth.Group": ["= [{'id': 1, 'name': 'a'}]"],
    },
    "a fixture brings the values that Django fills in": {
        'raw row db_demo.Post {"id": 7, "title": "Dew"}': ["= 7"],
    },
}


@pytest.mark.parametrize("steps", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_plays_a_conversation(play, steps):
    assert transcript(play(" | ".join(steps))) == [*steps.values()]


def test_the_conversation_goes_on_beside_a_call_that_sleeps(play):
    played = play('call rest [2] | connect | call tell ["one"] | wait 3')
    assert transcript(played)[0] == ["= {'running': True}"]
    [running], _, _, [ended] = [burst.calls for burst in played.bursts]
    assert (running.text, running.ended) == ("rest(2,)", None)
    assert (ended.ended, ended.returned) == (2.0, "2")


def test_a_burst_lasts_until_the_short_waits_of_handlers_have_ended(play):
    played = play("connect | text 0.04 0.04 0.04 | text 0.04 0.3 | wait 1")
    assert transcript(played)[1:] == [["1: 0.04"] * 3, ["1: 0.04"], ["1: 0.3"]]
    assert [round(burst.time, 3) for burst in played.bursts] == [0, 0.12, 0.16, 1.16]


@pytest.mark.parametrize("function, can_both", [("take", False), ("take_in_two_steps", True)])
def test_another_call_may_be_made_at_each_point_of_a_call(play, function, can_both):
    call = f"call {function} [1]"
    points = play(f"{POST} | {call}").bursts[-1].points
    assert points >= 2
    played = [play(f"{POST} | {call} | at {point} {call}").bursts[-1] for point in range(points)]
    assert any(all(it["returned"] for it in burst.answers) for burst in played) == can_both


PRINTS_A_KEY = """\
from channels.consumer import AsyncConsumer
from django.contrib.sessions.backends import base


class News(AsyncConsumer):
    async def websocket_connect(self, event):
        print(base.get_random_string(32, "ab"))
"""


def test_session_keys_are_numbered_until_the_end_of_the_conversation(capsys):
    draw = base.get_random_string
    conversation = Conversation(replace(SUBJECT, source=PRINTS_A_KEY), OPTIONS)
    conversation.play([parse_step("connect"), parse_step("2 close")])
    assert capsys.readouterr().out == f"{1:032}\n"
    assert conversation.report().unknown_step.startswith("Client 2 is not connected")
    assert base.get_random_string is draw
