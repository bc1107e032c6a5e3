"""Plain data between processes: packed, sent through a pipe, and read by declared types.

Nothing that a student's process sends may be unpickled: unpickling can run any code.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import repeat
from multiprocessing.connection import Connection
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgpack

from ..recording.events import exact_copy

T = TypeVar("T")

# What MessagePack lacks is an extension, which has a number.
_TUPLE, _LARGE_NUMBER = 1, 2


class UnreadableData(ValueError):
    """What came through the pipe is not what send_data() writes."""


def send_data(connection: Connection, value: Any) -> None:
    """Send `value` through a pipe as MessagePack; receive_data() returns it at the other end.

    None, booleans, numbers, texts, bytes, lists, tuples and dicts arrive unchanged. A subclass of
    such a type arrives as that type, a path as a text, a dataclass as a dict for read_dataclass(),
    and any other object as its repr.
    """
    connection.send_bytes(packed(value))


def receive_data(connection: Connection, max_size: int | None = None) -> Any:
    """Receive what send_data() sent: of a student's process, at most `max_size` bytes.

    Raises EOFError, OSError for more bytes, or UnreadableData for anything that is not data.
    """
    data = connection.recv_bytes(max_size)
    try:
        return unpacked(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableData(f"The process sent something that is not data: {error}") from None


def packed(value: Any) -> bytes:
    return msgpack.packb(value, default=_plain, strict_types=True, unicode_errors="surrogatepass")


def unpacked(data: bytes) -> Any:
    """The value that packed() has packed. Raises ValueError, TypeError or RecursionError."""
    return msgpack.unpackb(
        data, ext_hook=_extension, strict_map_key=False, unicode_errors="surrogatepass"
    )


def _plain(value: Any) -> Any:
    """What is packed instead of a value that MessagePack, or its strictness, refuses."""
    if type(value) is tuple:
        return msgpack.ExtType(_TUPLE, packed([*value]))
    if type(value) is int:
        return msgpack.ExtType(_LARGE_NUMBER, hex(value).encode())
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        # Defaults are left out, and a tuple is a list: read_dataclass() knows the declared type.
        return {
            name: [*item] if type(item) is tuple else item
            for name, default in _defaults(type(value)).items()
            if (item := getattr(value, name)) != default
        }
    copy = exact_copy(value)
    return repr(value) if copy is value else copy


@cache
def _defaults(kind: type) -> dict[str, Any]:
    """The fields of a dataclass, each with its default, or MISSING."""
    made = {it.name: it.default_factory() for it in fields(kind) if it.default_factory != MISSING}
    return {it.name: made.get(it.name, it.default) for it in fields(kind)}


def _extension(code: int, data: bytes) -> Any:
    if code == _TUPLE:
        return tuple(unpacked(data))
    if code == _LARGE_NUMBER:
        return int(data, 16)
    raise ValueError(f"no type has the number {code}")


def read_dataclass(kind: type[T], data: dict, finish: Mapping[type, Callable] = {}) -> T:
    """The dataclass that send_data() sent as a dict, with all that is in it.

    A student's code runs in the process that sends it. So each field, and each item of a tuple or a
    dict, must have the declared type. `finish` has functions for classes of dataclasses: what such
    a function returns replaces the object. Raises TypeError and ValueError.
    """
    return _read(kind, data, finish)


def _read(declared: Any, value: Any, finish: Mapping[type, Callable]) -> Any:
    origin, parts, of_fields = _shape(declared)
    if origin is UnionType:  # X | None
        return None if value is None else _read(parts[0], value, finish)
    if of_fields is not None:
        items = _instance(value, dict).items()
        found = declared(**{name: _read(of_fields[name], item, finish) for name, item in items})
        return finish[declared](found) if declared in finish else found
    if origin is tuple:
        items = _instance(value, list | tuple)
        kinds = repeat(parts[0], len(items)) if parts[-1] is Ellipsis else parts
        pairs = zip(kinds, items, strict=True)
        return tuple([_read(kind, item, finish) for kind, item in pairs])
    if origin is dict:
        items = _instance(value, dict).items()
        return {_read(parts[0], k, finish): _read(parts[1], v, finish) for k, v in items}
    if origin is Literal and value not in parts:
        raise TypeError(f"{value!r} is not one of {parts}")
    if declared is Path:
        return Path(_instance(value, str))
    if declared is Any or origin is Literal:
        return value
    return _instance(value, (int, float) if declared is float else declared)


@cache
def _shape(declared: Any) -> tuple[Any, tuple, dict[str, Any] | None]:
    """The generic type with its parts, such as `tuple` with (int, ...), or a dataclass's fields."""
    of_fields = get_type_hints(declared) if is_dataclass(declared) else None
    return get_origin(declared), get_args(declared), of_fields


def _instance(value: Any, kind):
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of the type {kind}")
    return value
