"""Lesson 4, Turnstile: tests with the WebsocketCommunicator of Channels, and what they miss."""

import pytest
from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from sync_demo.consumers import Turnstile
from sync_demo.routing import websocket_urlpatterns

PATH = "/ws/sync/communicator/"

ACCEPT, CLOSE = {"type": "websocket.accept"}, {"type": "websocket.close"}


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def enter():
    application = URLRouter(websocket_urlpatterns)
    client = WebsocketCommunicator(application, PATH + "?gate=north")
    assert await client.connect() == (True, None)
    return client


async def leave(client):
    """Disconnect, and check that the consumer ended by itself. disconnect() hides a cancel."""
    await client.disconnect()
    assert not client.future.cancelled()


def test_counts_the_people_inside():
    async def conversation():
        client = await enter()
        for text, count in [("in", "1"), ("in", "2"), ("out", "1"), ("in", "2")]:
            await client.send_to(text_data=text)
            assert await client.receive_output() == text_frame(f"{count} inside")
        assert await client.receive_nothing()
        await leave(client)

    async_to_sync(conversation)()


@pytest.mark.parametrize("query", ["", "?gate=south", "?gate=north&gate=south"])
def test_rejects_a_client_at_another_gate(query):
    async def conversation():
        client = WebsocketCommunicator(Turnstile.as_asgi(), PATH + query)
        assert await client.connect() == (False, 1000)
        assert await client.receive_nothing()
        await leave(client)

    async_to_sync(conversation)()


@pytest.mark.parametrize("frame", [{"text_data": "hit"}, {"bytes_data": b"in"}])
def test_each_client_has_its_own_turnstile(frame):
    async def conversation():
        client, other = await enter(), await enter()
        await client.send_to(text_data="in")
        assert await client.receive_output() == text_frame("1 inside")
        await client.send_to(**frame)
        await client.send_to(text_data="in")  # sent before the close arrives
        assert await client.receive_output() == {**CLOSE, "code": 4000}
        assert await client.receive_nothing()
        await other.send_to(text_data="in")
        assert await other.receive_output() == text_frame("1 inside")
        await leave(client)
        await leave(other)

    async_to_sync(conversation)()


class NeverStops(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        pass  # raise StopConsumer() is missing


def test_stock_communicator_passes_a_consumer_that_never_stops():
    async def conversation():
        client = WebsocketCommunicator(NeverStops.as_asgi(), "/")
        assert await client.connect() == (True, None)
        await client.disconnect()
        assert client.future.cancelled()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator accepts what Daphne refuses, such as an event after the close. It also
# hides a consumer that does not stop, and most errors.

import asyncio

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.judge import StrictCommunicator


class Consumer(SyncConsumer):
    """A right consumer. Each class below has one mistake."""

    def websocket_connect(self, event):
        self.send(ACCEPT)

    def websocket_disconnect(self, event):
        raise StopConsumer()


class NeverAnswers(Consumer):
    def websocket_connect(self, event):
        pass


class HandlesNoFrames(Consumer):
    """A consumer without websocket_receive."""


def stock(consumer_class):
    return WebsocketCommunicator(consumer_class.as_asgi(), "/")


async def talk_strictly(consumer_class, *frames):
    async with StrictCommunicator(consumer_class.as_asgi(), "/") as client:
        await client.connect()
        for frame in frames:
            await client.send_to(text_data=frame)


async def strict_diagnosis(consumer_class, *frames):
    """The diagnosis of StrictCommunicator, for a client that sends these frames and leaves."""
    with pytest.raises(CheckFailed) as red:
        await talk_strictly(consumer_class, *frames)
    return red.value.finding.diagnosis


def now():
    return asyncio.get_running_loop().time()


async def test_disconnect_of_the_stock_communicator_waits_for_a_second():
    client = stock(NeverStops)
    await client.connect()
    before = now()
    await client.disconnect()
    assert now() - before == pytest.approx(1, abs=0.1)
    assert client.future.done()
    assert await strict_diagnosis(NeverStops) == "no-stop-consumer"


async def test_stock_communicator_gives_no_reason_for_a_missing_accept():
    with pytest.raises(TimeoutError) as error:
        await stock(NeverAnswers).connect()
    assert str(error.value) == ""
    assert await strict_diagnosis(NeverAnswers) == "no-accept"


async def test_stock_communicator_reports_a_missing_handler_only_after_a_timeout():
    client = stock(HandlesNoFrames)
    await client.connect()
    await client.send_to(text_data="hello")
    before = now()
    with pytest.raises(ValueError, match=r"^No handler for message type websocket\.receive$"):
        await client.receive_output()
    assert now() - before == pytest.approx(1, abs=0.1)
    assert await strict_diagnosis(HandlesNoFrames, "hello") == "no-receive-handler"


async def test_stock_communicator_hides_an_exception_if_the_test_does_not_wait_for_it():
    client = stock(HandlesNoFrames)
    await client.connect()
    await client.send_to(text_data="hello")
    assert await client.receive_nothing()
    # A test that ends here is green.
    assert str(client.future.exception()) == "No handler for message type websocket.receive"


async def test_a_timeout_of_the_stock_communicator_cancels_the_consumer():
    client = stock(Consumer)
    await client.connect()
    with pytest.raises(TimeoutError):
        await client.receive_output(timeout=0.1)
    with pytest.raises(asyncio.CancelledError):
        await client.disconnect()


async def test_stock_communicator_cannot_send_an_empty_frame():
    client = stock(Consumer)
    await client.connect()
    with pytest.raises(AssertionError, match="exactly one of text_data or bytes_data"):
        await client.send_to(text_data="")
    await client.disconnect()


async def test_stock_communicator_sends_1000_where_a_browser_sends_no_code():
    events = []

    class Listener(Consumer):
        def websocket_disconnect(self, event):
            events.append(event)
            raise StopConsumer()

    client = stock(Listener)
    await client.connect()
    await client.disconnect()
    assert events == [{"type": "websocket.disconnect", "code": 1000}]


@pytest.mark.parametrize(
    ("replies", "diagnosis"),
    [
        ([{**CLOSE, "code": 4001}], "code-before-accept"),
        ([text_frame("hello"), ACCEPT], "send-before-accept"),
        ([ACCEPT, ACCEPT], "accept-twice"),
        ([{**ACCEPT, "subprotocol": "chat"}], "subprotocol-not-offered"),
        ([ACCEPT, {**CLOSE, "code": 1008}], "forbidden-close-code"),
        ([ACCEPT, CLOSE, text_frame("one more thing")], "send-after-close"),
        ([ACCEPT, {**text_frame("a"), "bytes": b"a"}], "both-keys"),
        ([ACCEPT, text_frame({"a": 1})], "payload-not-text"),
        ([ACCEPT, {"type": "websocket.sned", "text": "a"}], "unknown-event-type"),
    ],
)
async def test_stock_communicator_accepts_replies_that_daphne_rejects(replies, diagnosis):
    class Wrong(Consumer):
        def websocket_connect(self, event):
            for reply in replies:
                self.send(reply)

    client = stock(Wrong)
    await client.send_input({"type": "websocket.connect"})
    assert [await client.receive_output() for _ in replies] == replies
    await leave(client)
    assert await strict_diagnosis(Wrong) == diagnosis
