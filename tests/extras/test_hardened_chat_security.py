"""What an attacker may try with the hardened chat, after OWASP's WebSocket Security Cheat Sheet.

test_hardened_chat has the attacks on private rooms, keys and slow readers.
"""

import json
import logging
from functools import partial

import pytest
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import AsyncClient

from db_demo.models import Message, Room
from lessons.asgi import application as whole_project
from lessons.extras.hardened_chat import client_input, consumer, revocation, store
from lessons.extras.hardened_chat.client_input import MAX_FRAME_LENGTH, MAX_MESSAGE_LENGTH
from lessons.extras.hardened_chat.consumer import HEARTBEAT_INTERVAL
from lessons.extras.models import Presence, Usage
from tests.support.chat_client import APPLICATION, Participant
from tests.support.simulated_time import wait
from tests.support.strict_communicator import StrictCommunicator


def session_key(headers):
    return headers[0][1].partition(b"=")[2].decode()


# The handshake


@pytest.mark.parametrize(
    ("origin", "is_accepted"),
    [
        (b"http://localhost", True),
        (b"http://evil.example", False),
        (b"http://localhost.evil", False),
        (b"null", False),
        (b"", False),
    ],
)
async def test_accepts_only_pages_from_its_origin(chat, origin, is_accepted):
    headers = [*await chat.database.log_in("ann"), (b"origin", origin)]
    async with StrictCommunicator(whole_project, chat.path(), headers) as client:
        assert (await client.connect())[0] is is_accepted
        assert await chat.database.do(Presence.objects.count) == is_accepted


async def test_only_the_session_of_the_handshake_identifies_the_user(chat):
    ann = await chat.join("ann")
    path = chat.path(seen=0) + "&user=ann&user_id=1&sessionid=x"
    guest = StrictCommunicator(APPLICATION, path, [(b"cookie", b"sessionid=forged")])
    async with guest:
        await guest.connect()
        await guest.send_json_to({"message": "I am ann", "by": "ann", "user": "ann"})
        assert [frame["by"] for frame in ann.new_frames() if "by" in frame] == [None]


@pytest.mark.parametrize("seen", ["", "-1", "1.0", "x", "٣", "9" * 19, "1;drop"])
async def test_the_last_id_must_be_a_number(chat, seen):
    assert (await chat.connect("ann", seen=seen)).client.close_code == 4400


@pytest.mark.parametrize("room", ["a%20b", "caf%C3%A9", "lobby%0A", "a!b", "x" * 51, ".", ".."])
async def test_refuses_the_invalid_name_of_a_room(chat, room):
    assert (await chat.connect(room=room)).client.close_code == 4404
    assert (await chat.connect(room="...")).client.close_code is None
    assert (await AsyncClient().get(f"/chat/?room={room}")).status_code == 404
    assert await chat.database.do(Presence.objects.count) == 1


# Revoked logins


@pytest.mark.parametrize(
    "change",
    [
        lambda: Session.objects.update(expire_date="2000-01-01T00:00Z"),
        lambda: Session.objects.all()._raw_delete("default"),
        lambda: User.objects.update(is_active=False),
        lambda: User.objects.update(password="!new"),
    ],
    ids=["expired", "flushed", "inactive", "password"],
)
async def test_a_login_that_ends_without_a_signal_is_closed_at_the_next_heartbeat(chat, change):
    ann = await chat.join("ann")
    await chat.database.do(change)
    assert ann.client.close_code is None
    await wait(HEARTBEAT_INTERVAL)
    assert ann.client.close_code == 4401


async def test_a_client_without_a_session_receives_and_saves_nothing(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await chat.database.do(User.objects.filter(username="bob").update, is_active=False)
    await ann.post("hello")
    assert (bob.client.close_code, bob.new_messages(), ann.new_messages()) == (4401, [], ["hello"])
    await chat.database.do(Session.objects.all()._raw_delete, "default")
    await ann.post("not delivered")
    assert ann.client.close_code == 4401
    assert await chat.database.do(Message.objects.count) == 1


async def test_a_logout_and_a_new_password_close_the_connections_of_the_user_at_once(chat):
    headers = await chat.database.log_in("ann")
    ann, other_session = await chat.join(headers=headers), await chat.join("ann")
    bob = await chat.join("bob")
    await chat.database.do(_log_out, session_key(headers))
    assert [one.client.close_code for one in (ann, other_session, bob)] == [4401, None, None]
    await chat.database.do(_change_password, "ann")
    assert [one.client.close_code for one in (other_session, bob)] == [4401, None]


def _log_out(key):
    request = HttpRequest()
    request.session = SessionStore(key)
    logout(request)


def _change_password(name):
    user = User.objects.get(username=name)
    user.password = "!another"  # a real hash would take a second
    user.save()


async def test_logout_works_while_the_layer_is_unreachable(chat, monkeypatch, caplog):
    headers = await chat.database.log_in("ann")
    monkeypatch.setattr(revocation, "get_channel_layer", lambda: None)
    await chat.database.do(Session.objects.all().delete)
    assert await chat.database.do(Session.objects.count) == 0
    assert "Error calling request_check" in caplog.text
    assert session_key(headers) not in caplog.text


# Frames


def _text(value):
    return {"text_data": value}


INVALID_FRAMES = {
    "binary": {"bytes_data": b'{"message": "hi"}'},
    "empty": _text(""),
    "no JSON": _text("hello"),
    "a list": _text('[{"message": "hi"}]'),
    "null": _text("null"),
    "nothing": _text("{}"),
    "deep": _text("[" * MAX_FRAME_LENGTH),
    "deep message": _text('{"message": ' + "[" * 8_000 + "]" * 8_000 + "}"),
    "NaN": _text('{"message": NaN}'),
    "digits": _text('{"message": ' + "1" * 10_000 + "}"),
    "object": _text('{"message": {"message": "hi"}}'),
    "spaces": _text('{"message": " \\n\\t"}'),
    "long frame": _text(json.dumps({"message": "hi", "more": "x" * MAX_FRAME_LENGTH})),
    "a key of another kind": _text('{"message": "hi", "key": 5}'),
    "an empty key": _text('{"message": "hi", "key": ""}'),
    "a long key": _text(json.dumps({"message": "hi", "key": "k" * 65})),
    "a strange key": _text(json.dumps({"message": "hi", "key": "k\x00"})),
}


async def test_an_invalid_frame_gets_an_error_and_the_client_stays(chat, monkeypatch):
    monkeypatch.setattr(consumer, "BURST", 1_000)
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for name, frame in INVALID_FRAMES.items():
        await ann.client.send_to(**frame)
        assert (name, [list(answer) for answer in ann.new_frames()]) == (name, [["error"]])
    await ann.post("still here")
    assert bob.new_messages() == ["still here"]
    assert await chat.database.do(Message.objects.count) == 1


async def test_the_length_of_a_message_is_limited(chat):
    ann = await chat.join("ann")
    await ann.post("\U0001f600" * MAX_MESSAGE_LENGTH)
    assert len(ann.new_messages()) == 1
    await ann.post("x" * (MAX_MESSAGE_LENGTH + 1), key="k")
    limit = f"A message may have {MAX_MESSAGE_LENGTH} characters at most."
    assert ann.new_frames() == [{"error": limit, "key": "k"}]


@pytest.mark.parametrize("character", "\x00\x07\x08\x1b\r\x7f\x85\u202e\u2066\ud800\udfff")
def test_refuses_a_character_that_deceives_readers_or_fits_into_no_database(character):
    frame = json.dumps({"message": f"a{character}b"})
    with pytest.raises(client_input.InvalidFrame, match="control characters"):
        client_input.parse_frame(frame)


HARMLESS = [
    "one\n\ttwo \u200d \u0627",
    "<script>alert(1)</script>",
    "'; DROP TABLE db_demo_message; --",
    "{{ 7 * 7 }} {% debug %} %s %(name)s {0}",
    '{"type": "websocket.close"}',
]


async def test_text_is_saved_and_sent_unchanged(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for text in HARMLESS:
        await ann.post(text)
    assert bob.new_messages() == HARMLESS
    rows = await chat.database.do(lambda: list(Message.objects.values_list("text", flat=True)))
    assert rows == HARMLESS


async def test_a_client_cannot_select_a_handler(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for name in ("websocket.disconnect", "chat.check", "chat.saved", "leave"):
        request = {"type": name, "message": name, "command": name, "by": "bob", "id": 1}
        await ann.client.send_json_to(request)
    messages = [frame for frame in bob.new_frames() if "message" in frame]
    assert [(frame["message"], frame["by"]) for frame in messages][-1] == ("leave", "ann")
    assert (len(messages), ann.client.close_code, bob.client.close_code) == (4, None, None)


async def test_a_long_text_of_another_program_is_cut(chat):
    room = await chat.database.do(Room.objects.create, name="lobby")
    for text in ("\x01" * 200_000, "short"):
        await chat.database.do(partial(room.messages.create, text=text))
    texts = (await chat.connect("ann")).new_messages()
    assert [len(text) for text in texts] == [MAX_MESSAGE_LENGTH, len("short")]


# Pages


async def test_the_page_runs_no_inline_script_and_never_treats_text_as_code():
    response = await AsyncClient().get("/chat/lobby/")
    policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
    assert f'content="{policy}ws://testserver wss://testserver;' in response.content.decode()
    assert response["X-Frame-Options"] == "DENY"
    files = list((settings.BASE_DIR / "lessons/extras/static/chat").glob("*.js"))
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
        assert word not in sources
    assert "textContent" in sources


async def test_only_members_see_a_private_room_in_the_list(chat):
    await chat.make_private("den", "ann")
    await chat.make_private("attic")
    browser = AsyncClient()
    assert b"No room has a message yet" in (await browser.get("/chat/")).content
    key = session_key(await chat.database.log_in("ann"))
    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    content = (await browser.get("/chat/")).content.decode()
    assert ("/chat/den/" in content, "/chat/attic/" in content) == (True, False)
    assert (await browser.get("/chat/?room=den"))["Location"] == "/chat/den/"


# Limits


async def test_a_client_that_is_too_fast_gets_an_error_and_then_is_closed(chat, monkeypatch):
    monkeypatch.setattr(consumer, "BURST", 3)
    monkeypatch.setattr(consumer, "MAX_REFUSED", 10)
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for text in "1234":
        await ann.post(text)
    assert bob.new_messages() == ["1", "2", "3"]
    assert ann.new_frames()[-1] == {"error": "Too fast: wait a second."}
    await wait(consumer.SECONDS_PER_FRAME)
    await ann.post("slower")
    assert bob.new_messages() == ["slower"]
    for _ in range(consumer.MAX_REFUSED):
        ann.client.inbox.put_nowait({"type": "websocket.receive", "text": "x"})
    await wait(0)
    assert (ann.client.close_code, bob.client.close_code) == (4429, None)


async def test_the_connections_of_a_user_are_limited(chat, monkeypatch):
    monkeypatch.setattr(store, "MAX_CONNECTIONS_PER_USER", 2)
    first, _ = await chat.join("ann"), await chat.join("ann", "other_room")
    assert (await chat.connect("ann")).client.close_code == 4429
    assert (await chat.connect("bob")).client.close_code is None
    await first.leave()
    assert (await chat.connect("ann")).client.close_code is None
    # Those of a killed process do not count.
    await chat.database.do(Presence.objects.update, seen_at="2000-01-01T00:00Z")
    assert (await chat.connect("ann")).client.close_code is None


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
async def test_the_guests_of_a_network_share_a_limit(chat, monkeypatch, one, other, shared):
    monkeypatch.setattr(store, "MAX_GUESTS_PER_ADDRESS", 1)
    codes = []
    for address in (one, other):
        client = StrictCommunicator(APPLICATION, chat.path(seen=0))
        client.scope["client"] = [address, 5000]
        chat.participants.append(Participant(client))
        await client.connect()
        codes.append(client.close_code)
    assert codes == [None, 4429 if shared else None]
    assert (await chat.connect("ann")).client.close_code is None


async def test_the_messages_of_the_guests_of_an_address_are_limited(chat, monkeypatch):
    monkeypatch.setattr(store, "GUEST_MESSAGES_PER_MINUTE", 4)
    ann, *guests = await chat.join("ann"), *[await chat.join() for _ in range(3)]
    for number in range(6):
        await guests[number % 3].post(f"guest {number}", key=f"{number}")
    await ann.post("user")
    assert ann.new_messages() == ["guest 0", "guest 1", "guest 2", "guest 3", "user"]
    # Without the key: the page sends the message again, until the minute is over.
    error = {"error": "Too many messages of guests at your address: wait a minute."}
    assert [guest.new_frames().count(error) for guest in guests] == [0, 1, 1]
    await chat.database.do(Usage.objects.update, ends_at="2000-01-01T00:00Z")
    await guests[1].post("guest 4", key="4")
    assert ann.new_messages() == ["guest 4"]
    assert await chat.database.do(Usage.objects.filter(ends_at__year=2000).count) == 0


@pytest.mark.parametrize("name", ["ann", None])
async def test_the_rooms_that_a_client_creates_are_limited(chat, monkeypatch, name):
    monkeypatch.setattr(store, "ROOMS_PER_DAY", 2)
    headers = await chat.database.log_in(name) if name else []
    for number in range(3):
        one = await chat.join(headers=headers, room=f"new{number}")
        await one.post("hello", key="k")
    error = {"error": "You may create 2 rooms in a day at most.", "key": "k"}
    assert one.new_frames() == [error]
    assert await chat.database.do(Room.objects.count) == 2
    bob = await chat.join("bob", "new2")
    await bob.post("hi")
    assert bob.new_messages() == ["hi"]


async def test_a_list_of_users_has_a_limited_length(chat, monkeypatch):
    monkeypatch.setattr(store, "MAX_NAMES", 2)
    *_, last = [await chat.connect(name) for name in ("ann", "bob", "cid")]
    assert last.new_frames()[-1] == {"here": ["ann", "bob"], "guests": 0}


async def test_an_idle_client_is_closed(chat, monkeypatch):
    monkeypatch.setattr(consumer, "IDLE_TIMEOUT", 3 * HEARTBEAT_INTERVAL)
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await wait(2 * HEARTBEAT_INTERVAL)
    await ann.post("still here")
    await wait(2 * HEARTBEAT_INTERVAL)
    assert (ann.client.close_code, bob.client.close_code) == (None, 4408)


# The log


async def test_the_log_has_users_and_events_but_no_texts(chat, caplog):
    caplog.set_level(logging.INFO, consumer.__name__)
    headers = await chat.database.log_in("ann")
    ann = await chat.join(headers=headers)
    await ann.post("a secret")
    await ann.client.send_to(text_data='{"message": "worse\\u0000"}')
    await ann.leave()
    await chat.make_private("den")
    await chat.connect("ann", "den")
    number = (await chat.user("ann")).pk
    logged = [record.getMessage() for record in caplog.records if record.name == consumer.__name__]
    assert logged == [
        f"user {number} at 127.0.0.1: {event}"
        for event in (
            "joined",
            "invalid frame: A message must not contain control characters.",
            "left",
            "closed with 4403",
            "left",
        )
    ]
    for secret in ("a secret", "worse", session_key(headers)):
        assert secret not in caplog.text
