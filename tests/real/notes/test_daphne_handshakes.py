"""Handshakes that Daphne rejects since 4.2.2 (CVE-2026-44546), and one that blinds it."""

import socket
from urllib.parse import quote

import pytest

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, handshake
from tests.support.scripted_events import ACCEPT


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne() as server:
        yield server


def open_socket(server):
    return socket.create_connection(("127.0.0.1", server.port), TEST_TIMEOUT)


def status_of_handshake(daphne, note):
    path = f"/?{next(daphne.numbers)}:{quote(repr([ACCEPT]))}"
    with open_socket(daphne) as client:
        client.sendall(handshake(path, Note=note))
        return int(client.recv(4096).split()[1])


def test_daphne_accepts_an_ordinary_header_in_a_handshake(daphne):
    assert status_of_handshake(daphne, "Origin: https://chat.example.org") == 101


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_daphne_answers_a_header_that_hides_another_header_with_400(daphne, separator):
    note = f"a{separator}Origin: https://chat.example.org"
    assert status_of_handshake(daphne, note) == 400


def test_an_exception_after_a_subprotocol_that_was_not_offered_ends_the_supervision():
    with RealDaphne() as server:  # a separate one, because nothing repairs it
        replies = quote(repr([{**ACCEPT, "subprotocol": "chat"}, {}]))  # {} raises a KeyError
        with open_socket(server) as client:
            client.sendall(handshake(f"/?0:{replies}"))
            # Daphne tries to close with 1011. The error ends the task that watches applications.
            server.wait_for_line("checker died of cannot close a connection not yet connected")
