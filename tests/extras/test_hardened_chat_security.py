"""What an attacker may try with the hardened chat, after OWASP's WebSocket Security Cheat Sheet.

test_hardened_chat has the attacks on private rooms, keys and slow readers.
"""

import json
import logging

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from db_demo.models import Message, Room
from lessons.extras.hardened_chat import client_input, consumer, revocation, store
from lessons.extras.hardened_chat.client_input import MAX_FRAME_LENGTH, MAX_MESSAGE_LENGTH
from lessons.extras.hardened_chat.consumer import HEARTBEAT_INTERVAL
from lessons.extras.models import Presence, Usage


@pytest.fixture
def browser(chat):
    """A browser in which ann is logged in."""
    browser = Client()
    browser.force_login(chat.user("ann"))
    return browser


# The handshake


@pytest.mark.parametrize(
    ("origin", "is_accepted"),
    [
        ("http://localhost", True),
        ("http://evil.example", False),
        ("http://localhost.evil", False),
        ("null", False),
        ("", False),
    ],
)
def test_accepts_only_pages_from_its_origin(chat, origin, is_accepted):
    client = chat.connect("ann", headers={"Origin": origin}).client
    assert (client.accepted, Presence.objects.count()) == (is_accepted, is_accepted)


def test_only_the_session_of_the_handshake_identifies_the_user(chat):
    ann = chat.join("ann")
    query = "0&user=ann&user_id=1&sessionid=x"
    guest = chat.connect(seen=query, headers={"Cookie": "sessionid=forged"})
    guest.client.send(json={"message": "I am ann", "by": "ann", "user": "ann"})
    assert [frame["by"] for frame in ann.new_frames() if "by" in frame] == [None]


@pytest.mark.parametrize("seen", ["", "-1", "1.0", "x", "٣", "9" * 19, "1;drop"])
def test_the_last_id_must_be_a_number(chat, seen):
    assert chat.connect("ann", seen=seen).client.closed == 4400


@pytest.mark.parametrize("room", ["a%20b", "caf%C3%A9", "lobby%0A", "a!b", "x" * 51, ".", ".."])
def test_refuses_the_invalid_name_of_a_room(chat, room):
    assert chat.connect(room=room).client.closed == 4404
    assert chat.connect(room="...").client.closed is None
    assert Client().get(f"/chat/?room={room}").status_code == 404
    assert Presence.objects.count() == 1


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
def test_a_login_that_ends_without_a_signal_is_closed_at_the_next_heartbeat(chat, world, change):
    ann = chat.join("ann")
    change()
    assert ann.client.closed is None
    world.run(HEARTBEAT_INTERVAL)
    assert ann.client.closed == 4401


def test_a_client_without_a_session_receives_and_saves_nothing(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    User.objects.filter(username="bob").update(is_active=False)
    ann.post("hello")
    assert (bob.client.closed, bob.new_messages(), ann.new_messages()) == (4401, [], ["hello"])
    Session.objects.all()._raw_delete("default")
    ann.post("not delivered")
    assert ann.client.closed == 4401
    assert Message.objects.count() == 1


def test_a_logout_and_a_new_password_close_the_connections_of_the_user_at_once(chat, browser):
    ann, other_session = chat.join(browser=browser), chat.join("ann")
    bob = chat.join("bob")
    browser.logout()
    assert [one.client.closed for one in (ann, other_session, bob)] == [4401, None, None]
    user = chat.user("ann")
    user.password = "!another"  # a real hash would take a second
    user.save()
    assert [one.client.closed for one in (other_session, bob)] == [4401, None]


def test_logout_works_while_the_layer_is_unreachable(browser, monkeypatch, caplog):
    key = browser.session.session_key
    monkeypatch.setattr(revocation, "get_channel_layer", lambda: None)
    browser.logout()
    assert Session.objects.count() == 0
    assert "Error calling request_check" in caplog.text
    assert key not in caplog.text


# Frames


INVALID_FRAMES = {
    "empty": "",
    "no JSON": "hello",
    "a list": '[{"message": "hi"}]',
    "null": "null",
    "nothing": "{}",
    "deep": "[" * MAX_FRAME_LENGTH,
    "deep message": '{"message": ' + "[" * 8_000 + "]" * 8_000 + "}",
    "NaN": '{"message": NaN}',
    "digits": '{"message": ' + "1" * 10_000 + "}",
    "object": '{"message": {"message": "hi"}}',
    "spaces": '{"message": " \\n\\t"}',
    "long frame": json.dumps({"message": "hi", "more": "x" * MAX_FRAME_LENGTH}),
    "a key of another kind": '{"message": "hi", "key": 5}',
    "an empty key": '{"message": "hi", "key": ""}',
    "a long key": json.dumps({"message": "hi", "key": "k" * 65}),
    "a strange key": json.dumps({"message": "hi", "key": "k\x00"}),
}


def test_an_invalid_frame_gets_an_error_and_the_client_stays(chat, monkeypatch):
    monkeypatch.setattr(consumer, "BURST", 1_000)
    ann, bob = chat.join("ann"), chat.join("bob")
    for name, frame in INVALID_FRAMES.items():
        ann.client.send(frame)
        assert (name, [list(answer) for answer in ann.new_frames()]) == (name, [["error"]])
    ann.client.send(bytes=b'{"message": "hi"}')
    assert [list(answer) for answer in ann.new_frames()] == [["error"]]
    ann.post("still here")
    assert bob.new_messages() == ["still here"]
    assert Message.objects.count() == 1


def test_the_length_of_a_message_is_limited(chat):
    ann = chat.join("ann")
    ann.post("\U0001f600" * MAX_MESSAGE_LENGTH)
    assert len(ann.new_messages()) == 1
    ann.post("x" * (MAX_MESSAGE_LENGTH + 1), key="k")
    limit = f"A message may have {MAX_MESSAGE_LENGTH} characters at most."
    assert ann.new_frames() == [{"error": limit, "key": "k"}]


@pytest.mark.parametrize("character", "\x00\x07\x08\x1b\r\x7f\x85\u202e\u2066\ud800\udfff")
def test_refuses_a_character_that_deceives_readers_or_fits_into_no_database(character):
    frame = json.dumps({"message": f"a{character}b"})
    with pytest.raises(client_input.Refused, match="control characters"):
        client_input.parse_frame(frame)


HARMLESS = [
    "one\n\ttwo \u200d \u0627",
    "<script>alert(1)</script>",
    "'; DROP TABLE db_demo_message; --",
    "{{ 7 * 7 }} {% debug %} %s %(name)s {0}",
    '{"type": "websocket.close"}',
]


def test_text_is_saved_and_sent_unchanged(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    for text in HARMLESS:
        ann.post(text)
    assert bob.new_messages() == HARMLESS
    assert list(Message.objects.values_list("text", flat=True)) == HARMLESS


def test_a_client_cannot_select_a_handler(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    for name in ("websocket.disconnect", "chat.check", "chat.saved", "leave"):
        request = {"type": name, "message": name, "command": name, "by": "bob", "id": 1}
        ann.client.send(json=request)
    messages = [frame for frame in bob.new_frames() if "message" in frame]
    assert [(frame["message"], frame["by"]) for frame in messages][-1] == ("leave", "ann")
    assert (len(messages), ann.client.closed, bob.client.closed) == (4, None, None)


def test_a_long_text_of_another_program_is_cut(chat):
    room = Room.objects.create(name="lobby")
    for text in ("\x01" * 200_000, "short"):
        room.messages.create(text=text)
    texts = chat.connect("ann").new_messages()
    assert [len(text) for text in texts] == [MAX_MESSAGE_LENGTH, len("short")]


# Pages


def test_the_page_runs_no_inline_script_and_never_treats_text_as_code():
    response = Client().get("/chat/lobby/")
    policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
    assert f'content="{policy}ws://testserver wss://testserver;' in response.content.decode()
    assert response["X-Frame-Options"] == "DENY"
    files = list((settings.BASE_DIR / "lessons/extras/static/chat").glob("*.js"))
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
        assert word not in sources
    assert "textContent" in sources


def test_only_members_see_a_private_room_in_the_list(chat, browser):
    chat.make_private("den", "ann")
    chat.make_private("attic")
    assert b"No room has a message yet" in Client().get("/chat/").content
    content = browser.get("/chat/").content.decode()
    assert ("/chat/den/" in content, "/chat/attic/" in content) == (True, False)
    assert browser.get("/chat/?room=den")["Location"] == "/chat/den/"


# Limits


def test_a_client_that_is_too_fast_gets_an_error_and_then_is_closed(chat, world, monkeypatch):
    monkeypatch.setattr(consumer, "BURST", 3)
    monkeypatch.setattr(consumer, "MAX_REFUSED", 10)
    ann, bob = chat.join("ann"), chat.join("bob")
    for text in "1234":
        ann.post(text)
    assert bob.new_messages() == ["1", "2", "3"]
    assert ann.new_frames()[-1] == {"error": "Too fast: wait a second."}
    world.run(consumer.SECONDS_PER_FRAME)
    ann.post("slower")
    assert bob.new_messages() == ["slower"]
    with world.together():
        for _ in range(consumer.MAX_REFUSED):
            ann.client.send("x")
    assert (ann.client.closed, bob.client.closed) == (4429, None)


def test_the_connections_of_a_user_are_limited(chat, browser, monkeypatch):
    monkeypatch.setattr(store, "MAX_CONNECTIONS_PER_USER", 2)
    first, _ = chat.join("ann"), chat.join("ann", "other_room")
    assert chat.connect("ann").client.closed == 4429
    assert chat.connect("bob").client.closed is None
    first.client.leave()
    assert chat.connect("ann").client.closed is None
    # Those of a killed process do not count.
    Presence.objects.update(seen_at="2000-01-01T00:00Z")
    assert chat.connect(browser=browser).client.closed is None


def test_the_guests_of_a_network_share_a_limit(chat, world, monkeypatch):
    monkeypatch.setattr(store, "MAX_GUESTS_PER_ADDRESS", 1)
    with world.together():  # nothing is sent before its end
        clients = [chat.connect().client for _ in range(3)]
        addresses = "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"
        for client, address in zip(clients, addresses, strict=True):
            client._served.scope["client"] = [address, 5000]
    assert [client.closed for client in clients] == [None, 4429, None]
    assert chat.connect("ann").client.closed is None


def test_the_messages_of_the_guests_of_an_address_are_limited(chat, monkeypatch):
    monkeypatch.setattr(store, "GUEST_MESSAGES_PER_MINUTE", 4)
    ann, *guests = chat.join("ann"), *[chat.join() for _ in range(3)]
    for number in range(6):
        guests[number % 3].post(f"guest {number}", key=f"{number}")
    ann.post("user")
    assert ann.new_messages() == ["guest 0", "guest 1", "guest 2", "guest 3", "user"]
    # Without the key: the page sends the message again, until the minute is over.
    error = {"error": "Too many messages of guests at your address: wait a minute."}
    assert [guest.new_frames().count(error) for guest in guests] == [0, 1, 1]
    Usage.objects.update(ends_at="2000-01-01T00:00Z")
    guests[1].post("guest 4", key="4")
    assert ann.new_messages() == ["guest 4"]
    assert not Usage.objects.filter(ends_at__year=2000).exists()


@pytest.mark.parametrize("name", ["ann", None])
def test_the_rooms_that_a_client_creates_are_limited(chat, monkeypatch, name):
    monkeypatch.setattr(store, "ROOMS_PER_DAY", 2)
    for number in range(3):
        one = chat.join(name, f"new{number}")
        one.post("hello", key="k")
    error = {"error": "You may create 2 rooms in a day at most.", "key": "k"}
    assert one.new_frames() == [error]
    assert Room.objects.count() == 2
    bob = chat.join("bob", "new2")
    bob.post("hi")
    assert bob.new_messages() == ["hi"]


def test_an_idle_client_is_closed(chat, world, monkeypatch):
    monkeypatch.setattr(consumer, "IDLE_TIMEOUT", 3 * HEARTBEAT_INTERVAL)
    ann, bob = chat.join("ann"), chat.join("bob")
    world.run(2 * HEARTBEAT_INTERVAL)
    ann.post("still here")
    world.run(2 * HEARTBEAT_INTERVAL)
    assert (ann.client.closed, bob.client.closed) == (None, 4408)


# The log


def test_the_log_has_users_and_events_but_no_texts(chat, browser, caplog):
    caplog.set_level(logging.INFO, consumer.__name__)
    ann = chat.join(browser=browser)
    ann.post("a secret")
    ann.client.send('{"message": "worse\\u0000"}')
    ann.client.leave()
    chat.make_private("den")
    chat.connect("ann", "den")
    number = chat.user("ann").pk
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
    for secret in ("a secret", "worse", browser.session.session_key):
        assert secret not in caplog.text
