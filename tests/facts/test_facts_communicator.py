"""What the stock WebsocketCommunicator hides: the facts of lesson 5."""

import asyncio

import pytest
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from channels.testing import WebsocketCommunicator

ACCEPT, CLOSE = {"type": "websocket.accept"}, {"type": "websocket.close"}
HELLO = {"type": "websocket.send", "text": "hello"}


class Accepting(SyncConsumer):
    """Has no handler for frames."""

    replies = (ACCEPT,)

    def websocket_connect(self, event):
        for reply in self.replies:
            self.send(reply)

    def websocket_disconnect(self, event):
        self.send({"type": "websocket.send", "text": f"left with {event['code']}"})
        raise StopConsumer()


@pytest.fixture
async def client():
    client = WebsocketCommunicator(Accepting.as_asgi(), "/")
    assert await client.connect() == (True, None)
    return client


async def test_stock_communicator_waits_for_a_missing_accept_and_is_of_no_use_after_that():
    silent = type("Silent", (Accepting,), {"replies": ()})
    client = WebsocketCommunicator(silent.as_asgi(), "/")
    with pytest.raises(TimeoutError) as error:
        await client.connect(timeout=0.02)
    assert (str(error.value), client.future.cancelled()) == ("", True)


async def test_stock_communicator_reports_a_missing_handler_only_after_a_timeout(client):
    await client.send_to(text_data="hello")
    with pytest.raises(ValueError, match=r"^No handler for message type websocket\.receive") as red:
        await client.receive_output()  # waits for 1 s, the consumer fails at once
    assert isinstance(red.value.__context__, TimeoutError)


async def test_stock_communicator_hides_an_exception_if_the_test_does_not_wait_for_it(client):
    await client.send_to(text_data="hello")
    assert await client.receive_nothing(timeout=0.02)  # a test that ends here is green
    await asyncio.wait([client.future])
    assert str(client.future.exception()) == "No handler for message type websocket.receive"


async def test_stock_communicator_cannot_send_an_empty_frame(client):
    with pytest.raises(AssertionError, match="exactly one of text_data or bytes_data"):
        await client.send_to(text_data="")
    await client.disconnect()


async def test_stock_communicator_sends_1000_where_a_browser_sends_no_code(client):
    await client.disconnect()
    assert await client.output_queue.get() == {"type": "websocket.send", "text": "left with 1000"}


@pytest.mark.parametrize(
    "replies",
    [
        [{**CLOSE, "code": 4001}],
        [HELLO, ACCEPT],
        [ACCEPT, ACCEPT],
        [{**ACCEPT, "subprotocol": "never-offered"}],
        [ACCEPT, {**CLOSE, "code": 1008}],
        [ACCEPT, CLOSE, HELLO],
        [ACCEPT, {**HELLO, "bytes": b"a"}],
        [ACCEPT, {**HELLO, "text": {"a": 1}}],
        [ACCEPT, {**HELLO, "type": "websocket.sned"}],
    ],
)
async def test_stock_communicator_accepts_replies_that_daphne_rejects(replies):
    wrong = type("Wrong", (Accepting,), {"replies": replies})
    client = WebsocketCommunicator(wrong.as_asgi(), "/")
    await client.send_input({"type": "websocket.connect"})
    assert [await client.receive_output() for _ in replies] == replies
    await client.disconnect()
    assert not client.future.cancelled()
