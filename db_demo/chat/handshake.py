"""Reads a handshake: which room, from where, whose session, and what was seen already."""

import re
from urllib.parse import parse_qs

from django.conf import settings

from db_demo.chat.store import Denied, Visitor

ROOM_NAME = "[a-zA-Z0-9_.-]{1,50}"  # fits into a group's name, and into a URL as it is
BAD_REQUEST, NO_SUCH_ROOM, NEEDS_TLS = 4400, 4404, 4426


def read_handshake(scope, channel: str) -> tuple[int | None, Visitor]:
    """What the client says that it has seen, and who it is. Raises Denied."""
    room = scope["url_route"]["kwargs"]["room"]
    if not re.fullmatch(ROOM_NAME, room):
        raise Denied(NO_SUCH_ROOM)
    if settings.SECURE_SSL_REDIRECT and not _is_secure(scope):
        raise Denied(NEEDS_TLS)  # Django redirects requests; of WebSockets it knows nothing
    address = (scope.get("client") or [""])[0]
    session_key = scope["session"].session_key if scope["user"].is_authenticated else None
    return _seen(scope), Visitor(room, channel, address, scope["user"].pk, session_key)


def _seen(scope) -> int | None:
    """Id of the last message that the client has, from `?seen=`; None where it says nothing."""
    words = parse_qs(scope["query_string"].decode("latin1"), keep_blank_values=True).get("seen")
    if words is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", words[-1]):
        raise Denied(BAD_REQUEST)
    return int(words[-1])


def _is_secure(scope) -> bool:
    """As request.is_secure(): TLS ends here, or at the proxy that settings trust."""
    if scope.get("scheme") == "wss" or settings.SECURE_PROXY_SSL_HEADER is None:
        return scope.get("scheme") == "wss"
    name, value = settings.SECURE_PROXY_SSL_HEADER
    header = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
    return dict(scope["headers"]).get(header, b"").decode("latin1") == value
