"""The address of the room that students type, if `--host` stands for all of this machine."""

import socket
from types import SimpleNamespace

import pytest

from lessons.workshop.room import address
from lessons.workshop.room.address import Address
from lessons.workshop.room.command import explain

FAMILIES = (socket.AF_INET, socket.AF_INET6)
INTERFACES = {
    "lo": ["127.0.0.1", "::1"],
    "docker0": ["172.17.0.1", "fe80::1%docker0"],
    "wlan0": ["192.168.1.5", "2001:db8::5"],
}


@pytest.fixture(autouse=True)
def interfaces(monkeypatch):
    """The interfaces of a laptop with Docker."""
    found = {
        name: [SimpleNamespace(address=ip, family=FAMILIES[":" in ip]) for ip in addresses]
        for name, addresses in INTERFACES.items()
    }
    monkeypatch.setattr(address.psutil, "net_if_addrs", lambda: found)
    monkeypatch.setattr(address.socket, "gethostname", lambda: "Laptop")


@pytest.mark.parametrize(
    ("route", "shown", "others"),
    [
        ("192.168.1.5", "192.168.1.5", ["172.17.0.1"]),
        ("", "172.17.0.1", ["192.168.1.5"]),
        ("10.0.0.9", "172.17.0.1", ["192.168.1.5"]),
    ],
)
def test_shows_the_address_of_the_default_route_first(monkeypatch, route, shown, others):
    monkeypatch.setattr(address, "_address_of_default_route", lambda family: route)
    found = Address.of("0.0.0.0", None, "")
    assert (found.shown, found.other_addresses) == (shown, others)
    assert found.names == (shown, *others, "laptop")


@pytest.mark.parametrize(("host", "shown"), [("::", "[2001:db8::5]"), ("10.0.0.1", "10.0.0.1")])
def test_ipv6_is_shown_in_brackets_and_a_named_host_has_no_other_address(host, shown):
    found = Address.of(host, None, "")
    assert (found.shown, found.other_addresses) == (shown, [])


def test_a_machine_without_a_route_has_no_likeliest_address(monkeypatch):
    def fail(*arguments):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(address.socket.socket, "connect", fail)
    assert address._address_of_default_route(socket.AF_INET) == ""


def test_the_command_prints_the_other_addresses():
    lines = explain("http://192.168.1.5:9000", ["172.17.0.1", "10.8.0.2"], "secret", [])
    assert lines[-1] == "If students cannot reach this address, try 172.17.0.1 or 10.8.0.2."
    assert not any("try" in line for line in explain("http://127.0.0.1:9000", [], "secret", []))
