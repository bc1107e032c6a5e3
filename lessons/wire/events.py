"""One thing that crossed the wire."""

import math
from dataclasses import dataclass
from typing import Any, Literal

Lane = Literal["client", "consumer", "layer", "database"]
Direction = Literal["in", "out", "mark"]


@dataclass(frozen=True, slots=True)
class Event:
    """What crossed, when, and which handler was at work.

    `time` is in seconds on a monotonic clock. `direction` is seen from the consumer: "in" arrives
    at it, "out" leaves it, "mark" is something that befell it. `message` is the ASGI message, or
    the call: {"type": "group_send", "group": ..., "message": ...}, {"type": "query", "sql": ...},
    {"type": "finished"}, {"type": "raised", "error": ...}. It is redacted before it gets here.
    """

    seq: int
    time: float
    lane: Lane
    direction: Direction
    message: dict
    thread: str
    handler: str | None
    connection: str

    def as_json(self) -> dict:
        """The same as plain JSON values; bytes become {"bytes": "00ff"}."""
        return {name: plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict) -> "Event":
        """The event that as_json() gave `data` for, as far as JSON keeps it."""
        return cls(**{**data, "message": _with_bytes(data["message"])})


def plain(value: Any) -> Any:
    """Turn what a consumer may have sent, however wrong, into JSON values."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)  # JSON has no word for it
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
