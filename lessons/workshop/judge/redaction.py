"""Removes secrets from a message before it is shown or saved.

A value is a secret because of its name (`password`, `api_key`, the header `Cookie`), or because of
its form (`Bearer …`, a JSON web token, the password in a URL).
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event

HIDDEN = "[hidden]"
MAX_VALUE_LENGTH = 4096  # characters or bytes kept of a value; a frame may hold a megabyte
MAX_NAME_LENGTH = 200

_SECRET_NAME = re.compile(
    r"""passw | passphrase | passcode | pwd | secret(?!ar) | cookie | credential | authorization
    | ticket | jwt | token(?!i[sz]) | (?<!ob)(?<!pos)session
    | (?:api|access|auth|private|secret|signing|encryption)[_-]?key
    | (?:^|[_-]) (?:pass|auth|bearer|sid|otp) $""",
    re.VERBOSE,
)
_SECRET_IN_QUERY = {"key", "sig", "signature"}  # not the key of a chat's message
_CAPITAL_INSIDE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# A client may send any text, so a search must take time in proportion to its length: `++` and `*+`
# never give characters back.
_NAME_IN_TEXT = re.compile(
    r"""(?<![\w-]) (?P<name>[\w-]++)
    (?: \\*+["']? \s{0,9} (?P<sign>[=:]|%3[AD]) \s*+ | ',\s(?=b') )  # the last: a header's repr""",
    re.VERBOSE | re.IGNORECASE,
)
# JSON in JSON has backslashes before both quotes. A quote inside the value has more of them.
_QUOTED_VALUE = re.compile(
    r"""b?(?P<quote>\\*+["'])(?P<value>.*?)(?:(?<!\\)(?P=quote)|\Z)""", re.DOTALL
)
_VALUE_IN_BRACKETS = re.compile(r"\[[^\]]*+\]?|\{[^}]*+\}?")
_REST_OF_LINE = re.compile(r"""[^\r\n"']++""")
_VALUE_AFTER_COLON = re.compile(r"[^\s&,;}\]]++")
_VALUE = re.compile(r"[^\s&;]++")  # in a query, a value may contain a comma
_ENDS_AFTER_VALUE = "\"'),}]>\\"  # of the text around the value

_SECRET_VALUES = [
    re.compile(r"\b(?P<kept>bearer(?:\s+|%20|\+))(?=\S*\d|\S{20})[^\s\"'&,;]++", re.IGNORECASE),
    re.compile(r"\b(?P<kept>basic(?:\s+|%20|\+))(?=\S*[\d=])[a-z0-9+/]{8,}+=*", re.IGNORECASE),
    re.compile(r"(?P<kept>://[^/\s:@]{0,99}:)[^/\s@]++(?=@)"),
    re.compile(r"(?P<kept>\b)eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
]
# What django.core.signing makes: the value, the time and the signature. Tickets have this form.
_SIGNED = re.compile(r"(?<![\w.-])[\w.-]++:[A-Za-z0-9]{6}:[\w-]{27,}+")
_RANDOM_TEXT = re.compile(
    r"""(?=\w*\d)(?=\w*[a-z])\w{16,} | (?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}
    | [\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}""",
    re.VERBOSE,
)
# Without one of these, a text has no secret, so the patterns need not search it.
_HINTS = ("pass", "pwd", "secret", "token", "ticket", "session", "cookie", "jwt", "credential")
_HINTS += ("key", "auth", "bearer", "basic", "sid", "otp", "sig", "eyj", "://")


def redact(value: Any) -> Any:
    """A deep copy of `value` without cookies, Authorization, session keys, tickets or passwords.

    It looks at the names of keys and headers, and in text (query strings, JSON, JSON in JSON) at
    `name=value` and `"name": value`. It cuts long values, and turns any object into its repr. So
    the copy can be kept, sent to another process and displayed, whatever a consumer has sent.
    """
    if isinstance(value, dict):
        return {_cut(_key_text(key), "…"): _redact_item(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if _is_header(value):
            items = [redact(value[0]), _redact_header(_name_text(value[0]), value[1])]
        else:
            items = [redact(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, str):
        return _without_secrets(_cut(value, "…"))
    if isinstance(value, bytes | bytearray | memoryview):
        return _redact_bytes(_cut(bytes(value), b"..."))
    if value is None or isinstance(value, bool | int | float):
        return value
    return _without_secrets(_describe(value))


def redacted_finding(finding: Finding) -> Finding:
    """The finding without secrets that its texts quote: an exception, or what a client received.

    Names tell nothing here: the steps say `ticket=ada`, and the player makes the ticket.
    """
    texts = {name: getattr(finding, name) for name in ("detail", "expected")}
    return replace(finding, **{name: _without_secret_values(it) for name, it in texts.items()})


def redacted(event: Event) -> Event:
    """The event without secrets. An attribute that the consumer has deleted stays None."""
    texts = redact(event.state or {})
    state = event.state and {name: text and texts[name] for name, text in event.state.items()}
    return replace(event, message=redact(event.message), state=state)


def _key_text(key: Any) -> str:
    """A key as text, since JSON allows no other. The text shows that 1 is not "1"."""
    return key if isinstance(key, str) else f"{_describe(key)} ({type(key).__name__})"


def _cut(value, mark):
    return value if len(value) <= MAX_VALUE_LENGTH else value[:MAX_VALUE_LENGTH] + mark


def _describe(value: Any) -> str:
    try:
        return _cut(repr(value), "…")
    except Exception:
        return f"<{type(value).__name__}>"


def _redact_item(key: Any, item: Any) -> Any:
    name = _name_text(key)
    if name != "type" and _is_secret_name(name):
        return HIDDEN
    if name == "subprotocols" and isinstance(item, list | tuple):
        return _redact_protocols([_cut(str(protocol), "…") for protocol in item])
    if name == "subprotocol" and isinstance(item, str):
        return _redact_protocol(_cut(item, "…"))
    return redact(item)


def _name_text(name: Any) -> str:
    if isinstance(name, bytes):
        return name.decode("latin1")
    return name if isinstance(name, str) else ""


def _is_secret_name(name: str) -> bool:
    return _is_secret(name[:MAX_NAME_LENGTH])


@lru_cache(maxsize=1000)  # each message has the same few names again
def _is_secret(name: str) -> bool:
    spellings = name, _CAPITAL_INSIDE.sub("_", name)  # paSSword and dbPass
    return any(_SECRET_NAME.search(spelling.casefold()) for spelling in spellings)


# Headers and subprotocols


def _is_header(value: list | tuple) -> bool:
    return len(value) == 2 and isinstance(value[0], bytes) and isinstance(value[1], bytes)


def _redact_header(name: str, value: bytes) -> bytes:
    if _is_secret_name(name):
        return HIDDEN.encode()
    value = _cut(value, b"...")
    if name.lower() == "sec-websocket-protocol":
        offered = value.decode("latin1").split(",")
        return ",".join(_redact_protocols(offered)).encode("latin1")
    return _redact_bytes(value)


def _redact_protocols(offered: list[str]) -> list[str]:
    """Clients that cannot set a header send `bearer, TOKEN` or `bearer.TOKEN` as protocols."""
    before = ["", *offered]
    return [
        _hidden_between_spaces(it) if _is_secret_name(last.strip()) else _redact_protocol(it)
        for last, it in zip(before, offered, strict=False)
    ]


def _hidden_between_spaces(protocol: str) -> str:
    return protocol.replace(protocol.strip(), HIDDEN) if protocol.strip() else protocol


def _redact_protocol(protocol: str) -> str:
    protocol = _RANDOM_TEXT.sub(HIDDEN, _without_secrets(protocol))
    parts = protocol.split(".")
    for number, part in enumerate(parts[:-1], start=1):
        if _is_secret_name(part.strip()):  # the secret itself may contain full stops
            return ".".join([*parts[:number], HIDDEN])
    return protocol


# Text


def _redact_bytes(value: bytes) -> bytes:
    text = value.decode("latin1")
    hidden = _without_secrets(text)
    return value if hidden == text else hidden.encode("latin1")


def _without_secrets(text: str) -> str:
    text = _SIGNED.sub(HIDDEN, text)
    if text.isascii() and not any(map(text.lower().__contains__, _HINTS)):
        return text
    return _without_secret_values(_without_named_secrets(text))


def _without_secret_values(text: str) -> str:
    text = _SIGNED.sub(HIDDEN, text)
    for pattern in _SECRET_VALUES:
        text = pattern.sub(rf"\g<kept>{HIDDEN}", text)
    return text


def _without_named_secrets(text: str) -> str:
    """The text, with HIDDEN for the value of each secret name."""
    parts, end = [], 0
    for found in _NAME_IN_TEXT.finditer(text):
        if found.start() >= end and _is_named_secret(text, found):
            begin, after = _value_after(text, found)
            if after > begin:
                parts += text[end:begin], HIDDEN
                end = after
    return "".join([*parts, text[end:]])


def _is_named_secret(text: str, found: re.Match) -> bool:
    name, start = found["name"], found.start()
    is_in_query = found["sign"] == "=" and (start == 0 or text[start - 1] in "?&")
    if is_in_query and name.lower() in _SECRET_IN_QUERY:
        return True
    return _is_secret_name(name)


def _value_after(text: str, found: re.Match) -> tuple[int, int]:
    """Where the value of the name begins and ends, without its quotes."""
    begin = found.end()
    if quoted := _QUOTED_VALUE.match(text, begin):
        return quoted.span("value")
    if brackets := _VALUE_IN_BRACKETS.match(text, begin):
        return begin, brackets.end()
    pattern = _VALUE
    if found["sign"] == ":":
        is_line = re.search("cookie|authorization", found["name"], re.IGNORECASE)
        pattern = _REST_OF_LINE if is_line else _VALUE_AFTER_COLON
    value = pattern.match(text, begin)
    return begin, begin + len(value[0].rstrip(_ENDS_AFTER_VALUE)) if value else begin
