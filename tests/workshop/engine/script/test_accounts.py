"""Accounts, sessions, tickets and server processes as steps of a conversation."""

from dataclasses import replace

import pytest
from django.contrib.sessions.backends import base

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.process.conversation import Conversation
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.report import PlayOptions
from lessons.workshop.engine.script.steps import parse_step, split_steps

GREETS = """
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from django.contrib.auth import get_user_model
from django.core.cache import cache

seen = []


def issue(user):
    print(f"ticket-{user.pk}")
    return f"ticket-{user.pk}"


class Counter(AsyncConsumer):
    async def websocket_connect(self, event):
        user, headers = self.scope["user"], dict(self.scope["headers"])
        seen.append(user.username)
        may = await user.ahas_perm("auth.change_user")
        known = await cache.aget("known", 0)
        await cache.aset("known", known + 1)
        text = f"{user.username} {may} {len(seen)} {known} {headers.get(b'authorization', b'')}"
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": text})


application = AuthMiddlewareStack(Counter.as_asgi())
"""


LESSON = find(16)


def target_of(source):
    target = resolve(LESSON, "exercise")
    return replace(target, source=source)


def play(steps, source=GREETS):
    with PlayerHandle(target_of(source)) as player:
        player.wait_until_loaded()
        return player.play(split_steps(steps), PlayOptions(database=True))


def texts(played):
    """What the clients received, in order."""
    return [
        message["text"]
        for turn in played.bursts
        for client in turn.clients.values()
        for _, message in client.received
        if "text" in message
    ]


@pytest.mark.parametrize(
    ("fields", "greeting"),
    [
        ('{"permissions": ["auth.change_user"]}', "ada True"),
        ('{"group_permissions": ["auth.change_user"]}', "ada True"),
        ('{"is_superuser": true}', "ada True"),
        ('{"permissions": ["auth.add_user"]}', "ada False"),
        ('{"is_active": false}', " False"),
    ],
)
def test_an_account_has_its_permissions_from_all_sources(fields, greeting):
    assert texts(play(f"account ada {fields} | connect as=ada"))[0].startswith(greeting + " ")


def test_a_user_may_have_two_browsers():
    played = play(
        "connect as=ada | connect as=ada/2 | logout ada | connect as=ada | connect as=ada/2"
    )
    assert [text.split()[0] for text in texts(played)] == ["ada", "ada", "False", "ada"]


def test_a_session_without_a_login_is_anonymous():
    assert texts(play('session ada {"theme": "dark"} | connect as=ada')) == [" False 1 0 b''"]


def test_a_second_server_shares_the_cache_and_no_module():
    played = play("connect as=ada | 2 connect as=ada server=2")
    assert [text.split()[2:4] for text in texts(played)] == [["1", "0"], ["1", "1"]]


def test_a_ticket_of_the_own_file_is_shown_in_a_header_and_a_written_one_is_a_fault():
    played = play(
        "connect ticket=ada | connect ticket=ada altered=longer | connect ticket=ada forged=bob"
    )
    assert [text.rpartition(" b")[2] for text in texts(played)] == [
        "'Ticket ticket-700001'",
        "'Ticket ticket-700001x'",
        "'Ticket ticket-700002'",
    ]
    assert not played.bursts[0].faults  # it was printed before it was known
    again = play("issue ada | issue ada", GREETS.replace("def issue(user):", "def issue(user):\n"))
    (fault,) = again.bursts[1].faults
    assert fault.finding.diagnosis == "secret-logged"
    assert fault.finding.detail == "Written: [the secret]"


KEYS = """
from channels.consumer import AsyncConsumer
from django.contrib.sessions.backends import base


class Counter(AsyncConsumer):
    async def websocket_connect(self, event):
        print(base.get_random_string(32, "ab"))


application = Counter.as_asgi()
"""


@pytest.mark.parametrize("then", ["close", "2 close"])  # the second step cannot be taken
def test_session_keys_are_numbered_until_the_end_of_the_conversation(capsys, then):
    draw = base.get_random_string
    run = Conversation(target_of(KEYS), PlayOptions(database=True))
    run.play([parse_step("connect"), parse_step(then)])
    assert capsys.readouterr().out == f"{1:032}\n"
    assert bool(run.report().unknown_step) is (then == "2 close")
    assert base.get_random_string is draw
