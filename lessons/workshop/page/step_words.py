"""The steps of a conversation in words: `client 1 connects, sends “hello”, client 2 connects`."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from typing import Any

from lessons.workshop.engine.script.steps import Step, parse_step

MAX_TEXT = 40  # characters of a frame
FIXTURES = ("row", "load")  # what is saved before the first client comes is counted, not listed
UNSEEN = ("seed", "keys")  # how the conversation is played, not what happens
_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_CLIENT, _EMPTY, _CONSUMER, _OUTSIDE = _WORDS.values()


def conversation_json(texts: Iterable[str]) -> dict[str, Any]:
    """`{"steps", "words"}` of a conversation, for the scripts of a page."""
    steps = [parse_step(text) for text in texts]
    return {"steps": [step.as_json() for step in steps], "words": steps_in_words(steps)}


def steps_in_words(steps: Iterable[Step]) -> str:
    told = [step for step in steps if step.action not in UNSEEN]
    shown = list(dropwhile(lambda step: step.action in FIXTURES, told))
    count = len(told) - len(shown)
    saved = [f"{count} row is saved" if count == 1 else f"{count} rows are saved"] if count else []
    return ", ".join([*saved, *_told(shown)])


def _told(steps: list[Step]) -> Iterator[str]:
    is_alone = all(step.client in (None, 1) for step in steps)
    acted = None  # the client that took the step before
    for step in steps:
        who = "the client" if is_alone else f"client {step.client}"
        when = "at the same time " if step.together else ""
        when = when if step.point is None else "while another is served, "
        if step.action in _OUTSIDE:
            yield when + _parts(_OUTSIDE[step.action], step)
        elif step.action in _CONSUMER:
            whose = "the consumer" if is_alone else f"the consumer of {who}"
            yield f"{when}{whose} {_parts(_CONSUMER[step.action], step)}"
        elif step.action in _CLIENT:
            is_empty = step.action in _EMPTY and not any(step.arguments.values())
            does = _parts((_EMPTY if is_empty else _CLIENT)[step.action], step)
            yield does if step.client == acted and not when else f"{when}{who} {does}"
        else:
            yield str(step)
        acted = step.client if step.action in _CLIENT else None


def _parts(parts: list[str], step: Step) -> str:
    given = {name: value for name, value in step.arguments.items() if value not in ("", None, [])}
    values = {name: _plain(name, value) for name, value in given.items()}
    found = []
    for part in parts:
        with suppress(KeyError):
            found.append(part.format_map(values))
    return " ".join(found)


def _plain(name: str, value: Any) -> Any:
    match name:
        case "text" | "piece":
            return _quoted(value)
        case "pieces":
            return ", then ".join(map(_quoted, value))
        case "hex":
            return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}…"
        case "fields" | "unsaved":
            return json.dumps(value, ensure_ascii=False)
        case "arguments":
            return ", ".join(json.dumps(one, ensure_ascii=False) for one in value)
    return ", ".join(value) if isinstance(value, list | tuple) else value


def _quoted(text: Any) -> str:
    line = str(text).replace("\n", "↵")
    return f"“{line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + '…'}”"
