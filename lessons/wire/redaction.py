"""Takes secrets out of a message before it is stored."""

import re
from typing import Any

HIDDEN = "[hidden]"
LONGEST = 4096  # characters or bytes kept of one value; a frame may hold a megabyte

_SECRET_HEADERS = {b"cookie", b"set-cookie", b"authorization", b"proxy-authorization"}
_SECRET_KEY = re.compile(r"passw|secret|token|ticket|cookie|session|authorization", re.IGNORECASE)
# Text comes from anyone, so the time must not grow faster than its length: a name is looked at from
# its first character only, and what follows the telling word in it is bounded.
_TELLING = ("passw", "secret", "token", "ticket", "session")
_SECRET_IN_TEXT = re.compile(
    rf"""(?P<key>(?<![\w-])["']?[\w-]*(?:{"|".join(_TELLING)})[\w-]{{0,40}}"""
    r"""["']?\s{0,9}[=:]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&,;}\]]+)""",
    re.IGNORECASE,
)


def redact(value: Any) -> Any:
    """A deep copy of `value` without cookies, Authorization, session keys, tickets or passwords.

    Looks at the names of keys and headers, and inside text (query strings, JSON) at `name=value`
    and `"name": value`. Long values are cut, and what is no plain value becomes its repr, so that
    the copy can be kept, sent to another process and shown, whatever a consumer has sent.
    """
    if isinstance(value, dict):
        return {_cut(_named(key), "…"): _redact_item(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if _is_secret_header(value):
            return (value[0], HIDDEN.encode())
        items = [redact(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, str):
        return _without_secrets(_cut(str(value), "…"))
    if isinstance(value, bytes | bytearray | memoryview):
        return _redact_bytes(_cut(bytes(value), b"..."))
    if value is None or isinstance(value, bool | int | float):
        return value
    return _describe(value)


def _named(key: Any) -> str:
    """A key as text, since JSON has no other; one that was no text says so: 1 is not "1"."""
    return str(key) if isinstance(key, str) else f"{_describe(key)} ({type(key).__name__})"


def _cut(value, mark):
    return value if len(value) <= LONGEST else value[:LONGEST] + mark


def _describe(value: Any) -> str:
    try:
        return _cut(repr(value), "…")
    except Exception:
        return f"<{type(value).__name__}>"


def _redact_item(key: Any, item: Any) -> Any:
    if isinstance(key, str) and key != "type" and _SECRET_KEY.search(key):
        return HIDDEN
    return redact(item)


def _is_secret_header(value: list | tuple) -> bool:
    return (
        len(value) == 2
        and isinstance(value[0], bytes)
        and isinstance(value[1], bytes)
        and (value[0].lower() in _SECRET_HEADERS or _SECRET_KEY.search(value[0].decode("latin1")))
    )


def _redact_bytes(value: bytes) -> bytes:
    text = value.decode("latin1")
    hidden = _without_secrets(text)
    return value if hidden == text else hidden.encode("latin1")


def _without_secrets(text: str) -> str:
    # The pattern tries each name that there is: a tenth of what it takes to record a query.
    if text.isascii() and not any(map(text.lower().__contains__, _TELLING)):
        return text
    return _SECRET_IN_TEXT.sub(_hide, text)


def _hide(found: re.Match) -> str:
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['key']}{quote}{HIDDEN}{quote}"
