"""Reads the handshake: the room, the client's address and session, and its last message."""

import re
from urllib.parse import parse_qs

from django.conf import settings

from lessons.extras.client_network import network_of
from lessons.extras.hardened_chat.store import AccessDenied, ChatClient

# Valid in the name of a group and in a URL. Browsers remove "." and ".." from a URL's path.
ROOM_NAME = r"(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,50}"
BAD_REQUEST, NO_SUCH_ROOM, NEEDS_TLS = 4400, 4404, 4426


def read_handshake(scope, channel: str) -> tuple[int | None, ChatClient]:
    """Return the id of the client's last message, and the client. Raises AccessDenied."""
    room = scope["url_route"]["kwargs"]["room"]
    if not re.fullmatch(ROOM_NAME, room):
        raise AccessDenied(NO_SUCH_ROOM)
    if settings.SECURE_SSL_REDIRECT and not _is_secure(scope):
        raise AccessDenied(NEEDS_TLS)  # Django redirects HTTP requests only, not WebSockets
    address = network_of((scope.get("client") or [""])[0])
    session_key = scope["session"].session_key if scope["user"].is_authenticated else None
    return _last_seen(scope), ChatClient(room, channel, address, scope["user"].pk, session_key)


def _last_seen(scope) -> int | None:
    """Return the id in `?seen=`, or None if the client sends no such parameter."""
    values = parse_qs(scope["query_string"].decode("latin1"), keep_blank_values=True).get("seen")
    if values is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", values[-1]):
        raise AccessDenied(BAD_REQUEST)
    return int(values[-1])


def _is_secure(scope) -> bool:
    """Like request.is_secure(): TLS ends here, or at the proxy that the settings trust."""
    if scope.get("scheme") == "wss" or settings.SECURE_PROXY_SSL_HEADER is None:
        return scope.get("scheme") == "wss"
    name, value = settings.SECURE_PROXY_SSL_HEADER
    header = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
    return dict(scope["headers"]).get(header, b"").decode("latin1") == value
