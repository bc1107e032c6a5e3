"""The Content-Security-Policy of the workshop's pages.

Ours, since Django has one only from 6.0 on, and on our own views, since Django's pages for errors
carry inline style.
"""

from functools import wraps

from lessons.web.live.servers import servers_of


def strict_policy(view):
    """Let a page load and reach nothing but its own servers, and run nothing that is inline."""

    @wraps(view)
    def with_policy(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        # Not every browser takes 'self' for the WebSockets of the same host.
        hosts = [server.host for server in servers_of(request)] or [request.get_host()]
        sockets = " ".join(f"ws://{host} wss://{host}" for host in hosts)
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {sockets}; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        return response

    return with_policy
