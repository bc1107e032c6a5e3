"""What the rules say beyond Daphne. tests/facts/test_facts_daphne.py compares the two."""

from collections import UserDict

import pytest

from lessons.workshop.engine.world.daphne_rules import (
    BrokenRule,
    WebSocketRules,
    ignored_keys_text,
    with_meant_keys,
)
from tests.support.scripted_events import ACCEPT, CLOSE, EqualsEverything, send

START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}


def broken(*replies):
    """The rule that the last of these messages breaks."""
    rules = WebSocketRules(["chat"])
    *first, last = replies
    for reply in first:
        rules.apply(reply)
    with pytest.raises(BrokenRule) as error:
        rules.apply(last)
    return error.value


class Data(bytes):
    pass


class Silent(str):
    def encode(self, *_):
        return b"fine"


@pytest.mark.parametrize(
    ("replies", "diagnosis"),
    [
        ([{"type": EqualsEverything("acept")}], "unknown-event-type"),
        ([{**ACCEPT, "subprotocol": EqualsEverything("chess")}], "subprotocol-not-offered"),
        ([ACCEPT, send(text=Silent("\ud800"))], "text-not-encodable"),
        ([ACCEPT, send(bytes=Data(b"a"))], "payload-not-bytes"),
        ([UserDict(ACCEPT)], "reply-not-a-dict"),
    ],
)
def test_judges_the_value_and_the_exact_type_and_calls_no_method_of_a_subclass(replies, diagnosis):
    assert broken(*replies).diagnosis == diagnosis


def test_shows_a_value_of_a_wrong_type_by_its_repr():
    assert (
        "is '4013', a str. It must be an int." in broken(ACCEPT, {**CLOSE, "code": "4013"}).remark
    )
    assert "is b'chat'" in broken({**ACCEPT, "subprotocol": b"chat"}).remark


@pytest.mark.parametrize(
    ("message", "key", "meant"),
    [
        ({**ACCEPT, "subprotocols": ["chat"]}, "subprotocols", "subprotocol"),
        (send(txt="a"), "txt", "text"),
        (send(text_data="a"), "text_data", "text"),
        ({**CLOSE, "close_code": 4000}, "close_code", "code"),
        ({**START, "header": []}, "header", "headers"),
        ({"type": "http.response.start", "status_code": 200}, "status_code", "status"),
    ],
)
def test_names_an_unknown_key_and_the_one_that_is_meant(message, key, meant):
    text = ignored_keys_text(message)
    assert f"does not know the key {key!r} of {message['type']}" in text
    assert text.endswith(f"Write {meant!r}.")
    assert with_meant_keys(message) == {
        meant if name == key else name: value for name, value in message.items()
    }


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (send(text="a", bytes=None), ""),
        ({**CLOSE, "reason": "done"}, ""),
        ({"type": "websocket.sned", "txt": "a"}, ""),
        (send(text="a", txt="b"), "ignores it."),
        ({**CLOSE, 5: 1}, "the key 5 of websocket.close, and ignores it."),
    ],
)
def test_suggests_no_key_without_a_reason(message, text):
    found = ignored_keys_text(message)
    assert found.endswith(text)
    assert bool(found) == bool(text)
    assert "Write" not in found
