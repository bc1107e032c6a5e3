"""Reads a query: typed words, a line of a log, or a pasted traceback.

A log contains what differs from run to run: addresses, paths, times, names of tasks. No text of the
course contains these, so they are removed. Of a traceback, the last exception counts.
"""

import re
from itertools import groupby, islice
from typing import NamedTuple

MAX_QUERY = 4000  # characters, as search.js sends them; of a longer text, the end is read
LINE_END = "↵"  # search.js writes it for a line end, which a text field cannot contain
_MAX_LINE = 1000
_MAX_LINES = 20  # that are looked up as exceptions
_MAX_WORDS = 60  # that are searched for
_MAX_WORD = 60

_INSIDE = "Exception inside application: "
# The type of an exception, with its module: `redis.exceptions.ConnectionError: …`.
_TYPE = re.compile(r"(?<![\w.'\"/])(?P<module>(?:[a-z_]\w*\.)*)(?P<type>[A-Z]\w*)(?=:\s|$)")
_ERROR_NAME = re.compile(r"(?:Error|Exception|Warning|Exit|Interrupt)$")
_SOUNDS_LIKE_ERROR = re.compile(
    r"\w(?:Error|Exception|Warning|Operation|NotReady)\b|ChannelFull|Exception inside|Traceback"
    r"|Errno|\b(?:ERROR|WARNING)\b|failed: |response code"
)
_KINDS = {"WebSocketProtocol": "websocket", "WebRequest": "http request"}
_CONNECTION = re.compile(rf"<(?P<kind>{'|'.join(_KINDS)})\b[^<>]*>")
# What stands before the first space has no space. So there is one way to match, and the time grows
# with the length of the text, not with its square.
_OBJECT = re.compile(r"<locals>|<(?!class )[^<> (]*[ (][^<>]*>")
_WORD = re.compile(r"[^\W_]+(?:[._][^\W_]+){0,7}")  # `group_send` and `websocket.accept` too
_VOLATILE = re.compile(
    r"""
    File\ "[^"]*",\ line\ \d+(?:,\ in\ \S+)?
    | \b\w+://[^\s'"]+                                        # URLs
    | \[?\b\d{1,4}[-/]\w{2,3}[-/]\d{1,4}[T:\ ]?                # dates
    | \b\d{1,2}:\d\d:\d\d(?:[,.]\d+)?(?:\s[+-]\d{4})?\]?       # times
    | (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b             # IPv4 addresses
    | \b0x[0-9a-fA-F]+
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b          # UUIDs
    | \b(?:asgi)?specific[.][\w.]*!\w*                         # names of channels
    | (?<![\w.*])(?:[A-Za-z]:)?[/\\][\w./\\@%+~-]+             # paths
    | \[\d+\] | (?<!\w)\[[\w.]+\]                             # process ids, names of loggers
    | \b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b
    """,
    re.VERBOSE,
)


class Query(NamedTuple):
    """A query without what is volatile.

    `parts` are sequences of words that stood next to each other.
    """

    parts: list[list[str]]
    type: str  # of the last exception, if it has a message
    exceptions: list[str]  # "Type: message", or a message alone; the last one of the text first
    is_error: bool


def read_query(text: str) -> Query:
    """Never raises: any text is a query."""
    text = text[-MAX_QUERY:].replace("\0", " ").replace(LINE_END, "\n")
    lines = [line.strip()[-_MAX_LINE:] for line in text.splitlines() if line.strip()]
    found = [(line, start) for line in lines if (start := _exception_start(line)) is not None]
    last = _without_module(found[-1][0][found[-1][1] :]) if found else "\n".join(lines)
    type_, _, message = last.partition(": ") if _TYPE.match(last) else ("", "", last)
    parts = _read_parts(message)
    if not parts:
        type_, parts = "", _read_parts(last) or _read_parts("\n".join(lines))
    exceptions = [line[start:] for line, start in reversed(found)] + lines[::-1]
    return Query(
        parts or [_read_words(text)],
        type_,
        list(dict.fromkeys(map(_without_module, exceptions)))[:_MAX_LINES],
        bool(found) or _SOUNDS_LIKE_ERROR.search(text) is not None,
    )


def _exception_start(line: str) -> int | None:
    """Where the last exception of the line begins."""
    starts = [
        found.start()
        for found in _TYPE.finditer(line)
        if found["module"] or _ERROR_NAME.search(found["type"])
    ]
    if _INSIDE in line:
        starts.append(line.rindex(_INSIDE) + len(_INSIDE))
    return max(starts, default=None)


def _without_module(exception: str) -> str:
    found = _TYPE.match(exception)
    return exception[found.start("type") :] if found else exception


def _read_parts(text: str) -> list[list[str]]:
    text = _CONNECTION.sub(lambda found: f"\n{_KINDS[found['kind']]}\n", text)
    while (shorter := _OBJECT.sub("\n", text)) != text:  # they contain each other
        text = shorter
    parts, left = [], _MAX_WORDS
    for part in _VOLATILE.sub("\n", text).splitlines():
        words = _read_words(part, left)
        left -= len(words)
        if words:
            parts.append(words)
    return parts


def _read_words(text: str, most: int = _MAX_WORDS) -> list[str]:
    """The first words. Of equal ones in a row, only one: no text repeats a word."""
    words = (word[:_MAX_WORD] for word, _ in groupby(_WORD.findall(text)))
    return list(islice(words, most))
