"""Which addresses belong to one client. What counts clients by address needs it."""

from contextlib import suppress
from ipaddress import ip_address, ip_network


def network_of(address: str) -> str:
    """Return the address, or its /64 network for IPv6: one client can use all addresses of that."""
    with suppress(ValueError):  # no address: a Unix socket, or a login without a request
        ip = ip_address(address)
        if ip.version == 6 and not ip.ipv4_mapped:
            return str(ip_network((ip.packed, 64), strict=False))
    return address
