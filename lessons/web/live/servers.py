"""The web servers of `manage.py cluster`, as a page of one of them reaches them."""

from typing import NamedTuple

from django.conf import settings
from django.http.request import split_domain_port


class Server(NamedTuple):
    host: str
    port: int


def servers_of(request) -> list[Server]:
    """All of them, the one that answers first; none where there is no cluster.

    They have the name by which this one was called, so they share its cookies: those know no
    ports. To the browser they are other origins all the same.
    """
    name, port = split_domain_port(request.get_host())
    ports = settings.CLUSTER_PORTS if settings.WORKSHOP else []
    if port not in map(str, ports):
        return []
    servers = [Server(f"{name}:{one}", one) for one in ports]
    return sorted(servers, key=lambda server: str(server.port) != port)
