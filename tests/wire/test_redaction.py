"""No event is stored with a secret."""

import pickle
import time

import pytest

from lessons.wire.redaction import HIDDEN, MAX_VALUE_LENGTH, redact


@pytest.mark.parametrize(
    "name", [b"Cookie", b"cookie", b"authorization", b"set-cookie", b"X-Auth-Token"]
)
def test_hides_the_value_of_a_secret_header(name):
    assert redact({"headers": [(name, b"s3cret")]}) == {"headers": [(name, HIDDEN.encode())]}


def test_does_not_change_other_headers():
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")]

    assert redact({"headers": headers}) == {"headers": headers}


@pytest.mark.parametrize("key", ["password", "sessionid", "ticket", "csrf_token", "client_secret"])
def test_hides_the_value_of_a_secret_key_at_any_depth(key):
    assert redact({"message": [{key: "s3cret"}]}) == {"message": [{key: HIDDEN}]}


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "s3cret"}',
        '{"user": "ada", "passwd":"s3cret \\" x"}',
        "?ticket=s3cret&room=1",
        "Session: s3cret",
        "token='s3cret'",
    ],
)
def test_hides_named_secrets_in_text(text):
    assert "s3cret" not in redact(text)
    assert HIDDEN in redact(text)


def test_hides_a_ticket_in_a_query_string():
    assert redact(b"room=1&ticket=s3cret") == b"room=1&ticket=" + HIDDEN.encode()


def test_does_not_touch_the_original():
    message = {"headers": [(b"cookie", b"s3cret")]}

    redact(message)

    assert message == {"headers": [(b"cookie", b"s3cret")]}


def test_keeps_the_start_of_a_long_text():
    kept = redact({"text": "x" * 1_048_576})["text"]

    assert kept == "x" * MAX_VALUE_LENGTH + "…"


def test_replaces_objects_by_their_repr():
    message = redact({"text": object(), "lock": time, "self": {1, 2}})

    assert pickle.loads(pickle.dumps(message)) == message


def test_survives_a_value_whose_repr_raises():
    class Mean:
        def __repr__(self):
            raise RuntimeError

    assert redact({"text": Mean()}) == {"text": "<Mean>"}


def test_shows_the_type_of_a_key_that_is_not_text():
    assert redact({"earlier": {1: "soup", "1": "tea"}}) == {
        "earlier": {"1 (int)": "soup", "1": "tea"}
    }
