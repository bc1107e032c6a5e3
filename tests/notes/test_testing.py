"""What NOTES.md says about communicators."""

from channels.testing import (
    HttpCommunicator,
    WebsocketCommunicator,
)

from async_demo.consumers import Shelf


async def test_http_communicator_sends_one_piece_and_no_disconnect():
    received = []

    async def listener(scope, receive, send):
        received.append(await receive())
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b""})
        received.append(await receive())

    client = HttpCommunicator(listener, "POST", "/", body=b"x" * 20_000)
    await client.get_response()
    assert received == [{"type": "http.request", "body": b"x" * 20_000}]
    client.stop()


def test_websocket_communicator_sends_neither_origin_nor_host():
    assert WebsocketCommunicator(Shelf.as_asgi(), "/a/?b=c").scope == {
        "type": "websocket",
        "path": "/a/",
        "query_string": b"b=c",
        "headers": [],
        "subprotocols": [],
    }
