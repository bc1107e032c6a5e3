"""What an action is: how a step is read and written, and what happens when it is taken.

A step is one line, such as `row auth.Group {"name": "a"}`: the name of an action, then arguments.
Each action is one class. Its docstring says what the step means, its `usage` how to write one, and
further keywords name the arguments in the order of the line:

    class Send(OutsideAction, usage='send name {"type": "a.b"}', name=NAME, message=OBJECT):
"""

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple


class UnknownStep(ValueError):
    """A step that cannot be parsed or played; the text says what to write instead."""


class Kind(NamedTuple):
    """How an argument, which is a JSON value, is read and written. `read` raises ValueError."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


ACTIONS: dict[str, "Action"] = {}  # by the first word of a step


class Action:
    has_client = False  # a client takes it: the client's number may stand in front
    is_request = False  # it begins an HTTP request
    begins = False  # it opens a connection
    ends = False  # the client leaves
    kills = False  # a consumer or worker cannot clean up
    is_setup = False  # it stands first, and says how to play

    def __init_subclass__(cls, usage: str = "", **kinds: Kind):
        if usage:
            cls.usage, cls.kinds = usage, kinds
            cls.name = usage.split()[0].strip(",")
            ACTIONS[cls.name] = cls()

    def parse(self, line: str) -> dict[str, Any]:
        """The arguments in `line`, which begins with the name. Raises ValueError."""
        return self.read(line.partition(" ")[2])

    def read(self, text: str) -> dict[str, Any]:
        """The arguments in the text behind the name; the last one is the rest of the line."""
        words = text.split(" ", len(self.kinds) - 1) if self.kinds else text.split()
        if len(words) != len(self.kinds):
            raise ValueError
        kinds = self.kinds.items()
        return {name: kind.read(word) for (name, kind), word in zip(kinds, words, strict=True)}

    def write(self, arguments: dict[str, Any]) -> str:
        """The line that parse() reads. Raises KeyError if an argument is missing."""
        words = (kind.write(arguments[name]) for name, kind in self.kinds.items())
        return " ".join(filter(None, (self.name, *words)))

    def logins(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The options of `connect` that say who logs in, which is done before the burst.

        It needs the thread of sync handlers, which may be held within the burst.
        """
        return {}

    async def take(self, player, step) -> Any:
        """Let this happen. Returns the answer of the step: plain data or None."""
        return await self.act(player, **step.arguments)

    async def act(self, player, **arguments) -> Any:
        """What a subclass does. Raises LookupError, ValueError, … for arguments that do not fit."""


def one_of(*values: str) -> Kind:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"{text!r} is not one of {', '.join(values)}")
        return text

    return Kind(read, str)


def without_bar(text: str) -> str:
    """The JSON text without a `|`, which stands between two steps on one line."""
    return text.replace("|", "\\u007c")


def _json(wanted: type, name: str) -> Kind:
    def read(text: str):
        value = json.loads(text)
        if not isinstance(value, wanted):
            raise ValueError(f"not a JSON {name}")
        json.dumps(value, allow_nan=False)  # raises for numbers that JSON does not have
        return value

    return Kind(read, lambda value: without_bar(json.dumps(value, ensure_ascii=False)))


def _not_empty(value):
    if not value:
        raise ValueError
    return value


def _seconds(text: str) -> float:
    if not 0 <= float(text) < math.inf:
        raise ValueError
    return float(text)


NAME = Kind(_not_empty, str)
NUMBER = Kind(int, str)
SECONDS = Kind(_seconds, lambda value: repr(value).removesuffix(".0"))
WORDS = Kind(lambda text: _not_empty(text.split()), " ".join)
OBJECT = _json(dict, "object")
LIST = _json(list, "list")
