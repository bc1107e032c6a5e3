"""Where a room listens, and under which names and URL others reach it."""

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass

import psutil

# Reserved for documentation (RFC 5737, RFC 3849), so no machine has them.
FAR_ADDRESS = {socket.AF_INET: "203.0.113.1", socket.AF_INET6: "2001:db8::1"}
ANY_ADDRESS = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}
LOOPBACK = "127.0.0.1"
PROXY = "proxy"  # of DJANGO_HTTPS
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """`names` are for ALLOWED_HOSTS, `shown` is the one of them that is printed."""

    names: tuple[str, ...]
    shown: str
    listen: str

    @classmethod
    def of(cls, host: str, listen: str | None, https: str) -> "Address":
        """`host` is what `--host` says: a name or an address, or 0.0.0.0 for all of this machine.

        Without `listen`, a name listens at all addresses, and at loopback behind a proxy.
        """
        host = host.strip("[]")
        if host in ANY_ADDRESS:
            names = (*_own_addresses(ANY_ADDRESS[host]), socket.gethostname().lower())
            return cls(names, names[0], listen or host)
        is_address = _ip(host) is not None
        default = host if is_address else LOOPBACK if host == "localhost" else "0.0.0.0"
        return cls((_bracketed(host),), _bracketed(host), listen or default).behind(https, listen)

    def behind(self, https: str, listen: str | None) -> "Address":
        if https == PROXY and not listen:
            return Address(self.names, self.shown, LOOPBACK)
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        ip = _ip(self.listen)
        return self.listen == "localhost" or (ip is not None and ip.is_loopback)

    @property
    def other_addresses(self) -> list[str]:
        """Those of this machine that are not shown. Each may belong to another network."""
        return [one for one in self.names if one != self.shown and _ip(one.strip("[]"))]

    def url(self, port: int, https: str) -> str:
        """The room's URL without a slash at the end, as students type it."""
        scheme = "https" if https else "http"
        if https == PROXY or port == DEFAULT_PORTS[scheme]:
            return f"{scheme}://{self.shown}"
        return f"{scheme}://{self.shown}:{port}"


def _ip(host: str):
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own_addresses(family: socket.AddressFamily) -> list[str]:
    """The addresses of this machine that others may use, the likeliest first."""
    found = [
        ipaddress.ip_address(one.address.partition("%")[0])
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == family
    ]
    usable = [str(ip) for ip in found if not ip.is_loopback and not ip.is_link_local]
    likeliest = _address_of_default_route(family)
    return [_bracketed(ip) for ip in sorted(usable, key=lambda ip: ip != likeliest)]


def _address_of_default_route(family: socket.AddressFamily) -> str:
    """The address with which this machine reaches other networks; "" if it reaches none."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((FAR_ADDRESS[family], 9))  # of a datagram socket: nothing is sent
        return probe.getsockname()[0]
    return ""
