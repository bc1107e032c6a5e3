"""Removes secrets from a message before it is shown or saved.

A value is a secret because of its name (`password`, `api_key`, the header `Cookie`), or because of
its form (`Bearer …`, a JSON web token, the password in a URL).
"""

import re
from dataclasses import replace
from typing import Any

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event

HIDDEN = "[hidden]"
MAX_LENGTH = 4096  # characters or bytes kept of a value; a frame may hold a megabyte
MAX_NAME_LENGTH = 200

# A client may send any text, so a search must take time in proportion to its length: `++` and `*+`
# never give characters back, and a name in a text is searched once.
_NAME = r"""(?=[\w-]*? (?:
      passw | passphrase | passcode | pwd | secret(?!ar) | cookie | credential | authorization
    | ticket | jwt | token(?!i[sz]) | (?<!ob)(?<!pos)session
    | (?:api|access|auth|private|secret|signing|encryption)[_-]?key
    | (?<![^\W_]) (?:pass|auth|bearer|sid|otp) (?![\w-])
    ) ) [\w-]++"""
# A query's key is a secret, the key of a chat's message is not. JSON in JSON has backslashes before
# both quotes, and a quote inside the value has more of them. `',` stands in a header's repr. In a
# query, a value may contain a comma.
_NAMED_SECRETS = [
    re.compile(pattern, re.VERBOSE | re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"""(?P<kept>\b (?:cookie|authorization) :\s*+) [^\r\n"']++""",
        rf"""(?P<kept>
              (?: (?<![\w-]){_NAME} | (?<=[?&])(?:key|sig|signature)(?==) )
              \\*+["']?\s{{0,9}} (?: (?P<colon>:) | = | %3[AD] | ,\s(?=b') ) \s*+
              (?: b?(?P<quote>\\*+["']) )?+ )
            (?(quote) (?!(?P=quote)) .+? (?=(?<!\\)(?P=quote)|\Z)
              | (?: \[[^\]]*+\]? | \{{[^}}]*+\}}?
              | (?(colon) [^\s&,;"')}}\]>\\]++ | [^\s&;"')}}\]>\\]++ ) ) )""",
    )
]
_IS_SECRET_NAME = re.compile(_NAME, re.VERBOSE | re.IGNORECASE)
_SECRET_VALUES = [
    # What django.core.signing makes: the value, the time and the signature. Tickets have this form.
    re.compile(r"(?P<kept>)(?<![\w.-])[\w.-]++:[A-Za-z0-9]{6}:[\w-]{27,}+"),
    re.compile(r"\b(?P<kept>bearer(?:\s+|%20|\+))(?=\S*\d|\S{20})[^\s\"'&,;]++", re.IGNORECASE),
    re.compile(r"\b(?P<kept>basic(?:\s+|%20|\+))(?=\S*[\d=])[a-z0-9+/]{8,}+=*", re.IGNORECASE),
    re.compile(r"(?P<kept>://[^/\s:@]{0,99}:)[^/\s@]++(?=@)"),
    re.compile(r"(?P<kept>\b)eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
]
_RANDOM_TEXT = re.compile(
    r"""(?=\w*\d)(?=\w*[a-z])\w{16,} | (?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,}
    | [\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}""",
    re.VERBOSE,
)


def redact(value: Any) -> Any:
    """A deep copy of `value` without cookies, Authorization, session keys, tickets or passwords.

    It looks at the names of keys and headers, and in text (query strings, JSON, JSON in JSON) at
    `name=value` and `"name": value`. It cuts long values, and turns any object into its repr. So
    the copy can be kept, sent to another process and displayed, whatever a consumer has sent.
    """
    if isinstance(value, dict):
        return {_key_text(key)[:MAX_LENGTH]: _item(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        is_header = len(value) == 2 and all(isinstance(it, bytes) for it in value)
        items = (value[0], _header(*value)) if is_header else map(redact, value)
        return list(items) if isinstance(value, list) else tuple(items)
    if isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value[:MAX_LENGTH]).decode("latin1")
        return _without_secrets(text).encode("latin1") + b"..." * (len(value) > MAX_LENGTH)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else _repr(value)
    return _without_secrets(text[:MAX_LENGTH]) + "…" * (len(text) > MAX_LENGTH)


def redacted_finding(finding: Finding) -> Finding:
    """The finding without secrets that its texts quote: an exception, or what a client received.

    Names tell nothing here: the steps say `ticket=ada`, and the player makes the ticket.
    """
    texts = {name: getattr(finding, name) for name in ("detail", "expected")}
    return replace(finding, **{name: _hidden(it, _SECRET_VALUES) for name, it in texts.items()})


def redacted(event: Event) -> Event:
    """The event without secrets. An attribute that the consumer has deleted stays None."""
    texts = redact(event.state or {})
    state = event.state and {name: text and texts[name] for name, text in event.state.items()}
    return replace(event, message=redact(event.message), state=state)


def _key_text(key: Any) -> str:
    """A key as text, since JSON allows no other. The text shows that 1 is not "1"."""
    return key if isinstance(key, str) else f"{_repr(key)} ({type(key).__name__})"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _item(key: Any, item: Any) -> Any:
    name = key.decode("latin1") if isinstance(key, bytes) else _key_text(key)
    if name == "subprotocols" and isinstance(item, list | tuple):
        return _protocols([str(protocol) for protocol in item])
    if name == "subprotocol" and isinstance(item, str):
        return _protocols([item])[0]
    return HIDDEN if _is_secret_name(name) else redact(item)


def _header(name: bytes, value: bytes) -> bytes:
    if name.lower() == b"sec-websocket-protocol":
        parts = re.split(r"(\s*,\s*)", value.decode("latin1"))
        parts[::2] = _protocols(parts[::2])
        return "".join(parts).encode("latin1")
    return HIDDEN.encode() if _is_secret_name(name.decode("latin1")) else redact(value)


def _protocols(offered: list[str]) -> list[str]:
    """Clients that cannot set a header send `bearer, TOKEN` or `bearer.TOKEN` as protocols."""
    return [
        HIDDEN if _is_secret_name(last) else _without_token(protocol[:MAX_LENGTH])
        for last, protocol in zip(["", *offered], offered, strict=False)
    ]


def _without_token(protocol: str) -> str:
    parts = _RANDOM_TEXT.sub(HIDDEN, _without_secrets(protocol)).split(".")
    for number, part in enumerate(parts[:-1], start=1):
        if _is_secret_name(part):  # the secret itself may contain full stops
            return ".".join([*parts[:number], HIDDEN])
    return ".".join(parts)


def _is_secret_name(name: str) -> bool:
    return bool(_IS_SECRET_NAME.search(name[:MAX_NAME_LENGTH]))


def _without_secrets(text: str) -> str:
    return _hidden(text, [*_NAMED_SECRETS, *_SECRET_VALUES])


def _hidden(text: str, patterns: list[re.Pattern]) -> str:
    for pattern in patterns:
        text = pattern.sub(rf"\g<kept>{HIDDEN}", text)
    return text
