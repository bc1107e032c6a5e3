"""A transcript as HTML: a list of events, in columns or, on a narrow page, in lines."""

import re
from collections import defaultdict
from html import escape
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.engine.script.steps import split_steps

CAPTION = "transcript: "  # how the caption of a transcript in a text begins
PLAY = '<a class="play" href="{}" aria-label="Play {}">▶ Play this</a>'
# A line that lessons.workshop.engine.recording.transcript.render() wrote, without its handler.
_LINE = re.compile(
    r" *(?P<number>\d+)  +(?:(?P<time>[\d.]+ s)  +)?"
    r"(?P<lane>client|consumer|layer|database)(?P<of> \d+)? +(?P<arrow>[→←·]) (?P<event>.*)"
)
_HANDLER = re.compile(r" {3,}(?P<handler>[^\W\d][\w.<>]*)$")


class Line(NamedTuple):
    """One event of a transcript. `time` and `handler` are "" if it has none."""

    number: str
    time: str
    lane: str
    of: str
    arrow: str
    event: str
    handler: str


def parse_transcript(text: str) -> list[Line] | None:
    """The events of a rendered transcript. None if `text` is something else."""
    rows = text.rstrip("\n").split("\n")
    column = _handler_column(rows)
    lines = []
    for row in rows:
        found = _LINE.fullmatch(row if column is None else row[:column].rstrip())
        if not found:
            return None
        handler = "" if column is None else row[column:].strip()
        parts = {name: value or "" for name, value in found.groupdict().items()}
        lines.append(Line(**parts, handler=handler))
    return lines


_DIRECTIONS = {"→": "in", "←": "out", "·": "mark"}


def transcript_to_json(text: str) -> dict[str, Any]:
    """The recording that a rendered transcript shows, as far as a diagram needs it."""
    counts = defaultdict(lambda: count(1))
    events = [
        {
            "seq": next(counts[line.of]),
            "time": number / 1e6,  # in this order, and at the same time
            "connection": line.of.strip(),
            "lane": line.lane,
            "direction": _DIRECTIONS[line.arrow],
            "message": {"type": line.event.partition(" ")[0]},
            "text": line.event,
            "handler": line.handler,
        }
        for number, line in enumerate(parse_transcript(text) or [], start=1)
    ]
    names = dict.fromkeys(event["connection"] for event in events)
    connections = [{"connection": name, "client": name, "begun": 0} for name in names]
    return {"connections": connections, "events": events}


def _handler_column(rows: list[str]) -> int | None:
    """Where the handlers begin: render() writes them all at the same place."""
    found = [match.start("handler") for row in rows if (match := _HANDLER.search(row))]
    return max(found, default=None)


def transcript_to_html(text: str) -> SafeString | None:
    """The events, which the browser numbers. None if `text` is not a rendered transcript."""
    lines = parse_transcript(text)
    if lines is None:
        return None
    rows = format_html_join("", "{}", ([_row(line)] for line in lines))
    return format_html('<ol class="events{}">{}</ol>', _times(lines), rows)


def _times(lines: list[Line]) -> str:
    return " with-times" if any(line.time for line in lines) else ""


def _row(line: Line) -> SafeString:
    kind, _, rest = line.event.partition(" ")
    return format_html(
        '<li data-lane="{}">{}<i>{}{}</i><i>{}</i><code><b>{}</b>{}</code>{}\n',
        line.lane,
        format_html("<i>{}</i>", line.time) if line.time else "",
        line.lane,
        line.of,
        line.arrow,
        _text(kind),
        _text(rest and f" {rest}"),
        format_html("<em>{}</em>", line.handler) if line.handler else "",
    )


def _text(text: str) -> SafeString:
    """Text for the content of an element, where a quotation mark stands for itself."""
    return mark_safe(escape(text, quote=False))


def caption_to_html(caption: str) -> SafeString:
    """What was played: the name of the consumer, the steps, and a link that plays them."""
    name, *steps = split_steps(caption.removeprefix(CAPTION))
    played = format_html_join(" ", "<code>{}</code>", ([step] for step in steps))
    link = f"?{urlencode({'target': name})}#{urlencode([('step', step) for step in steps])}"
    play = format_html(PLAY, link, ", ".join(steps))
    return format_html("<figcaption>{} {} {}</figcaption>", _title_of(name), played, play)


def _title_of(target: str) -> str:
    if target.startswith("mistake:"):
        return f"The mistake {target.removeprefix('mistake:')}:"
    return "The solution:" if target == "solution" else f"{target.rpartition('.')[2]}:"
