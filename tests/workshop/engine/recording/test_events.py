"""An event holds exact built-in types, whatever a consumer has sent."""

import json
import math
import pickle
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from enum import IntEnum, StrEnum
from http import HTTPStatus

import pytest

from lessons.workshop.engine.recording.events import Event, error_text, exact_copy, to_json
from lessons.workshop.engine.recording.recorder import Recorder
from lessons.workshop.engine.recording.recording_difference import find_first_difference


class EqualsEverything(str):
    def __eq__(self, other):
        return True

    def __str__(self):
        return "another text"

    __hash__ = str.__hash__


class Disguised(bytes):
    def __bytes__(self):
        return b"another value"


class Closes(IntEnum):
    OVER = 4000


class Colour(StrEnum):
    RED = "red"


class HidesItems(dict):
    def items(self):
        return []


class Number(float):
    pass


Pair = namedtuple("Pair", "name value")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (EqualsEverything("hi"), "hi"),
        (Disguised(b"hi"), b"hi"),
        (Closes.OVER, 4000),
        (HTTPStatus.OK, 200),
        (Colour.RED, "red"),
        (Number(1.5), 1.5),
        (True, True),
        (None, None),
        (HidesItems(a=1), {"a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (OrderedDict(a=(1, Closes.OVER)), {"a": (1, 4000)}),
        (Pair(b"name", [Colour.RED]), (b"name", ["red"])),
        ({EqualsEverything("key"): 1}, {"key": 1}),
    ],
)
def test_a_subclass_is_copied_as_its_value(value, expected):
    copy = exact_copy(value)
    assert types_in(copy) == types_in(expected)
    assert copy == expected


def types_in(value):
    if isinstance(value, dict):
        return type(value), [(types_in(key), types_in(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [types_in(item) for item in value]
    return type(value)


def test_nan_is_copied():
    assert math.isnan(exact_copy({"value": Number("nan")})["value"])


@pytest.mark.parametrize("value", [object(), UserDict(a=1), {1, 2}, memoryview(b"a")])
def test_any_other_object_stays_so_that_a_rule_can_name_its_type(value):
    assert exact_copy([value])[0] is value


def test_a_later_change_does_not_reach_the_copy():
    message = {"headers": [[b"a", b"b"]], "body": bytearray(b"a")}
    copy = exact_copy(message)
    message["headers"][0].append(b"c")
    message["body"].append(0)
    assert copy == {"headers": [[b"a", b"b"]], "body": b"a"}


def test_a_recorded_event_can_be_pickled_and_written_as_json():
    recorder = Recorder()
    message = {"type": EqualsEverything("websocket.close"), "code": Closes.OVER}
    recorder.record("client", "out", message, "MainThread", None, "c1")
    event = recorder.events[0]
    assert types_in(event.message) == types_in({"type": "", "code": 1})
    assert json.dumps(event.as_json()["message"]) == '{"type": "websocket.close", "code": 4000}'
    assert pickle.loads(pickle.dumps(event)) == event


def test_json_distinguishes_bytes_from_text():
    assert to_json({"bytes": b"\x00\xff", "text": "a", "n": [1, None]}) == {
        "bytes": {"bytes": "00ff"},
        "text": "a",
        "n": [1, None],
    }


def test_the_text_of_an_error_has_no_address_of_an_object():
    class Lamp:
        pass

    assert (
        error_text(TypeError(f"no {Lamp()!r}"))
        == f"TypeError: no <{Lamp.__module__}.{Lamp.__qualname__} object>"
    )


def test_a_recording_that_was_json_does_not_differ_from_itself():
    headers = [(b"sec-websocket-protocol", b"weather.celsius")]
    scope = {"type": "scope", "headers": headers, "client": ("127.0.0.1", 50001)}
    event = Event(1, 0.0, "consumer", "mark", scope, "main", None, "a")
    copy = Event.from_json(json.loads(json.dumps(event.as_json())))
    assert copy.message != scope  # JSON has no tuples
    assert find_first_difference([event], [copy]) is None
