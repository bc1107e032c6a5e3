"""Where HTTPS ends: puts it into each scope, and refuses what comes without it.

Daphne's scope of a websocket has no `scheme`, and behind a proxy the scheme, the host and the
client's address of every scope are the proxy's. After this module, they are those of the browser.
"""

from django.conf import settings
from django.http.request import split_domain_port

SECURE = {"http": "https", "websocket": "wss"}
PLAIN = {"http": "http", "websocket": "ws"}


def with_https(application, redirect, plain_paths=()):
    """Serve `application` over HTTPS only. `redirect` answers requests that come without it.

    The application answers HTTP requests to `plain_paths` even without HTTPS.
    """
    is_behind_proxy = settings.HTTPS == "proxy"
    complete = _from_proxy if is_behind_proxy else _from_port

    async def secured(scope, receive, send):
        if scope["type"] not in SECURE:
            await application(scope, receive, send)
            return
        scope = complete(scope)
        is_plain = scope["type"] == "http" and scope["path"] in plain_paths
        if is_plain or scope["scheme"] == SECURE[scope["type"]]:
            await application(scope, receive, send)
        elif scope["type"] == "http":
            await redirect(scope if is_behind_proxy else _with_tls_port(scope), receive, send)
        else:
            await send({"type": "websocket.close"})  # before the accept: HTTP 403

    return secured


def _from_port(scope: dict) -> dict:
    """Daphne has TLS at one port. `server` is that of the connection, as the ASGI spec says."""
    _, port = scope.get("server") or (None, None)
    return {**scope, "scheme": _scheme(scope, str(port) == settings.HTTPS)}


def _with_tls_port(scope: dict) -> dict:
    """The same request to the port with TLS. Django's redirect keeps the port of the `Host`."""
    headers = [
        (name, _at_tls_port(value) if name == b"host" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


def _at_tls_port(host: bytes) -> bytes:
    domain, _ = split_domain_port(host.decode("latin1"))
    if not domain:  # not a host: Django answers 400
        return host
    return (domain if settings.HTTPS == "443" else f"{domain}:{settings.HTTPS}").encode()


def _from_proxy(scope: dict) -> dict:
    """What the proxy says. It must set or remove these headers, or a client could send its own."""
    headers = dict(scope["headers"])  # of two with one name, the last: a proxy appends its own
    scope = {**scope, "scheme": _scheme(scope, headers.get(b"x-forwarded-proto") == b"https")}
    if host := headers.get(b"x-forwarded-host"):
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"] = [*others, (b"host", host)]
    if addresses := headers.get(b"x-forwarded-for"):
        # A proxy appends the address that it sees; what stands before, the client may have made up.
        scope["client"] = [addresses.rpartition(b",")[2].strip().decode("latin1"), 0]
    return scope


def _scheme(scope: dict, is_secure: bool) -> str:
    return (SECURE if is_secure else PLAIN)[scope["type"]]
