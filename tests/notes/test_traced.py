"""A span for each event of a consumer: the mixin of NOTES.md, with the SDK of OpenTelemetry."""

from importlib.util import find_spec

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

import async_demo.consumers
import sync_demo.consumers
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.required_programs import skip_or_fail


@pytest.fixture(scope="module", autouse=True)
def otel():
    """The modules of OpenTelemetry that tests need, so that others do not import them."""
    if find_spec("opentelemetry") is None:
        skip_or_fail("There is no opentelemetry: pip install --require-hashes -r .ci/extras.txt")


@pytest.fixture
def spans(monkeypatch):
    """`spans()`: each span that has ended, as (name, status, parent's id)."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from tests.notes.sample_project import traced

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traced, "tracer", provider.get_tracer("tests"))
    return exporter.get_finished_spans


def traced(consumer):
    from tests.notes.sample_project.traced import Traced

    return type(consumer.__name__, (Traced, consumer), {})


def names(spans):
    return [(span.name, span.status.status_code.name) for span in spans()]


@pytest.mark.parametrize("echo", [async_demo.consumers.Echo, sync_demo.consumers.Echo])
async def test_each_event_has_a_span_and_stop_consumer_is_not_an_error(spans, echo):
    client = WebsocketCommunicator(traced(echo).as_asgi(), "/")
    await client.connect(TEST_TIMEOUT)
    await client.send_to(text_data="hello")
    assert await client.receive_from(TEST_TIMEOUT) == "hello"
    await client.disconnect(timeout=TEST_TIMEOUT)
    assert names(spans) == [
        ("Echo websocket.connect", "UNSET"),
        ("Echo websocket.receive", "UNSET"),
        ("Echo websocket.disconnect", "UNSET"),
    ]


async def test_a_span_that_sees_stop_consumer_has_the_status_error(spans):
    from tests.notes.sample_project import traced as module

    with pytest.raises(StopConsumer), module.tracer.start_as_current_span("disconnect"):
        raise StopConsumer()
    assert names(spans) == [("disconnect", "ERROR")]


class Failing(AsyncConsumer):
    async def websocket_connect(self, event):
        raise KeyError("ada")


async def test_the_span_of_an_event_that_fails_has_the_exception(spans):
    async def receive():
        return {"type": "websocket.connect"}

    # A communicator would raise the exception after its timeout.
    with pytest.raises(KeyError, match="ada"):
        await traced(Failing).as_asgi()({"type": "websocket"}, receive, None)
    [span] = spans()
    assert names(spans) == [("Failing websocket.connect", "ERROR")]
    assert span.events[0].attributes["exception.type"] == "KeyError"


class Querying(SyncConsumer):
    def websocket_connect(self, event):
        from tests.notes.sample_project import traced

        with traced.tracer.start_as_current_span("query"):
            self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


async def test_a_span_in_the_sync_thread_belongs_to_that_of_the_event(spans):
    client = WebsocketCommunicator(traced(Querying).as_asgi(), "/")
    await client.connect(TEST_TIMEOUT)
    await client.disconnect(timeout=TEST_TIMEOUT)
    query, connect, _ = spans()
    assert (query.name, query.parent.span_id) == ("query", connect.context.span_id)


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("members", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def member_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("members", self.channel_name)
        raise StopConsumer()


@pytest.mark.parametrize("injected", [True, False])
async def test_a_message_continues_the_trace_only_if_its_sender_injects_it(spans, injected):
    from opentelemetry import propagate

    from tests.notes.sample_project import traced as module

    client = WebsocketCommunicator(traced(Member).as_asgi(), "/")
    await client.connect(TEST_TIMEOUT)
    message = {"type": "member.news", "text": "hello"}
    with module.tracer.start_as_current_span("sender") as sender:
        if injected:
            propagate.inject(message)
        await get_channel_layer().group_send("members", message)
    assert await client.receive_from(TEST_TIMEOUT) == "hello"
    await client.disconnect(timeout=TEST_TIMEOUT)
    [news] = [span for span in spans() if span.name == "Member member.news"]
    assert (news.context.trace_id == sender.get_span_context().trace_id) is injected
