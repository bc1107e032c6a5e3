"""The event, which is all that is recorded, and the values that it holds."""

import math
import re
from collections import UserString
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise

Lane = Literal["client", "consumer", "layer", "database"]
Direction = Literal["in", "out", "mark"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")

PLAIN_TYPES = {type(None), bool, int, float, str, bytes}


@dataclass(frozen=True, slots=True)
class Event:
    """One message or call, with its time and the handler that was running.

    `time` is in seconds on a monotonic clock. `direction` is seen from the consumer: "in" reaches
    the consumer, "out" leaves it, "mark" is its end. `message` is the ASGI message or the call:
    {"type": "group_send", "group": ..., "message": ...}, {"type": "query", "sql": ...},
    {"type": "finished"}, {"type": "raised", "error": ...}. It consists of exact built-in types,
    but for what Daphne refuses. `state` is what the consumer's code changed in its attributes after
    this event and before its next one, {"count": "3", "task": None}; None is a deleted one. `line`
    is the line of the consumer's file that sent it, from 1, if the recorder looks for it.
    """

    seq: int
    time: float
    lane: Lane
    direction: Direction
    message: dict
    thread: str
    handler: str | None
    connection: str
    state: dict | None = None
    line: int | None = None

    def as_json(self) -> dict:
        """The event as JSON values; bytes become {"bytes": "00ff"}."""
        return {name: to_json(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict) -> "Event":
        """The event that as_json() wrote. JSON does not keep tuples and special numbers."""
        return cls(**{**data, "message": _with_bytes(data["message"])})


def exact_copy(value: Any) -> Any:
    """A deep copy of `value` in exact built-in types, as another process would receive it.

    A consumer may send a subclass: a `str` with its own `__eq__`, an IntEnum, a defaultdict. A
    client only receives the value, so only the value may be recorded and judged. The copy calls
    no method of a subclass. Any other object stays, because a rule of Daphne reports its type.
    """
    if type(value) in PLAIN_TYPES:
        return value
    for kind in type(value).__mro__:
        if kind in _COPY:
            return _COPY[kind](value)
    return value


# The methods of the built-in type itself, since a subclass may define its own.
_COPY = {
    dict: lambda value: {exact_copy(key): exact_copy(item) for key, item in dict.items(value)},
    list: lambda value: [exact_copy(item) for item in list.__iter__(value)],
    tuple: lambda value: tuple([exact_copy(item) for item in tuple.__iter__(value)]),
    str: str.__str__,
    bytes: bytes.__bytes__,
    bytearray: bytearray.copy,
    UserString: UserString.__str__,  # Daphne sends whatever encodes itself
    Promise: str,  # a lazy text
    int: int.__int__,
    float: float.__float__,
}


def error_text(error: BaseException) -> str:
    """`Type: message`, without addresses of objects, which differ from run to run."""
    return f"{type(error).__name__}: {_ADDRESS.sub('', str(error))}"


def to_json(value: Any) -> Any:
    """`value` as JSON values, whatever a consumer has sent."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)  # JSON cannot express it
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return repr(value)


def _with_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"bytes"} and isinstance(value["bytes"], str):
        return bytes.fromhex(value["bytes"])
    return {key: _with_bytes(item) for key, item in value.items()}
