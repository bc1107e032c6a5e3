"""No event is shown or saved with a secret."""

from dataclasses import dataclass

import pytest

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.judge.redaction import HIDDEN, MAX_LENGTH, redact, redacted


@dataclass
class Account:
    password: str


@pytest.mark.parametrize(
    "name", [b"Cookie", b"cookie", b"authorization", b"set-cookie", b"X-Auth-Token"]
)
def test_hides_the_value_of_a_secret_header(name):
    assert redact({"headers": [(name, b"s3cret")]}) == {"headers": [(name, HIDDEN.encode())]}


def test_two_values_of_bytes_are_no_header_and_long_values_are_cut():
    assert redact({"a": [b"x", b"y"], "b": (b"x", b"y" * 5000)}) == {
        "a": [b"x", b"y"],
        "b": (b"x", b"y" * MAX_LENGTH + b"..."),
    }


SECRET_NAMES = (
    *("password", "passwd", "pwd", "pass", "paSSword", "secret", "tokens"),
    *("client_secret", "token", "access_token", "csrf_token", "sessionToken", "session", "jwt"),
    *("sessionid", "ticket", "auth", "Authorization", "credentials", "cookie", "api_key", "apiKey"),
    *("APIKEY", "api-key", "accessKey", "private-key"),
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_hides_the_value_of_a_secret_name(name):
    assert redact({"message": [{name: "s3cret"}]}) == {"message": [{name: HIDDEN}]}
    for text in (f"?a=1&{name}=s3cret&b=2", f'{{"a": 1, "{name}": "s3cret"}}', f"{name}: s3cret"):
        assert "s3cret" not in redact(text)


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.s3cret"
WITH_A_SECRET = {
    "query": [
        "?signature=s3cret",
        "/ws/?room=1&key=s3cret",
        "?token=s3cret,more-s3cret",
        "?next=%2Fws%3Fticket%3Ds3cret",
        "?api-key=s3cret#top",
        "?sessionid=s3cret;a=1",
    ],
    "form": ["password=s3cret%20s3cret"],
    "json": [
        '{"user": "ada", "passwd":"s3cret \\" s3cret", "room": 1}',
        '{"private-key": "s3cret\\ns3cret"}',
        '{"tokens": ["s3cret", "s3cret"]}',
        '{"token": {"value": "s3cret"}}',
        '{"pa\u017f\u017fword": "s3cret"}',
        '{"password": "s3cret that is cut in s3cret…',
        '{"sessionToken"  :  "s3cret"}',
    ],
    "json in json": [
        r'{"data": "{\"password\": \"s3cret \\\" s3cret\", \"room\": 1}"}',
        r'{"data": "{\"token\": 123, \"pwd\": \"s3cret\"}"}',
        r'"{\"a\": \"{\\\"secret\\\": \\\"s3cret, s3cret\\\"}\"}"',
        r'{"url": "/ws/?ticket=s3cret", "room": 1}',
        r'{"text": "Authorization: Basic czNjcmV0 s3cret"}',
    ],
    "header": [
        "Authorization: Ticket s3cret",
        "Cookie: a=s3cret; b=s3cret",
        "Set-Cookie: sessionid=s3cret; HttpOnly",
        "[(b'host', b'a.test'), (b'cookie', b'a=s3cret')]",
    ],
    "python": [
        "token='s3cret'",
        "{'password': \"s3cret's3cret\"}",
        "<Account password=s3cret>",
    ],
    "form of the value": [
        "Bearer s3cret",
        "Bearer%20s3cret",
        "send bearer s3cret, please",
        "Basic YTpzM2NyZXQ=",
        f"my key is {JWT}",
        f"my ticket is {'s3cret' * 3}:1w3AbC:{'s3cret_-' * 5}",
        "redis://ada:s3cret@localhost:6379/0",
        "postgres://:s3cret@db/x",
    ],
}
WITHOUT_A_SECRET = [
    "",
    '{"message": "hello", "key": "k1", "id": 7, "by": "ada", "at": "2026-01-01T00:00:00+00:00"}',
    '{"passenger": "ada"}',
    '{"compass": "north", "bypass": "none", "passed": 3}',
    '{"keyboard": "qwerty", "monkey": "george", "keys": 2}',
    '{"tokenize": "a b", "tokenizer": "bpe", "tokenised": 1}',
    '{"author": "ada", "authenticated": true, "authority": "x"}',
    '{"obsession": "tea", "possession": "cup", "secretary": "ada"}',
    '{"side": "left", "inside": 1, "signal": "red", "design": "x"}',
    '{"public_key": "abc"}',
    '{"type": "session.over"}',
    "The password has a secret token",
    "the bearer of bad news, a basic question",
    "/ws/auth/ticket/",
    "session-a01087df3b797fb2",
    'SELECT "auth_user"."id", "auth_user"."password" FROM "auth_user" LIMIT 21',
    'DELETE FROM "django_session" WHERE "django_session"."expire_date" < %s',
    "time: 12:30:05",
]


@pytest.mark.parametrize("text", [text for texts in WITH_A_SECRET.values() for text in texts])
def test_hides_the_secrets_in_text(text):
    hidden = redact(text)
    assert "s3cret" not in hidden
    assert "YTpzM2NyZXQ" not in hidden
    assert HIDDEN in hidden
    if text.isascii():
        assert redact({"state": [text.encode()]}) == {"state": [hidden.encode()]}


@pytest.mark.parametrize("text", WITHOUT_A_SECRET)
def test_keeps_text_without_a_secret(text):
    assert redact(text) == text
    assert redact(text.encode()) == text.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"pwd": "s3cret", "room": 1}', '{"pwd": "[hidden]", "room": 1}'),
        (
            r'{"d": "{\"pwd\": \"a\\\"b\", \"x\": 1}"}',
            r'{"d": "{\"pwd\": \"[hidden]\", \"x\": 1}"}',
        ),
        ("/?a=1&jwt=s3cret&b=2", "/?a=1&jwt=[hidden]&b=2"),
        ("{'token': 5, 'room': 1}", "{'token': [hidden], 'room': 1}"),
        ("say Bearer s3cret, then go", "say Bearer [hidden], then go"),
        ("redis://ada:s3cret@db:6379", "redis://ada:[hidden]@db:6379"),
        ('{"password": ""}', '{"password": ""}'),
        ("password=", "password="),
    ],
)
def test_keeps_the_text_around_a_secret(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("offered", "shown"),
    [
        (["actioncable-v1-json", "v12.stomp", "mqttv3.1", "v5.channel.k8s.io"],) * 2,
        (["bearer", "abc"], ["bearer", HIDDEN]),
        (["access_token", "abc", "chat"], ["access_token", HIDDEN, "chat"]),
        (["chat", "token.WzFd.1vC9Xb.Q7"], ["chat", f"token.{HIDDEN}"]),
        (
            ["base64url.bearer.authorization.k8s.io.abc"],
            [f"base64url.bearer.{HIDDEN}"],
        ),
        ([JWT], [HIDDEN]),
        (["chat", "a1b2c3d4e5f6a7b8c9"], ["chat", HIDDEN]),
        (["0f8fad5b-d9cb-469f-a165-70867728950e"], [HIDDEN]),
    ],
)
def test_hides_tokens_among_the_subprotocols(offered, shown):
    header = (b"Sec-WebSocket-Protocol", ", ".join(offered).encode())
    assert redact({"headers": [header]}) == {"headers": [(header[0], ", ".join(shown).encode())]}
    assert redact({"subprotocols": offered}) == {"subprotocols": shown}
    accepted = [redact({"subprotocol": each})["subprotocol"] for each in offered]
    assert all(
        one in (each, after) for one, each, after in zip(accepted, offered, shown, strict=True)
    )


def test_hides_the_secrets_in_the_repr_of_an_object():
    assert redact({"user": Account("s3cret")}) == {"user": "Account(password='[hidden]')"}


def test_an_event_keeps_which_attributes_were_deleted():
    state = {"ticket": "'s3cret'", "query": "'token=s3cret&a=1'", "jwt": None}
    message = {"type": "scope", "headers": [(b"cookie", b"s3cret")]}
    shown = redacted(Event(1, 0.0, "client", "in", message, "main", None, "a", state))
    assert shown.state == {"ticket": HIDDEN, "query": f"'token={HIDDEN}&a=1'", "jwt": None}
    assert shown.message == {"type": "scope", "headers": [(b"cookie", HIDDEN.encode())]}
