"""The rules treat unusual messages as a real Daphne does. The facts tests have the same cases."""

from collections import UserDict
from enum import IntEnum

import pytest

from lessons.workshop.engine.world.daphne_rules import (
    BrokenRule,
    HttpRules,
    Response,
    State,
    WebSocketRules,
    ignored_keys_text,
    with_meant_keys,
)
from tests.support import daphne_cases
from tests.support.programs.real_daphne import ACCEPT, CLOSE, send


class EqualsEverything(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def broken(rules, replies):
    """The rule that the last of these messages breaks, or None."""
    rule = None
    for reply in replies:
        assert rule is None or rule.error is None, "only the last one raises"
        try:
            rule = rules.apply(reply)
        except BrokenRule as error:
            rule = error
    return rule


def websocket(*replies, offered=("chat",)):
    rules = WebSocketRules(offered)
    return rules, broken(rules, replies)


@pytest.mark.parametrize(("replies", "error"), daphne_cases.RAISING)
def test_raises_what_daphne_raises(replies, error):
    assert str(websocket(*replies)[1].error).startswith(error)


@pytest.mark.parametrize("replies", daphne_cases.IGNORED)
def test_ignores_what_daphne_ignores(replies):
    rules, rule = websocket(*replies)
    assert (rules.state, rule and rule.error) == (State.OPEN, None)


@pytest.mark.parametrize("chosen", daphne_cases.UNANSWERED)
def test_a_subprotocol_of_a_wrong_type_leaves_the_handshake_unanswered(chosen):
    rules, rule = websocket({**ACCEPT, "subprotocol": chosen})
    assert (rules.state, rule.diagnosis, rule.error) == (
        *(State.CONNECTING, "subprotocol-not-offered"),
        None,
    )
    assert isinstance(chosen, str) or repr(chosen) in rule.remark


@pytest.mark.parametrize("late", daphne_cases.UNREAD)
def test_does_not_look_at_a_message_after_the_end(late):
    rules, rule = websocket(CLOSE, late)
    assert rule is None or rule.error is None
    rules.disconnect()
    rules.apply(late)


@pytest.mark.parametrize(("half", "more", "error"), daphne_cases.HALF_A_MIB)
def test_a_frame_of_more_than_1_mib_raises(half, more, error):
    key = "text" if isinstance(half, str) else "bytes"
    assert websocket(ACCEPT, send(**{key: half * 2}))[1] is None
    rule = websocket(ACCEPT, send(**{key: (half + more) * 2}))[1]
    assert (rule.diagnosis, str(rule.error)) == ("frame-too-large", error)


def test_shows_a_code_by_its_repr():
    assert (
        "is '4013', a str. It must be an int."
        in websocket(ACCEPT, {**CLOSE, "code": "4013"})[1].remark
    )


def test_judges_the_exact_type_of_a_code_and_of_bytes():
    class Code(IntEnum):
        OVER = 4000

    class Data(bytes):
        pass

    assert websocket(ACCEPT, {**CLOSE, "code": Code.OVER})[1].diagnosis == "forbidden-close-code"
    assert websocket(ACCEPT, send(bytes=Data(b"a")))[1].diagnosis == "payload-not-bytes"


def test_judges_a_text_by_its_characters():
    class Silent(str):
        def encode(self, *_):
            return b"fine"

    assert websocket({"type": EqualsEverything("acept")})[1].diagnosis == "unknown-event-type"
    wrong = {**ACCEPT, "subprotocol": EqualsEverything("chess")}
    assert websocket(wrong)[1].diagnosis == "subprotocol-not-offered"
    rule = websocket(ACCEPT, send(text=Silent(daphne_cases.HALF)))[1]
    assert rule.diagnosis == "text-not-encodable"


def test_an_object_that_only_looks_like_a_dict_is_not_a_message():
    rule = websocket(UserDict(ACCEPT))[1]
    assert (rule.diagnosis, rule.error) == ("reply-not-a-dict", None)


# HTTP


@pytest.mark.parametrize(
    ("replies", "error"), daphne_cases.RAISING_IN_HTTP + daphne_cases.RAISING_AFTER_START
)
def test_raises_what_daphne_raises_in_http(replies, error):
    rule = broken(HttpRules(), replies)
    assert str(rule.error).startswith(error)


@pytest.mark.parametrize(("replies", "body"), daphne_cases.ANSWERED)
def test_answers_what_daphne_answers_in_http(replies, body):
    rules = HttpRules()
    rule = broken(rules, replies)
    assert rules.response is Response.COMPLETE
    assert rule is None


@pytest.mark.parametrize("late", daphne_cases.UNREAD)
def test_does_not_look_at_a_message_after_the_response(late):
    rules = HttpRules()
    assert broken(rules, [daphne_cases.START, daphne_cases.BODY, late]).error is None


# Keys


@pytest.mark.parametrize(
    ("message", "key", "meant"),
    [
        ({**ACCEPT, "subprotocols": ["chat"]}, "subprotocols", "subprotocol"),
        ({**ACCEPT, "sub_protocol": "chat"}, "sub_protocol", "subprotocol"),
        (send(txt="a"), "txt", "text"),
        (send(Text="a"), "Text", "text"),
        (send(text_data="a"), "text_data", "text"),
        (send(bytes_data=b"a"), "bytes_data", "bytes"),
        ({**CLOSE, "close_code": 4000}, "close_code", "code"),
        ({**daphne_cases.START, "header": []}, "header", "headers"),
        ({"type": "http.response.start", "status_code": 200}, "status_code", "status"),
        ({**daphne_cases.BODY, "more": True}, "more", "more_body"),
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
        ({**ACCEPT, "headers": []}, ""),
        ({"type": "websocket.sned", "txt": "a"}, ""),
        ("no dict", ""),
        (send(text="a", txt="b"), "ignores it."),
        ({**CLOSE, 5: 1}, "the key 5 of websocket.close, and ignores it."),
    ],
)
def test_suggests_no_key_without_a_reason(message, text):
    found = ignored_keys_text(message)
    assert found.endswith(text)
    assert bool(found) == bool(text)
    assert "Write" not in found
