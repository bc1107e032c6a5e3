"""The steps of a conversation: one parser and one writer.

A step is one line of text. Transcripts in lessons, predictions, the page and the comparison all use
the same grammar: `connect`, `text hello`, `row auth.Group {"name": "a"}`.
Each step has a class that says what it means: see client_actions.py, account_actions.py,
database_actions.py, outside_actions.py and setup_actions.py, and the modules in
settings.ENGINE_ACTIONS. For all of them:

A number in front, as in `2 connect`, is the number of the client; without one it is client 1. Only
steps that a client takes have a number.

Each step waits until the consumer is idle. A step with `&` in front is taken together with the step
before it, so their events are in the air at the same time. A step with `at 2` in front is taken
while the events of the step before it are handled: at the third point where another process may
act, which is before or after a query, a call of the channel layer or a send().

    text hello | & 2 text good day        two clients send a frame at the same time
    text hello | at 2 close               the client leaves while its frame is handled

`{channel of 2}` stands for the name of the channel of client 2's consumer, as it was before the
burst. If there was no such consumer, the words stay as they are:

    text {"to": "{channel of 2}"}         the client sends the name of that channel

`{token=ada}` stands for ada's ticket in a text or a subprotocol, with the same options as behind
`ticket=` of `connect`:

    text {"token": "{token=ada}"}         the client sends the ticket that was issued to ada
    text {token=ada/2&altered=longer}     a changed copy of ada's second ticket
    connect subprotocols=a,b.{token=ada}  one of the subprotocols has the ticket
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import import_module
from typing import Any

from django.conf import settings

# Importing these modules registers their actions.
from . import (  # noqa: F401
    account_actions,
    client_actions,
    database_actions,
    outside_actions,
    setup_actions,
)
from .action import ACTIONS, Action, UnknownStep

_AT = re.compile(r"at (?P<point>\d{1,3}) ")
_PLACEHOLDER = re.compile(
    r"\{channel of (?P<client>[0-9]{1,9})\}|"
    r"\{(?P<options>token=[\w/]{1,30}(?:&(?:forged|spliced|altered)=[\w/]{1,30}){0,3})\}"
)


@dataclass(frozen=True)
class Step:
    """One step: its action, its arguments as JSON values, and the number of its client.

    `client` is None for a step that no client takes. `together` is true if the step does not wait
    for the step before it. `point` is the number of the point at which it is taken, or None.
    """

    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    client: int | None = 1
    together: bool = False
    point: int | None = None

    @property
    def kind(self) -> Action:
        return ACTIONS[self.action]

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """The step, as parse_step() reads it. The number of client 1 is left out."""
        text = self.kind.write(self.arguments)
        text = text if self.client in (None, 1) else f"{self.client} {text}"
        if self.point is not None:
            return f"at {self.point} {text}"
        return f"& {text}" if self.together else text

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def is_own(self) -> bool:
        """Whether a client takes it: time passes for all."""
        return self.client is not None and self.action != "wait"

    @property
    def payload_length(self) -> int:
        """The number of characters or bytes in the client's frame; 0 for a step without one."""
        return len(self.arguments.get("text", "")) + len(self.arguments.get("hex", "")) // 2

    def as_json(self) -> dict[str, Any]:
        """The parts of the step for a page, and the step as it is written."""
        return {"step": str(self), **{it.name: getattr(self, it.name) for it in fields(self)}}

    async def take(self, player) -> Any:
        """Let it happen. Returns the answer: plain data that a model can compare, or None."""
        return await self.kind.take(player, self)


def parse_step(text: str) -> Step:
    """Parse one step. Raises UnknownStep."""
    try:
        return _parse_step(text)
    except RecursionError:
        raise UnknownStep(f"The step {text[:20]!r}… is nested too deep.") from None


def _parse_step(text: str) -> Step:
    if text.startswith("& "):
        return replace(_parse_step(text[2:]), together=True)
    if found := _AT.match(text):
        return replace(_parse_step(text[found.end() :]), point=int(found["point"]))
    number, _, rest = text.partition(" ")
    has_number = number.isdecimal() and len(number) < 10
    client, line = (int(number), rest) if has_number else (1, text)
    word = line.partition(" ")[0]
    if word not in ACTIONS:
        for name in getattr(settings, "ENGINE_ACTIONS", ()):
            import_module(name)  # which registers its actions
    kind = ACTIONS.get(word)
    if kind is None:
        names = dict.fromkeys(kind.name for kind in ACTIONS.values())
        raise UnknownStep(f"The step {text!r} is unknown: write {', '.join(names)}.")
    if has_number and not kind.has_client:
        raise UnknownStep(f"No client takes the step {line!r}: remove the number {client}.")
    try:
        arguments = kind.parse(line)
    except ValueError as error:
        reason = f"cannot be read ({error})" if str(error) else "cannot be read"
        raise UnknownStep(f"The step {text!r} {reason}: write {kind.usage}.") from None
    return Step(kind.name, arguments, client if kind.has_client else None)


def split_steps(text: str) -> list[str]:
    """The steps of a conversation that is written on one line: `connect | text hello | close`."""
    return [step.strip() for step in text.split("|")]


def setup_of(steps: list[Step]) -> dict[str, Any]:
    """What the first steps say: {"seed": 7}. Raises UnknownStep for such a step that is late."""
    for before, step in itertools.pairwise(steps):
        if step.kind.is_setup and not before.kind.is_setup:
            raise UnknownStep(f"{str(step)!r} stands too late: write it as the first step.")
    first = (step for step in steps if step.kind.is_setup)
    return {step.action: value for step in first for value in step.arguments.values()}


def bursts_of(steps: list[Step]) -> list[list[Step]]:
    """The steps in bursts: a step with `&` or `at` belongs to the burst of the step before it.

    The first steps, which say how to play, belong to none.
    """
    bursts: list[list[Step]] = []
    for step in steps:
        if step.kind.is_setup:
            continue
        if bursts and (step.together or step.point is not None):
            bursts[-1].append(step)
        else:
            bursts.append([step])
    return bursts


# Texts that stand for something


def filled_in(
    step: Step,
    channels: dict[int, str],
    ticket_for: Callable[[dict[str, str]], str] | None = None,
) -> Step:
    """The step with the names of the clients' channels, and with the tickets of `ticket_for`."""

    def text_for(found):
        if found["client"]:
            return channels.get(int(found["client"]), found[0])
        return ticket_for(_ticket_options(found)) if ticket_for else found[0]

    def filled(value):
        if isinstance(value, str):
            return _PLACEHOLDER.sub(text_for, value)
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    return replace(step, arguments=filled(step.arguments)) if "{" in str(step) else step


def tickets_in(step: Step) -> list[dict[str, str]]:
    """The options of each `{token=ada&altered=longer}`, as `ticket=ada altered=longer` has them."""
    texts = [step.arguments.get("text", ""), *step.arguments.get("subprotocols", ())]
    found = (it for text in texts for it in _PLACEHOLDER.finditer(text) if it["options"])
    return [*map(_ticket_options, found)]


def _ticket_options(found: re.Match) -> dict[str, str]:
    options = dict(option.split("=") for option in found["options"].split("&"))
    return {"ticket": options.pop("token"), **options}
