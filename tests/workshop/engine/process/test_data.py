"""Plain data arrives unchanged through a pipe, and is read by declared types."""

import multiprocessing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from lessons.workshop.engine.process.data import (
    UnreadableData,
    packed,
    read_dataclass,
    receive_data,
    send_data,
    unpacked,
)


@pytest.mark.parametrize(
    "value",
    [
        [None, True, 1, 1.5, "text", "\ud800"],
        {"type": "x", "bytes": b"\x00\xff", 3: ("a", [b""])},
        (float("inf"), -(2**70), 2**64),
        {("a", 1): [()]},
    ],
)
def test_values_arrive_unchanged_through_a_pipe(value):
    ours, theirs = multiprocessing.Pipe()
    send_data(theirs, value)
    assert receive_data(ours) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"\x92\x01", b"\xa1\xff", b"\xd4\x09\x00", b"\x91" * 100_000],
    ids=["nothing", "half a list", "not UTF-8", "an unknown type", "lists in lists"],
)
def test_anything_else_is_reported_as_unreadable(data):
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(data)
    with pytest.raises(UnreadableData):
        receive_data(ours)


@dataclass(frozen=True)
class Point:
    x: float


@dataclass(frozen=True)
class Shape:
    points: tuple[Point, ...] = ()
    names: dict[int, str] | None = None
    pair: tuple[int, str] = (0, "")
    kind: Literal["open", "closed"] = "open"
    file: Path = Path()
    more: Any = None


WHOLE = Shape((Point(1.5), Point(2)), {1: "a"}, (3, "b"), "closed", Path("/x"), [("t", 1)])


@pytest.mark.parametrize("shape", [Shape(), WHOLE])
def test_a_dataclass_is_read_by_the_types_of_its_fields(shape):
    assert read_dataclass(Shape, unpacked(packed(shape))) == shape


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"points": [{"x": "1"}]},
        {"points": [{"y": 1}]},
        {"points": 3},
        {"names": {"1": "a"}},
        {"pair": [1]},
        {"pair": ["a", 1]},
        {"kind": "other"},
        {"file": 7},
        {"unknown": 1},
    ],
)
def test_refuses_a_value_of_another_type(data):
    with pytest.raises((TypeError, ValueError, LookupError)):
        read_dataclass(Shape, data)
