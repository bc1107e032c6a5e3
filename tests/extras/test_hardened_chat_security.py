"""Attacks on the hardened chat, and how it prevents them.

The items come from OWASP's WebSocket Security Cheat Sheet and from ASVS 5.0, section V4.4. Each has
the measure that the chat takes, and the tests that prove it.

V4.4.1, WSS:
    With DEBUG off: `ws://` is closed with 4426, HTTP is redirected, cookies are Secure, HSTS is on.
    → test_rejects_every_client_without_tls,
      test_the_header_of_a_trusted_proxy_says_if_tls_was_used,
      test_settings: test_can_be_deployed_without_a_warning
protocol versions:
    Daphne supports RFC 6455, not hixie-76 and hybi-00.
    → test_old_versions_and_compression_are_not_supported
compression:
    Daphne does not accept permessage-deflate; nothing is compressed.
    → test_old_versions_and_compression_are_not_supported
V4.4.2, origin; hijacking:
    AllowedHostsOriginValidator, an allow-list, in asgi.py.
    → test_a_page_of_another_site_is_rejected
SameSite cookies:
    Lax and HttpOnly, the defaults of Django.
    → test_the_session_cookie_stays_on_this_site
V4.4.3, V4.4.4, separate tokens:
    None. The handshake carries Django's session, which began over HTTPS.
    → test_only_the_session_of_the_handshake_identifies_the_user
authentication at the handshake:
    The session of the handshake. Without one, the client is a guest, who may join open rooms only.
    → test_only_the_session_of_the_handshake_identifies_the_user, test_hardened_chat:
      test_only_members_join_read_and_write_in_a_private_room
session expiry, periodic validation:
    The chat checks the session at every message and every heartbeat (10 s).
    → test_the_end_of_a_session_closes_the_connection
logout closes all connections:
    Signals make all connections of the user, in every process, check at once.
    → test_a_revoked_login_is_closed_at_once
message-level authorization:
    Each function of store.py that reads or writes messages checks access first.
    → test_hardened_chat: test_a_removed_member_cannot_write, test_hardened_chat:
      test_a_removed_member_cannot_read, test_typing_checks_access_too
input: structure, type:
    An allow-list of two requests.
    → test_an_invalid_request_gets_an_error_and_the_client_stays
input: JSON depth, numbers:
    The chat rejects what json.loads cannot parse.
    → test_an_invalid_request_gets_an_error_and_the_client_stays
input: size:
    32,768 characters in a frame, checked before parsing; 2,000 in a message.
    → test_the_length_of_a_message_is_limited
input: control characters:
    Rejected, like lone surrogates and characters that change the direction of text.
    → test_deceptive_characters_are_rejected
binary data:
    Rejected.
    → test_an_invalid_request_gets_an_error_and_the_client_stays
output: size:
    Daphne's and browsers' limit for a frame is 1 MiB. A text is cut at 2,000 characters, and a list
    of users at 200 names.
    → test_a_long_text_of_another_program_is_cut,
      test_a_list_of_users_has_a_limited_length
injection: SQL:
    The ORM sends texts as parameters.
    → test_text_is_saved_and_sent_unchanged
injection: XSS, output escaping:
    The page only sets textContent, and the CSP forbids inline scripts.
    → browser/test_chat: test_markup_in_a_message_is_shown_as_text,
      test_the_page_runs_no_inline_script
eval:
    The page uses JSON.parse.
    → test_the_page_never_treats_text_as_code
names of rooms:
    An allow-list of characters, without the names "." and "..", which browsers remove from a URL.
    → test_rooms_with_the_name_of_a_folder_are_rejected, test_hardened_chat:
      test_an_invalid_room_name_is_closed_with_4404
names of private rooms:
    Only members see them in the list.
    → test_only_members_see_a_private_room_in_the_list
a client that selects the handler:
    The type of a layer message never comes from a client.
    → test_a_client_cannot_select_a_handler
tunnelling:
    None.
connections: per user, per address:
    10 connections of a user, 500 guests of an address.
    → test_the_connections_of_a_user_are_limited,
      test_the_guests_of_an_address_are_limited
rate limit: per connection:
    20 frames at once, 4 a second. After 100 more, the connection is closed with 4429.
    → test_a_client_that_is_too_fast_gets_an_error_and_then_is_closed
rate limit: per address, on all servers:
    The guests of an address may send 120 messages in a minute. An address is an IPv4 address or a
    /64 network of IPv6 addresses.
    → test_the_messages_of_the_guests_of_an_address_are_limited,
      test_guests_with_addresses_of_one_ipv6_network_share_a_limit
rate limit: notices that a user types:
    One in 2 s for each client, and four a second for each room.
    → test_the_typing_notices_of_a_room_are_limited
new rooms:
    A user, or the guests of an address, may create 20 rooms in a day.
    → test_the_rooms_that_a_client_creates_are_limited
keys of other clients:
    A client that knows the key of a message could keep that message from being saved. Only the
    connection that sends a key receives it.
    → test_hardened_chat: test_only_the_connection_that_sends_a_key_receives_it
many clients that return at once:
    A client is accepted before its first query, and joins with one trip to the database thread.
    Pages try again after a random time.
    → test_hardened_chat_load: test_a_client_is_accepted_before_the_first_query,
      test_hardened_chat_load: test_a_client_joins_and_leaves_with_one_trip_each,
      test_hardened_chat_storm: test_no_handshake_is_lost_while_all_clients_join
many clients in a room:
    Entries and leaves are announced once a second, and read once for all clients of a process.
    → test_hardened_chat_load: test_entries_within_an_interval_are_announced_together,
      test_hardened_chat_load: test_heartbeats_share_a_read_and_send_nothing_if_nothing_has_changed
idle connections:
    After 30 minutes without a frame, the connection is closed with 4408.
    → test_an_idle_client_is_closed
dead connections:
    Daphne sends pings (20 s, 30 s), and presence rows expire.
    → test_hardened_chat: test_presence_rows_of_a_killed_process_expire
backpressure:
    Daphne has none. Every 50 frames, the client confirms what it has read, and receives no more
    before. A client that does not confirm within 20 s is closed with 4413. The tutorial's client
    cannot confirm; for it, only the rate limits of the writers hold.
    → test_hardened_chat_receipts:
      test_a_client_that_confirms_nothing_receives_a_limited_number_of_frames,
      test_hardened_chat_receipts:
      test_a_client_that_confirms_nothing_is_closed_and_continues_when_it_returns,
      test_hardened_chat_receipts: test_a_client_cannot_guess_the_token
monitoring:
    The log has joins, leaves, invalid frames and closes, with user, address and code.
    → test_the_log_has_users_and_events_but_no_texts
no secrets in logs or URLs:
    No message, cookie or session key is logged. The URL has only a room and a number.
    → test_the_log_has_users_and_events_but_no_texts
"""

import json
import logging
import re
from functools import partial

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import AsyncClient

from db_demo.models import Message, Room
from lessons.asgi import application as whole_project
from lessons.extras.hardened_chat import frames, rate_limit, store
from lessons.extras.hardened_chat.frames import MAX_MESSAGE_LENGTH
from lessons.extras.hardened_chat.logic import HEARTBEAT_INTERVAL
from lessons.extras.hardened_chat.presence import ANNOUNCE_INTERVAL
from lessons.extras.models import Presence, Usage
from lessons.workshop.judge import StrictCommunicator
from tests.support.chat_client import APPLICATION, Participant, chat_at
from tests.support.simulated_time import wait

OWN_ORIGIN = (b"origin", b"http://localhost")


@pytest.fixture
async def chat():
    async with chat_at("chat") as chat:
        yield chat


# The handshake


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://localhost.evil", b""])
async def test_a_page_of_another_site_is_rejected(chat, origin):
    headers = [*await chat.database.log_in("ann"), (b"origin", origin)]
    async with StrictCommunicator(whole_project, chat.path(), headers) as client:
        assert (await client.connect())[0] is False
    assert await chat.database.do(Presence.objects.count) == 0


async def test_a_page_of_this_site_is_accepted(chat):
    headers = [*await chat.database.log_in("ann"), OWN_ORIGIN]
    async with StrictCommunicator(whole_project, chat.path(), headers) as client:
        assert (await client.connect())[0] is True
        assert client.close_code is None


def test_the_session_cookie_stays_on_this_site():
    assert (settings.SESSION_COOKIE_SAMESITE, settings.SESSION_COOKIE_HTTPONLY) == ("Lax", True)


async def test_only_the_session_of_the_handshake_identifies_the_user(chat):
    ann = await chat.join("ann")
    path = chat.path(seen=0) + "&user=ann&user_id=1&sessionid=x"
    guest = StrictCommunicator(APPLICATION, path, [(b"cookie", b"sessionid=forged")])
    async with guest:
        await guest.connect()
        await guest.send_json_to({"message": "I am ann", "by": "ann", "user": "ann"})
        assert [frame["by"] for frame in ann.new_frames() if "by" in frame] == [None]


async def test_rejects_every_client_without_tls(chat, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert (await chat.connect("ann")).client.close_code == 4426
    assert await chat.database.do(Presence.objects.count) == 0


@pytest.mark.parametrize("scheme, closed", [(b"https", None), (b"http", 4426)])
async def test_the_header_of_a_trusted_proxy_says_if_tls_was_used(chat, settings, scheme, closed):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    participant = await chat.connect(headers=[(b"x-forwarded-proto", scheme)])
    assert participant.client.close_code == closed


async def test_the_header_of_an_untrusted_proxy_is_ignored(chat, settings):
    settings.SECURE_SSL_REDIRECT = True
    participant = await chat.connect(headers=[(b"x-forwarded-proto", b"https")])
    assert participant.client.close_code == 4426


def test_old_versions_and_compression_are_not_supported():
    assert set(WebSocketServerProtocol.SUPPORTED_PROTOCOL_VERSIONS) == {8, 13}
    assert WebSocketServerFactory().perMessageCompressionAccept([object()]) is None


@pytest.mark.parametrize("seen", ["", "-1", "1.0", "x", "٣", "9" * 19, "1;drop"])
async def test_the_last_id_must_be_a_number(chat, seen):
    assert (await chat.connect("ann", seen=seen)).client.close_code == 4400


# Revoked logins


async def close_code_after(chat, name, change):
    """Make the change. Return the code that closes an idle client of this user."""
    participant = await chat.join(name)
    await chat.database.do(change)
    await wait(HEARTBEAT_INTERVAL)
    return participant.client.close_code


async def test_the_end_of_a_session_closes_the_connection(chat):
    expire = Session.objects.all()
    changes = {
        "expired": lambda: expire.update(expire_date="2000-01-01T00:00Z"),
        "flushed": lambda: expire._raw_delete("default"),
        "inactive": lambda: User.objects.filter(username="inactive").update(is_active=False),
        "password": lambda: User.objects.filter(username="password").update(password="!new"),
    }
    for name, change in changes.items():
        assert (name, await close_code_after(chat, name, change)) == (name, 4401)


async def test_a_client_without_a_session_receives_and_saves_nothing(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await chat.database.do(User.objects.filter(username="bob").update, is_active=False)
    await ann.post("hello")
    assert (bob.client.close_code, bob.new_messages(), ann.new_messages()) == (4401, [], ["hello"])
    other = await chat.join("ann")
    await chat.database.do(Session.objects.all()._raw_delete, "default")
    await other.post("not delivered")
    assert await chat.database.do(Message.objects.count) == 1


async def test_a_revoked_login_is_closed_at_once(chat):
    headers = await chat.database.log_in("ann")
    ann, other_session = await chat.join(headers=headers), await chat.join("ann")
    bob = await chat.join("bob")
    await chat.database.do(_log_out, headers[0][1].partition(b"=")[2].decode())
    assert [one.client.close_code for one in (ann, other_session, bob)] == [4401, None, None]
    await chat.database.do(_change_password, "ann")
    assert [one.client.close_code for one in (other_session, bob)] == [4401, None]


def _log_out(session_key):
    request = HttpRequest()
    request.session = SessionStore(session_key)
    logout(request)


def _change_password(name):
    user = User.objects.get(username=name)
    user.password = "!another"  # a real hash would take a second
    user.save()


async def test_logout_works_while_the_layer_is_unreachable(chat, monkeypatch, caplog):
    from lessons.extras.hardened_chat import revocation

    headers = await chat.database.log_in("ann")
    monkeypatch.setattr(revocation, "get_channel_layer", lambda: None)
    await chat.database.do(Session.objects.all().delete)
    assert await chat.database.do(Session.objects.count) == 0
    assert "Error calling _request_check" in caplog.text
    assert headers[0][1].partition(b"=")[2].decode() not in caplog.text


async def test_typing_checks_access_too(chat):
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await chat.remove_member("den", "bob")
    await bob.client.send_json_to({"typing": True})
    assert [frame for frame in ann.new_frames() if "typing" in frame] == []
    assert bob.client.close_code == 4403


# Messages


def _text(value):
    return {"text_data": value}


INVALID_REQUESTS = {
    "binary": {"bytes_data": b'{"message": "hi"}'},
    "empty": _text(""),
    "no JSON": _text("hello"),
    "a list": _text('[{"message": "hi"}]'),
    "null": _text("null"),
    "nothing": _text("{}"),
    "deep": _text("[" * frames.MAX_FRAME_LENGTH),
    "deep message": _text('{"message": ' + "[" * 8_000 + "]" * 8_000 + "}"),
    "deep object": _text('{"a":' * 3_000 + "1" + "}" * 3_000),
    "NaN": _text('{"message": NaN}'),
    "digits": _text('{"message": ' + "1" * 10_000 + "}"),
    "number": _text('{"message": 5}'),
    "object": _text('{"message": {"message": "hi"}}'),
    "spaces": _text('{"message": " \\n\\t"}'),
    "long frame": _text(json.dumps({"message": "hi", "more": "x" * frames.MAX_FRAME_LENGTH})),
    "half a mebibyte": _text("x" * 2**19),
    "typing of another kind": _text('{"typing": "yes"}'),
    "a key of another kind": _text('{"message": "hi", "key": 5}'),
    "an empty key": _text('{"message": "hi", "key": ""}'),
    "a long key": _text(json.dumps({"message": "hi", "key": "k" * 65})),
    "a strange key": _text(json.dumps({"message": "hi", "key": "k\x00"})),
}


@pytest.mark.parametrize("prefix", ["chat", "generic-chat"])
async def test_an_invalid_request_gets_an_error_and_the_client_stays(chat, prefix, monkeypatch):
    monkeypatch.setattr(rate_limit, "BURST", 1_000)
    chat.prefix = prefix
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for name, frame in INVALID_REQUESTS.items():
        await ann.client.send_to(**frame)
        assert (name, [list(answer) for answer in ann.new_frames()]) == (name, [["error"]])
    await ann.post("still here")
    assert bob.new_messages() == ["still here"]
    assert await chat.database.do(Message.objects.count) == 1


async def test_the_length_of_a_message_is_limited(chat):
    ann = await chat.join("ann")
    await ann.post("\U0001f600" * frames.MAX_MESSAGE_LENGTH)
    assert len(ann.new_messages()) == 1
    await ann.post("x" * (frames.MAX_MESSAGE_LENGTH + 1), key="k")
    limit = f"A message may have {frames.MAX_MESSAGE_LENGTH} characters at most."
    assert ann.new_frames() == [{"error": limit, "key": "k"}]


async def test_deceptive_characters_are_rejected(chat, monkeypatch):
    monkeypatch.setattr(rate_limit, "BURST", 1_000)
    ann = await chat.join("ann")
    for character in "\x00\x07\x08\x1b\r\x7f\x85\u202e\u2066\ud800":
        await ann.post(f"a{character}b")
        assert [list(answer) for answer in ann.new_frames()] == [["error"]]
    await ann.post("one\n\ttwo \u200d \u0627")
    assert ann.new_messages() == ["one\n\ttwo \u200d \u0627"]


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE db_demo_message; --",
    "{{ 7 * 7 }} {% debug %} %s %(name)s {0}",
    '{"type": "websocket.close"}',
    "__import__('os').system('true')",
]


async def test_text_is_saved_and_sent_unchanged(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for text in HOSTILE:
        await ann.post(text)
    assert bob.new_messages() == HOSTILE
    rows = await chat.database.do(lambda: list(Message.objects.values_list("text", flat=True)))
    assert rows == HOSTILE


async def test_a_client_cannot_select_a_handler(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for name in ("websocket.disconnect", "chat.check", "chat.typing", "end", "close"):
        request = {"type": name, "message": name, "command": name, "by": "bob", "id": 1}
        await ann.client.send_json_to(request)
    messages = [frame for frame in bob.new_frames() if "message" in frame]
    assert [(frame["message"], frame["by"]) for frame in messages][-1] == ("close", "ann")
    assert (len(messages), ann.client.close_code, bob.client.close_code) == (5, None, None)


async def test_the_page_runs_no_inline_script():
    response = await AsyncClient().get("/chat/lobby/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "connect-src ws://testserver wss://testserver;" in policy
    assert response["X-Frame-Options"] == "DENY"


async def test_only_members_see_a_private_room_in_the_list(chat):
    await chat.make_private("den", "ann")
    await chat.make_private("attic")
    browser = AsyncClient()
    assert b"No room has a message yet" in (await browser.get("/chat/")).content
    key = (await chat.database.log_in("ann"))[0][1].partition(b"=")[2].decode()
    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    content = (await browser.get("/chat/")).content.decode()
    assert ("/chat/den/" in content, "/chat/attic/" in content) == (True, False)
    assert (await browser.get("/chat/?room=den"))["Location"] == "/chat/den/"


@pytest.mark.parametrize("room", ["%3Cscript%3E", "a%20b", "x" * 51])
async def test_an_invalid_room_name_has_no_page(room):
    assert (await AsyncClient().get(f"/chat/{room}/")).status_code == 404


def test_the_page_never_treats_text_as_code():
    folder = settings.BASE_DIR / "db_demo" / "static" / "chat"
    for file in folder.glob("*.js"):
        source = file.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
            assert word not in source


# Limits


async def test_a_client_that_is_too_fast_gets_an_error_and_then_is_closed(chat, monkeypatch):
    monkeypatch.setattr(rate_limit, "BURST", 3)
    monkeypatch.setattr(rate_limit, "FLOOD_LIMIT", 10)
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for number in range(rate_limit.BURST + 1):
        await ann.post(f"{number}")
    assert bob.new_messages() == [f"{number}" for number in range(rate_limit.BURST)]
    assert ann.new_frames()[-1] == {"error": "Too fast: wait a second."}
    await wait(2 / rate_limit.FRAMES_PER_SECOND)
    await ann.post("slower")
    assert bob.new_messages() == ["slower"]
    for _ in range(rate_limit.FLOOD_LIMIT + 1):
        ann.client.input_queue.put_nowait({"type": "websocket.receive", "text": "x"})
    await wait(0)
    assert (ann.client.close_code, bob.client.close_code) == (4429, None)


@pytest.mark.parametrize("prefix", ["chat", "generic-chat"])
async def test_the_connections_of_a_user_are_limited(chat, monkeypatch, prefix):
    monkeypatch.setattr(store, "MAX_CONNECTIONS_PER_USER", 2)
    chat.prefix = prefix
    first, _ = await chat.join("ann"), await chat.join("ann", "other_session")
    assert (await chat.connect("ann")).client.close_code == 4429
    assert (await chat.connect("bob")).client.close_code is None
    await first.leave()
    assert (await chat.connect("ann")).client.close_code is None


async def test_presence_rows_of_a_dead_process_do_not_count(chat, monkeypatch):
    monkeypatch.setattr(store, "MAX_CONNECTIONS_PER_USER", 1)
    headers = await chat.database.log_in("ann")
    await chat.join(headers=headers)
    await chat.database.do(Presence.objects.update, seen_at="2000-01-01T00:00Z")
    assert (await chat.connect(headers=headers)).client.close_code is None


async def test_the_guests_of_an_address_are_limited(chat, monkeypatch):
    monkeypatch.setattr(store, "MAX_GUESTS_PER_ADDRESS", 1)
    await chat.join()
    assert (await chat.connect()).client.close_code == 4429
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


@pytest.mark.parametrize(
    "one, other, shared",
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
async def test_guests_with_addresses_of_one_ipv6_network_share_a_limit(
    chat, monkeypatch, one, other, shared
):
    monkeypatch.setattr(store, "MAX_GUESTS_PER_ADDRESS", 1)
    codes = []
    for address in (one, other):
        client = StrictCommunicator(APPLICATION, chat.path(seen=0))
        client.scope["client"] = [address, 5000]
        participant = Participant(client)
        chat.participants.append(participant)
        await client.connect()
        codes.append(client.close_code)
    assert codes == [None, 4429 if shared else None]


@pytest.mark.parametrize("name", ["ann", None])
async def test_the_rooms_that_a_client_creates_are_limited(chat, monkeypatch, name):
    monkeypatch.setattr(store, "ROOMS_PER_DAY", 2)
    headers = await chat.database.log_in(name) if name else []
    for number in range(4):
        one = await chat.join(headers=headers, room=f"new{number}")
        await one.post("hello", key="k")
    error = {"error": "You may create 2 rooms in a day at most.", "key": "k"}
    assert one.new_frames() == [error]
    assert await chat.database.do(Room.objects.count) == 2
    for name, room in (("ann", "new0"), ("bob", "new2")):
        other = await chat.join(name, room)
        await other.post("hi")
        assert (name, other.new_messages()) == (name, ["hi"])


@pytest.mark.parametrize("room", [".", ".."])
async def test_rooms_with_the_name_of_a_folder_are_rejected(chat, room):
    assert (await chat.connect(room=room)).client.close_code == 4404
    assert (await AsyncClient().get(f"/chat/?room={room}")).status_code == 404
    for allowed in ("...", ".a", "a."):
        assert (await chat.connect(room=allowed)).client.close_code is None


async def test_the_typing_notices_of_a_room_are_limited(chat):
    ann, *others = await chat.join("ann"), *[await chat.join() for _ in range(5)]
    for other in others:
        await other.client.send_json_to({"typing": True})
    assert ann.new_frames() == [{"typing": None}]
    await wait(1)
    await others[1].client.send_json_to({"typing": True})
    assert ann.new_frames() == [{"typing": None}]


async def test_a_long_text_of_another_program_is_cut(chat):
    room = await chat.database.do(Room.objects.create, name="lobby")
    for text in ("\x01" * 200_000, "short"):
        await chat.database.do(partial(room.messages.create, text=text))
    frames = [frame for frame in (await chat.connect("ann")).new_frames() if "message" in frame]
    lengths = [len(frame["message"]) for frame in frames]
    assert lengths == [MAX_MESSAGE_LENGTH, len("short")]
    assert len(json.dumps(frames)) < 2**20


async def test_a_list_of_users_has_a_limited_length(chat, monkeypatch):
    monkeypatch.setattr(store, "MAX_NAMES", 2)
    for name in ("ann", "bob", "cid", "dan"):
        last = await chat.connect(name)
    await wait(ANNOUNCE_INTERVAL)
    assert last.new_frames()[-1] == {"here": ["ann", "bob"], "guests": 0, "more": 2}


async def test_an_idle_client_is_closed(chat, monkeypatch):
    monkeypatch.setattr(rate_limit, "IDLE_TIMEOUT", 3 * HEARTBEAT_INTERVAL)
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await wait(2 * HEARTBEAT_INTERVAL)
    await ann.client.send_json_to({"typing": True})
    await wait(2 * HEARTBEAT_INTERVAL)
    assert (ann.client.close_code, bob.client.close_code) == (None, 4408)


# The log


async def test_the_log_has_users_and_events_but_no_texts(chat, caplog):
    caplog.set_level(logging.INFO, "lessons.extras.hardened_chat")
    headers = await chat.database.log_in("ann")
    key = headers[0][1].partition(b"=")[2].decode()
    ann = await chat.join(headers=headers)
    await ann.post("a secret")
    await ann.client.send_to(text_data='{"message": "worse\\u0000"}')
    await ann.leave()
    await chat.make_private("den")
    await chat.connect("ann", "den")
    number = (await chat.user("ann")).pk
    logged = [record.getMessage() for record in caplog.records if "hardened_chat" in record.name]
    assert logged == [
        f"user {number} at 127.0.0.1: {event}"
        for event in (
            "joined",
            "invalid frame: A message must not contain control characters.",
            "left",
            "closed with 4403",
        )
    ]
    for secret in ("a secret", "worse", key):
        assert secret not in caplog.text


def test_every_proof_is_a_test_that_exists():
    named = set(re.findall(r"\btest_\w+(?=[,\n])", __doc__))
    folder = settings.BASE_DIR / "tests"
    files = [
        "extras/test_hardened_chat_security",
        "extras/test_hardened_chat",
        "extras/test_hardened_chat_load",
        "extras/test_hardened_chat_receipts",
        "extras/test_hardened_chat_storm",
        "real/browser/test_chat",
    ]
    files.append("workshop/course/test_settings")
    sources = "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in files)
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in sources] == []
