"""A transcript as HTML: a list of events, in columns or, on a narrow page, in lines."""

import re
from collections import defaultdict
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from lessons.workshop.engine.script.steps import split_steps

CAPTION = "transcript: "  # how the caption of a transcript in a text begins
LANES = ("client", "consumer", "layer", "database")
# A line that lessons.workshop.engine.recording.transcript.render() wrote.
_LINE = re.compile(
    r" *\d+  +(?:(?P<time>[\d.]+ s)  +)?"
    rf"(?P<lane>{'|'.join(LANES)})(?P<of> \d+)? +(?P<arrow>[→←·]) "
    r"(?P<type>\S+)(?P<rest>.*?)(?: {3,}(?P<handler>[^\W\d][\w.<>]*))?"
)
_DIRECTIONS = {"→": "in", "←": "out", "·": "mark"}


def parse_transcript(text: str) -> list[dict[str, str]] | None:
    """The events of a rendered transcript, by the names in _LINE. None if `text` is another text.

    What an event does not have is "".
    """
    found = [_LINE.fullmatch(row) for row in text.rstrip("\n").split("\n")]
    return [one.groupdict("") for one in found] if all(found) else None


def transcript_to_json(text: str) -> dict[str, Any]:
    """The recording that a rendered transcript shows, as far as a diagram needs it."""
    counts = defaultdict(lambda: count(1))
    events = [
        {
            "seq": next(counts[line["of"]]),
            "time": number / 1e6,  # in this order, and at the same time
            "connection": line["of"].strip(),
            "lane": line["lane"],
            "direction": _DIRECTIONS[line["arrow"]],
            "message": {"type": line["type"]},
            "text": line["type"] + line["rest"],
            "handler": line["handler"],
        }
        for number, line in enumerate(parse_transcript(text) or [], start=1)
    ]
    names = dict.fromkeys(event["connection"] for event in events)
    connections = [{"connection": name, "client": name, "begun": 0} for name in names]
    return {"connections": connections, "events": events}


def transcript_to_html(caption: str, text: str) -> SafeString | None:
    """What was played, a link that plays it, and the events. None if `text` is not a transcript."""
    lines = parse_transcript(text)
    if lines is None:
        return None
    target, *steps = split_steps(caption.removeprefix(CAPTION))
    context = {
        "title": _title_of(target),
        "steps": steps,
        "link": f"?{urlencode({'target': target})}#{urlencode([('step', step) for step in steps])}",
        "lines": lines,
        "is_timed": any(line["time"] for line in lines),
    }
    return render_to_string("lessons/transcript.html", context)


def _title_of(target: str) -> str:
    if target.startswith("mistake:"):
        return f"The mistake {target.removeprefix('mistake:')}:"
    return "The solution:" if target == "solution" else f"{target.rpartition('.')[2]}:"
