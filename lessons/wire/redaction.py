"""Removes secrets from a message before it is stored."""

import re
from typing import Any

HIDDEN = "[hidden]"
MAX_VALUE_LENGTH = 4096  # characters or bytes kept of a value; a frame may hold a megabyte

_SECRET_HEADERS = {b"cookie", b"set-cookie", b"authorization", b"proxy-authorization"}
_SECRET_KEY = re.compile(r"passw|secret|token|ticket|cookie|session|authorization", re.IGNORECASE)
# A client may send any text, so a search must take time in proportion to its length. Therefore a
# name only matches from its first character, and the rest of the name has a limit.
_SECRET_WORDS = ("passw", "secret", "token", "ticket", "session")
_SECRET_IN_TEXT = re.compile(
    rf"""(?P<key>(?<![\w-])["']?[\w-]*(?:{"|".join(_SECRET_WORDS)})[\w-]{{0,40}}"""
    r"""["']?\s{0,9}[=:]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s&,;}\]]+)""",
    re.IGNORECASE,
)


def redact(value: Any) -> Any:
    """A deep copy of `value` without cookies, Authorization, session keys, tickets or passwords.

    It looks at the names of keys and headers, and in text (query strings, JSON) at `name=value`
    and `"name": value`. It cuts long values, and turns any object into its repr. So the copy can be
    kept, sent to another process and displayed, whatever a consumer has sent.
    """
    if isinstance(value, dict):
        return {_cut(_key_text(key), "…"): _redact_item(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if _is_secret_header(value):
            return (value[0], HIDDEN.encode())
        items = [redact(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, str):
        return _without_secrets(_cut(value, "…"))
    if isinstance(value, bytes | bytearray | memoryview):
        return _redact_bytes(_cut(bytes(value), b"..."))
    if value is None or isinstance(value, bool | int | float):
        return value
    return _describe(value)


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
    # The pattern tries each name in the text. It takes a tenth of the time to record a query.
    if text.isascii() and not any(map(text.lower().__contains__, _SECRET_WORDS)):
        return text
    return _SECRET_IN_TEXT.sub(_hide, text)


def _hide(found: re.Match) -> str:
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['key']}{quote}{HIDDEN}{quote}"
