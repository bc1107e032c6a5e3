"""A client that leaves while its consumer sends can end the consumer."""

import socket

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, handshake

NO_MASK = bytes(4)
TEXT, CLOSE = b"\x81\x82" + NO_MASK + b"hi", b"\x88\x80" + NO_MASK


def test_a_normal_leave_ends_a_consumer_that_is_sending_and_no_disconnect_follows():
    with RealDaphne() as daphne:
        address = ("127.0.0.1", daphne.port)
        with socket.create_connection(address, timeout=TEST_TIMEOUT) as client:
            client.sendall(handshake("/consumers/FillsTheLine?0:"))
            # The client does not read, so the connection cannot end before the handler runs.
            daphne.wait_for_line("filled")
            client.sendall(TEXT + CLOSE)
            daphne.wait_for_line("log Exception inside application: Attempt to send on a closed")
        daphne.wait_for_line("0 over")
        assert "disconnect" not in daphne.lines
