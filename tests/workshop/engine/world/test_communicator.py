"""The strict communicator never waits, and accepts only what Daphne accepts."""

import asyncio
import time
from enum import IntEnum

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.judge import StrictCommunicator


class Lamp(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer


class AsyncLamp(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer


def visit(consumer, **kwargs):
    return StrictCommunicator(consumer.as_asgi(), "/ws/lamp/", **kwargs)


def found(excinfo):
    return excinfo.value.finding.diagnosis


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers():
        yield


@pytest.mark.parametrize("consumer", [Lamp, AsyncLamp])
async def test_has_the_methods_of_the_stock_communicator(consumer):
    async with visit(consumer) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="on")
        assert await client.receive_from() == "on"
        await client.send_json_to({"light": 1})
        assert await client.receive_json_from() == {"light": 1}
        assert await client.receive_nothing()
        await client.disconnect()
        assert client.finished


async def test_reports_an_exception_that_the_test_does_not_read():
    class Broken(Lamp):
        def websocket_receive(self, event):
            raise KeyError("light")

    async with visit(Broken) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="KeyError: 'light'") as excinfo:
            await client.send_to(text_data="on")

    assert found(excinfo) == "exception"
    assert excinfo.value.finding.handler.endswith("Broken.websocket_receive")
    assert excinfo.value.finding.file == __file__


async def test_receives_a_reply_after_an_hour_of_loop_time():
    class Slow(AsyncLamp):
        async def websocket_receive(self, event):
            await asyncio.sleep(3600)
            await self.send({"type": "websocket.send", "text": "at last"})

    started = time.monotonic()
    async with visit(Slow) as client:
        await client.connect()
        await client.send_to(text_data="on")
        assert await client.receive_nothing(timeout=3500)
        assert await client.receive_from(timeout=200) == "at last"

    assert time.monotonic() - started < 60


async def test_reports_a_missing_reply_without_a_timeout():
    async with visit(Lamp) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.receive_from()

    assert found(excinfo) == "no-reply"


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 4000])
async def test_a_client_can_leave_with_any_code_or_none(code):
    seen = []

    class Witness(Lamp):
        def websocket_disconnect(self, event):
            seen.append(event["code"])
            raise StopConsumer

    async with visit(Witness) as client:
        await client.connect()
        await client.disconnect(code)

    assert seen == [code]


@pytest.mark.parametrize(("close", "code"), [({}, 1000), ({"code": 4001}, 4001)])
async def test_a_consumer_that_closes_receives_a_disconnect_with_its_code(close, code):
    seen = []

    class Closing(Lamp):
        def websocket_receive(self, event):
            self.send({"type": "websocket.close", **close})

        def websocket_disconnect(self, event):
            seen.append(event["code"])
            raise StopConsumer

    async with visit(Closing) as client:
        await client.connect()
        await client.send_to(text_data="bye")
        client.expect({"type": "websocket.close", **close})
        assert client.close_code == code

    assert seen == [code]


async def test_a_consumer_that_rejects_receives_a_disconnect_with_1006():
    seen = []

    class Refusing(Lamp):
        def websocket_connect(self, event):
            self.send({"type": "websocket.close"})

        def websocket_disconnect(self, event):
            seen.append(event["code"])
            raise StopConsumer

    async with visit(Refusing) as client:
        assert await client.connect() == (False, 1000)

    assert seen == [1006]


async def test_an_empty_frame_reaches_the_consumer():
    async with visit(Lamp) as client:
        await client.connect()
        await client.send_to(text_data="")
        client.expect({"type": "websocket.send", "text": ""})


async def test_sends_what_other_servers_send():
    async with visit(Lamp) as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", "text": "on", "bytes": None})
        client.expect({"type": "websocket.send", "text": "on"})


async def test_expect_treats_none_as_an_absent_key():
    class Wordy(Lamp):
        def websocket_receive(self, event):
            self.send({"type": "websocket.send", "text": "on", "bytes": None})
            self.send({"type": "websocket.close", "code": None, "reason": "done"})

    async with visit(Wordy) as client:
        await client.connect()
        await client.send_to(text_data="on")
        client.expect(
            {"type": "websocket.send", "text": "on"}, {"type": "websocket.close", "code": 1000}
        )


async def test_expect_marks_the_first_difference():
    async with visit(Lamp) as client:
        await client.connect()
        await client.send_to(text_data="off")
        with pytest.raises(CheckFailed) as excinfo:
            client.expect({"type": "websocket.send", "text": "on"})

    assert excinfo.value.finding.detail.splitlines() == [
        "  expected                     got",
        '≠ websocket.send  text: "on"   websocket.send  text: "off"',
    ]


async def test_a_client_cannot_send_to_a_closed_connection():
    class Closing(Lamp):
        def websocket_receive(self, event):
            self.send({"type": "websocket.close"})

    async with visit(Closing) as client:
        await client.connect()
        await client.send_to(text_data="bye")
        with pytest.raises(CheckFailed) as excinfo:
            await client.send_to(text_data="still there?")

    assert found(excinfo) == "closed-early"


async def test_ignores_a_broken_rule_that_the_consumer_catches():
    """Daphne raises in the handler. A handler that catches the exception goes on."""

    class Careful(Lamp):
        def websocket_connect(self, event):
            try:
                self.send({"type": "websocket.send", "text": "too early"})
            except ValueError:
                self.send({"type": "websocket.accept"})

    async with visit(Careful) as client:
        assert await client.connect() == (True, None)


async def test_drops_a_send_to_a_disconnected_client_silently():
    class Polite(Lamp):
        def websocket_disconnect(self, event):
            self.send({"type": "websocket.send", "text": "goodbye"})
            raise StopConsumer

    async with visit(Polite) as client:
        await client.connect()
        await client.disconnect()
        client.expect()


async def test_reports_an_endless_handler_when_daphne_would_kill_it():
    class Waiting(AsyncLamp):
        async def websocket_disconnect(self, event):
            await asyncio.Event().wait()

    async with visit(Waiting) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.disconnect()

    assert found(excinfo) == "handler-never-returned"


async def test_wait_reports_a_connection_that_is_still_open():
    async with visit(Lamp) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.wait()

    assert found(excinfo) == "still-open"


async def test_send_to_returns_after_layer_messages_are_handled():
    class Relay(AsyncLamp):
        async def websocket_receive(self, event):
            message = {"type": "lamp.light", "text": event["text"]}
            await get_channel_layer().send(self.channel_name, message)

        async def lamp_light(self, event):
            await self.send({"type": "websocket.send", "text": event["text"]})

    async with visit(Relay) as client:
        await client.connect()
        await client.send_to(text_data="on")
        client.expect({"type": "websocket.send", "text": "on"})

    lanes = [(event.lane, event.direction, event.handler) for event in client.transcript]
    assert lanes[4:7] == [
        ("layer", "out", "websocket_receive"),
        ("layer", "in", "lamp_light"),
        ("client", "out", "lamp_light"),
    ]


async def test_the_transcript_names_the_task_that_sends():
    class Pushing(AsyncLamp):
        async def websocket_connect(self, event):
            await super().websocket_connect(event)
            self.task = asyncio.create_task(self.tick())

        async def tick(self):
            await self.send({"type": "websocket.send", "text": "tick"})

    async with visit(Pushing) as client:
        await client.connect()
        client.expect({"type": "websocket.send", "text": "tick"})

    assert client.transcript[3].handler.endswith("Pushing.tick")


async def test_the_transcript_names_the_thread_of_a_sync_handler():
    async with visit(Lamp) as client:
        await client.connect()

    threads = {event.message["type"]: event.thread for event in client.transcript}
    assert threads["websocket.connect"].startswith("ThreadPoolExecutor")
    assert threads["websocket.accept"] == threads["websocket.connect"]


async def test_two_clients_have_separate_transcripts():
    async with visit(Lamp) as one, visit(Lamp) as other:
        await one.connect()
        await other.connect()
        await one.send_to(text_data="on")

    def received(client):
        return [e.message for e in client.transcript if e.message["type"] == "websocket.receive"]

    assert received(one) == [{"type": "websocket.receive", "text": "on"}]
    assert received(other) == []


async def test_leaves_no_task_behind_for_any_consumer():
    class Stuck(AsyncLamp):
        async def websocket_receive(self, event):
            await asyncio.Event().wait()

    async def go_wrong():
        async with visit(Stuck) as client:
            await client.connect()
            await client.send_to(text_data="on")
            raise RuntimeError("the test went wrong")

    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="the test went wrong"):
        await go_wrong()

    assert asyncio.all_tasks() == before


# Values, not objects


class EqualsEverything(str):
    """A text that claims to equal every expected text."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = str.__hash__


async def test_a_text_that_equals_everything_is_judged_by_its_characters():
    class Pleaser(Lamp):
        def websocket_receive(self, event):
            self.send({"type": "websocket.send", "text": EqualsEverything("wrong")})

    async with visit(Pleaser) as client:
        await client.connect()
        await client.send_to(text_data="on")
        with pytest.raises(CheckFailed) as excinfo:
            client.expect({"type": "websocket.send", "text": "on"})
        assert found(excinfo) == "reply-differs"
        await client.send_to(text_data="on")
        reply = await client.receive_from()
        assert (type(reply), reply) == (str, "wrong")


async def test_a_type_that_equals_everything_is_judged_by_its_characters():
    class Pleaser(Lamp):
        def websocket_connect(self, event):
            self.send({"type": EqualsEverything("websocket.acept")})

    with pytest.raises(CheckFailed) as excinfo:
        await visit(Pleaser).connect()
    assert found(excinfo) == "unknown-event-type"


async def test_a_header_that_equals_everything_meets_no_claim():
    class Equal:
        def __eq__(self, other):
            return True

    class Pleaser(Lamp):
        def websocket_connect(self, event):
            self.send({"type": "websocket.accept", "headers": [(b"a", Equal())]})

    client = visit(Pleaser)
    await client.send_input({"type": "websocket.connect"})
    with pytest.raises(CheckFailed) as excinfo:
        client.expect({"type": "websocket.accept", "headers": [(b"a", b"b")]})
    assert found(excinfo) == "reply-differs"
    await client.cancel_application()


class Code(IntEnum):
    OVER = 4000


async def test_rejects_an_int_enum_as_close_code_as_autobahn_does():
    class Over(Lamp):
        def websocket_receive(self, event):
            self.send({"type": "websocket.close", "code": Code.OVER})

    async with visit(Over) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.send_to(text_data="on")
        assert found(excinfo) == "forbidden-close-code"
        assert "invalid type '<enum 'Code'>' for close code" in str(excinfo.value)
        client.server.is_judged = True


async def test_the_scope_has_all_that_daphne_says_about_a_connection():
    scopes = []

    async def application(scope, receive, send):
        scopes.append(scope)

    for path in ("/ws/a%20b/?x=1", "/ws/"):
        client = StrictCommunicator(application, path, port=50_007)
        client.begin()
        await asyncio.wait([client.future])
    keys = {"type", "asgi", "path", "raw_path", "root_path", "query_string", "headers", "client"}
    assert scopes[0].keys() == keys | {"server", "subprotocols"}
    assert scopes[0]["raw_path"] == b"/ws/a%20b/"
    assert scopes[0]["client"] == ["127.0.0.1", 50_007]
