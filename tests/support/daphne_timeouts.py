"""On a busy machine a browser, or a client, may answer Daphne's close late; it then sees 1006."""

from daphne.ws_protocol import WebSocketProtocol


def wait_for_late_answers() -> None:
    """Give this process's Daphne a minute for the answer to its close, not Autobahn's second."""
    WebSocketProtocol.closeHandshakeTimeout = 60
