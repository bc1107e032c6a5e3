"""The Content-Security-Policy of the workshop's pages, and the servers that a page may reach.

This module sets the header, because Django itself has one from version 6.0 on. It sets it on our
own views only, because Django's error pages contain inline style.
"""

from functools import wraps

from django.conf import settings
from django.http.request import split_domain_port


def servers_of(request) -> list[dict]:
    """`{"host", "port"}` of each server of the cluster. The one that answers comes first.

    The list is empty without a cluster. All have the host name of this request, so the page's
    cookies reach all of them: cookies ignore ports. The browser still treats them as other origins.
    """
    name, port = split_domain_port(request.get_host())
    if port not in map(str, settings.CLUSTER_PORTS):
        return []
    ports = sorted(settings.CLUSTER_PORTS, key=lambda one: str(one) != port)
    return [{"host": f"{name}:{one}", "port": one} for one in ports]


def with_csp(view):
    """Let the page load from and connect to its own servers only, and run no inline script."""

    @wraps(view)
    def view_with_csp(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        # Not every browser applies 'self' to the WebSockets of the same host.
        hosts = [server["host"] for server in servers_of(request)] or [request.get_host()]
        sockets = " ".join(f"ws://{host} wss://{host}" for host in hosts)
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {sockets}; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        return response

    return view_with_csp
