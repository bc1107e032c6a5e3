"""Lesson 19: is a socket closed when its login ends, wherever that ends, and no other?"""

import asyncio
import base64
import logging
import threading
from contextlib import contextmanager
from unittest import mock

from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from channels.layers import InMemoryChannelLayer
from django.conf import settings
from django.contrib.auth import get_user, login, logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.test.utils import override_settings

from lessons.judge import diagnose, receiver_was_lost

ENDED = {"type": "websocket.close", "code": 4401}
PASSWORD = "lovelace 1843"
NO_LOGINS = (
    '{"username": "ada", "password": "wrong"}',
    '{"username": "ada"}',
    '["ada"]',
    r'{"username": "ada", "password": "\ud800"}',  # half a character, which JSON can write
)
QUICK = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


def said(text):
    return {"type": "websocket.send", "text": text}


# What happens elsewhere: in a view, in the admin, in a command


def key_in(headers):
    return headers[0][1].decode().partition("=")[2]


@sync_to_async
def log_out_over_http(headers):
    request = HttpRequest()
    request.session = SessionStore(key_in(headers))
    request.user = get_user(request)
    logout(request)


@sync_to_async
def log_in_elsewhere(name):
    request = HttpRequest()
    request.session = SessionStore()
    login(request, User.objects.get(username=name), settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()


@sync_to_async
def change(name, **values):
    user = User.objects.get(username=name)
    for key, value in values.items():
        setattr(user, key, value)
    user.save()


@sync_to_async
def set_password(name, password=PASSWORD):
    user, _ = User.objects.get_or_create(username=name)
    user.set_password(password)
    user.save()


async def deactivate_in_a_transaction(name):
    """All that can happen before the commit does."""
    loop = asyncio.get_running_loop()

    def act():
        with transaction.atomic():
            user = User.objects.get(username=name)
            user.is_active = False
            user.save()
            with held(loop):
                async_to_sync(loop.wait_until_idle)()

    async with ThreadSensitiveContext():
        await sync_to_async(act)()


@contextmanager
def held(loop):
    """This thread waits for the others."""
    thread = threading.get_ident()
    loop.held_threads.add(thread)
    try:
        yield
    finally:
        loop.held_threads.discard(thread)


# What a client sees of it


async def enter(open_client, headers=(), name="nobody"):
    client = open_client(headers=list(headers))
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    await stays(client, name, "closed-early")
    return client


async def stays(client, name, otherwise):
    """It is open, and is served as that user."""
    await client.receive_nothing(timeout=0)
    if client.close_code is not None or client.finished:
        diagnose(otherwise, client)
    client.expect()
    await client.send_to(text_data="?")
    client.expect(said(name), otherwise="wrong-name")


async def ends(client, otherwise):
    """It is closed with 4401; before that, it may have been told that nobody is logged in."""
    await client.receive_nothing(timeout=0)
    if client.close_code is None:
        diagnose("receiver-gone" if receiver_was_lost() else otherwise, client)
    if client.close_code != ENDED["code"]:
        diagnose("wrong-close-code", client)
    first, *rest = client.unread
    while client.unread[-2:] == [ENDED, ENDED]:  # the second does nothing
        client.unread.pop()
    client.expect(*([said("nobody")] if first != ENDED and rest else []), ENDED)


async def test_tells_who_is_logged_in(communicator, database, signals):
    """Each frame gets the name of who is logged in, or `nobody`."""
    await enter(communicator, await database.log_in("ada"), "ada")
    await enter(communicator, await database.log_in("grace"), "grace")
    await enter(communicator)


async def test_a_logout_ends_the_session_everywhere(communicator, other_server, database, signals):
    """After a logout over HTTP each socket of that session is closed, on both servers, no other."""
    ada, phone = await database.log_in("ada"), await database.log_in("ada")
    here, tab = [await enter(communicator, ada, "ada") for _ in range(2)]
    there = await enter(other_server, ada, "ada")
    other_session = await enter(communicator, phone, "ada")
    grace = await enter(communicator, await database.log_in("grace"), "grace")
    stranger = await enter(communicator)
    await log_out_over_http(ada)
    await ends(here, "stale-user")
    await ends(tab, "stale-user")
    await ends(there, "other-process-not-closed")
    await stays(other_session, "ada", "other-sessions-closed")
    await stays(grace, "grace", "other-users-closed")
    await stays(stranger, "nobody", "other-users-closed")


async def test_a_logout_over_the_socket_does_too(communicator, other_server, database, signals):
    """After `logout` so it is, for the socket that said it, too; and the session is gone."""
    ada, phone = await database.log_in("ada"), await database.log_in("ada")
    here, tab = [await enter(communicator, ada, "ada") for _ in range(2)]
    there = await enter(other_server, ada, "ada")
    other_session = await enter(communicator, phone, "ada")
    grace = await enter(communicator, await database.log_in("grace"), "grace")
    await here.send_to(text_data="logout")
    if await Session.objects.filter(session_key=key_in(ada)).aexists():
        diagnose("session-not-saved", here)
    await ends(here, "stale-user")
    await ends(tab, "stale-user")
    await ends(there, "other-process-not-closed")
    await stays(other_session, "ada", "other-sessions-closed")
    await stays(grace, "grace", "other-users-closed")


async def test_a_frame_after_the_end_is_not_answered(communicator, database, signals):
    """What a client sent before it saw the close is dealt with, and gets no answer."""
    headers = await database.log_in("ada")
    client = await enter(communicator, headers, "ada")
    await log_out_over_http(headers)
    await asyncio.get_running_loop().wait_until_idle()
    client.input_queue.put_nowait({"type": "websocket.receive", "text": "?"})
    await ends(client, "stale-user")


async def test_a_login_over_the_socket_is_saved(communicator, database, signals):
    """A right password logs in, and the database knows the session; a wrong one changes nothing."""
    with QUICK:
        await set_password("ada")
        client = await enter(communicator)
        for text in NO_LOGINS:
            await client.send_to(text_data=text)
            client.expect(said("nobody"), otherwise="wrong-name")
        await client.send_json_to({"username": "ada", "password": PASSWORD})
        if client.close_code is not None:
            diagnose("joined-before-saved", client)
        client.expect(said("ada"), otherwise="wrong-name")
    saved = [session.get_decoded() async for session in Session.objects.all()]
    if not any("_auth_user_id" in session for session in saved):
        diagnose("session-not-saved", client)
    await stays(client, "ada", "closed-early")


async def test_a_deactivated_user_is_shown_out(communicator, other_server, database, signals):
    """When a user is deactivated each socket of theirs is closed, on both servers, no other."""
    await loses_all(communicator, other_server, database, change("ada", is_active=False),
                    "deactivated-stays")  # fmt: skip


async def test_a_new_password_shows_out(communicator, other_server, database, signals):
    """When a password is changed each socket of that user is closed, on both servers, no other."""
    with QUICK:
        await loses_all(communicator, other_server, database, set_password("ada"),
                        "password-change-missed")  # fmt: skip


async def loses_all(communicator, other_server, database, action, otherwise):
    ada, phone = await database.log_in("ada"), await database.log_in("ada")
    here, on_phone = [await enter(communicator, headers, "ada") for headers in (ada, phone)]
    there = await enter(other_server, phone, "ada")
    grace = await enter(communicator, await database.log_in("grace"), "grace")
    await action
    await ends(here, otherwise)
    await ends(on_phone, otherwise)
    await ends(there, "other-process-not-closed")
    await stays(grace, "grace", "other-users-closed")


async def test_a_login_over_the_socket_ends_as_others_do(communicator, database, signals):
    """Who has logged in over the socket is reached by what ends the session, or the user."""
    with QUICK:
        for name in ("ada", "grace"):
            await set_password(name)
        ada, grace = await enter(communicator), await enter(communicator)
        for client, name in ((ada, "ada"), (grace, "grace")):
            await client.send_json_to({"username": name, "password": PASSWORD})
            client.expect(said(name), otherwise="wrong-name")
    await change("grace", is_active=False)
    await ends(grace, "login-not-joined")
    async for session in Session.objects.all():
        await session.adelete()
    await ends(ada, "login-not-joined")


async def test_is_told_after_the_commit(communicator, database, signals):
    """A deactivation within a transaction closes the socket, once it is committed."""
    client = await enter(communicator, await database.log_in("ada"), "ada")
    await deactivate_in_a_transaction("ada")
    await ends(client, "notified-before-commit")


async def test_other_changes_close_nothing(communicator, database, signals):
    """A login elsewhere, or another name, closes no socket, and its user is as it is now."""
    client = await enter(communicator, await database.log_in("ada"), "ada")
    await log_in_elsewhere("ada")
    await stays(client, "ada", "closed-without-reason")
    await change("ada", username="countess")
    await stays(client, "countess", "closed-without-reason")


async def test_a_login_that_ends_meanwhile(communicator, database, signals):
    """A session that ends after the handshake was read, and before the groups are joined, ends."""
    headers = await database.log_in("ada")
    join, ended = InMemoryChannelLayer.group_add, []

    async def late(layer, group, channel):
        if not ended:
            ended.append(True)
            await log_out_over_http(headers)
        await join(layer, group, channel)

    client = communicator(headers=headers)
    with mock.patch.object(InMemoryChannelLayer, "group_add", late):
        await client.connect()
        if not ended:
            diagnose("stale-user", client)
    await ends(client, "logout-during-handshake")


async def test_gives_no_session_away(communicator, external_sender, database, signals):
    """No group is named after a session's key: names stand in Redis and in transcripts."""
    headers = await database.log_in("ada")
    client = await enter(communicator, headers, "ada")
    key = key_in(headers).encode()
    plain = (key, key[::-1], key.hex().encode(), base64.b64encode(key).rstrip(b"="))
    text = f"{external_sender.groups}{client.transcript}"
    if any(form.decode() in text for form in plain):
        diagnose(
            "secret-logged", client, f"One of {len(external_sender.groups)} groups has the key."
        )


async def test_a_logout_needs_no_layer(communicator, database, signals):
    """Where the channel layer is out of reach, a logout over HTTP is one all the same."""
    headers = await database.log_in("ada")
    await enter(communicator, headers, "ada")
    silent = mock.patch.object(logging.getLogger("django.db.backends.base"), "disabled", True)
    away = mock.patch.object(InMemoryChannelLayer, "group_send", side_effect=ConnectionError)
    with silent, away:
        await log_out_over_http(headers)
    assert not await Session.objects.filter(session_key=key_in(headers)).aexists()
