"""The layer of a check: as strict as Redis, and all that a consumer leaves in it is found."""

import asyncio
import datetime
import uuid

import pytest
from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels_redis.serializers import MsgPackSerializer

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.student_module import load_subject
from lessons.workshop.judge import StrictCommunicator

UNPACKABLE = [datetime.date(2026, 1, 1), uuid.UUID(int=0), {1}, 2**64, range(3), object()]
UNFIT_KEYS = [{1: 2}, {None: 1}, {(1, 2): 3}, {True: 1}]
FIT = [None, True, 5, 2.5, "ä ☃", b"\xff", [1, [2]], {"a": {"b": []}}, (1, (2, 3)), float("inf")]


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers() as layer:
        yield layer


class Member(AsyncConsumer):
    """Joins one group, and leaves the group when the client disconnects."""

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.channel_layer.group_send("room", {"type": event["text"]})

    async def chat_message(self, event):
        await self.send({"type": "websocket.send", "text": "heard"})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("room", self.channel_name)
        raise StopConsumer


class TidyMember(Member):
    """Leaves the group at every end of the connection."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("room", self.channel_name)


class Staying(Member):
    async def websocket_disconnect(self, event):
        raise StopConsumer


def visit(consumer=Member):
    return StrictCommunicator(consumer.as_asgi(), "/ws/")


def with_handler(name, handler, base=Member):
    return type("Own", (base,), {name: handler, "__module__": __name__})


async def finding_of(consumer, text):
    """The failure when a client sends that text to that consumer."""
    async with visit(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.send_to(text_data=text)
    return excinfo.value.finding


# Messages as on Redis


@pytest.mark.parametrize("value", FIT, ids=repr)
async def test_a_message_arrives_as_through_the_redis_serializer(layer, value):
    message = {"type": "chat.message", "value": value}
    await layer.send("post", message)
    serializer = MsgPackSerializer()
    assert await layer.receive("post") == serializer.deserialize(serializer.serialize(message))


@pytest.mark.parametrize("value", UNPACKABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("method", ["send", "group_send"])
async def test_an_unserializable_message_fails_at_the_sender(layer, method, value):
    message = {"type": "chat.message", "value": value}
    with pytest.raises((TypeError, OverflowError)) as here:
        await getattr(layer, method)("post", message)
    with pytest.raises(here.type) as there:
        MsgPackSerializer().serialize(message)
    assert str(here.value) == str(there.value)


@pytest.mark.parametrize("value", UNFIT_KEYS, ids=repr)
async def test_a_key_that_is_not_text_fails_at_the_receiver(layer, value):
    message = {"type": "chat.message", "value": value}
    await layer.send("post", message)
    with pytest.raises(ValueError, match="is not allowed for map key") as here:
        await layer.receive("post")
    serializer = MsgPackSerializer()
    with pytest.raises(ValueError, match="map key") as there:
        serializer.deserialize(serializer.serialize(message))
    assert str(here.value) == str(there.value)


async def test_a_change_after_the_send_does_not_reach_the_receiver(layer):
    message = {"type": "chat.message", "list": [1]}
    await layer.send("post", message)
    message["list"].append(2)
    assert (await layer.receive("post"))["list"] == [1]


@pytest.mark.parametrize("name", ["with space", "straße", "a" * 100, "", None, 5])
async def test_checks_names_as_every_layer_does(layer, name):
    with pytest.raises(TypeError, match="Group name must be a valid unicode string"):
        await layer.group_send(name, {"type": "x"})
    with pytest.raises(TypeError, match="Group name must be"):
        await layer.group_add(name, "post")
    with pytest.raises(TypeError, match="Channel name must be a valid unicode string"):
        await layer.send(name, {"type": "x"})


@pytest.mark.parametrize("text", ["hello", ["type"], None])
async def test_rejects_a_message_that_is_not_a_dict(layer, text):
    with pytest.raises(AssertionError, match="message is not a dict"):
        await layer.send("post", text)
    with pytest.raises(AssertionError, match="Message is not a dict"):
        await layer.group_send("post", text)


# What a student is shown


async def unpackable(self, event):
    await self.channel_layer.group_send("room", {"type": "chat.message", "at": {1}})


async def keyed_by_numbers(self, event):
    await self.channel_layer.group_send("room", {"type": "chat.message", "votes": {1: 2}})


async def no_dict(self, event):
    await self.channel_layer.send(self.channel_name, event["text"])


async def typeless(self, event):
    await self.channel_layer.send(self.channel_name, {"text": event["text"]})


async def spaced_group(self, event):
    await self.channel_layer.group_add("the room", self.channel_name)


async def spaced_channel(self, event):
    await self.channel_layer.send("the channel", {"type": "chat.message"})


@pytest.mark.parametrize(
    ("handler", "diagnosis"),
    [
        (unpackable, "not-serializable"),
        (no_dict, "message-not-a-dict"),
        (spaced_group, "wrong-group-name"),
        (spaced_channel, "wrong-channel-name"),
    ],
)
async def test_names_the_line_of_a_failed_call(handler, diagnosis):
    finding = await finding_of(with_handler("websocket_receive", handler), "hello")
    assert finding.diagnosis == diagnosis
    assert finding.message.startswith("websocket.receive → ")
    assert (finding.file, finding.line) == (__file__, handler.__code__.co_firstlineno + 1)


async def test_names_the_receiver_of_a_message_without_a_type():
    consumer = with_handler("websocket_receive", typeless)
    assert (await finding_of(consumer, "hello")).diagnosis == "message-without-type"


def sync_keyed_by_numbers(self, event):
    async_to_sync(self.channel_layer.send)(self.channel_name, {"type": "chat", "votes": {1: 2}})


class SyncMember(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer


@pytest.mark.parametrize(
    ("base", "handler"), [(Member, keyed_by_numbers), (SyncMember, sync_keyed_by_numbers)]
)
async def test_names_the_sender_of_a_message_that_cannot_be_read(base, handler):
    finding = await finding_of(with_handler("websocket_receive", handler, base), "hello")
    assert finding.diagnosis == "int-keys"
    assert (finding.file, finding.line) == (__file__, handler.__code__.co_firstlineno + 1)
    assert finding.message.startswith(handler.__name__)


@pytest.mark.parametrize(
    ("kind", "diagnosis", "event"),
    [
        ("chat.massage", "no-layer-handler", "chat.massage → "),
        ("_chat.message", "leading-underscore", "_chat.message → "),
    ],
)
async def test_names_a_message_type_without_a_handler_as_the_event(kind, diagnosis, event):
    finding = await finding_of(Member, kind)
    assert finding.diagnosis == diagnosis
    assert finding.message.startswith(event)


async def test_records_a_message_without_a_type():
    async with visit(with_handler("websocket_receive", typeless)) as client:
        await client.connect()
        with pytest.raises(CheckFailed):
            await client.send_to(text_data="hello")
    arrived = [event for event in client.transcript if event.lane == "layer"][-1]
    assert (arrived.direction, arrived.message) == ("in", {"text": "hello"})
    assert arrived.handler is None


async def test_places_an_error_in_the_layer_handler_that_raised_it():
    async def broken(self, event):
        raise LookupError("no news")

    finding = await finding_of(with_handler("chat_message", broken), "chat.message")
    assert finding.diagnosis == "exception"
    assert finding.message.startswith("chat.message → ")
    assert finding.line == broken.__code__.co_firstlineno + 1


async def test_a_waiting_layer_handler_counts_as_busy():
    async def waits(self, event):
        await asyncio.Event().wait()

    async with visit(with_handler("chat_message", waits, TidyMember)) as client:
        await client.connect()
        await client.send_to(text_data="chat.message")
        assert client.is_busy
        with pytest.raises(CheckFailed) as excinfo:
            await client.disconnect()
    finding = excinfo.value.finding
    assert finding.diagnosis == "handler-never-returned"
    assert finding.message.startswith("chat.message → ")


async def test_judges_a_receiver_when_a_check_reads_it():
    async def broken(self, event):
        raise LookupError("no news")

    async with visit() as speaker:
        listener = visit(with_handler("chat_message", broken, TidyMember))
        await speaker.connect()
        await listener.connect()
        await speaker.send_to(text_data="chat.message")
        with pytest.raises(CheckFailed, match="LookupError: no news"):
            listener.expect({"type": "websocket.send", "text": "heard"})
        await listener.cancel_application()


async def test_a_layer_message_does_not_hide_an_unanswered_handshake():
    class Slow(TidyMember):
        async def websocket_connect(self, event):
            await self.channel_layer.send(self.channel_name, {"type": "late"})

        async def late(self, event):
            pass

    async with visit(Slow) as client:
        with pytest.raises(CheckFailed) as excinfo:
            await client.connect()
    assert excinfo.value.finding.diagnosis == "no-accept"


async def test_sync_code_can_use_the_layer_through_async_to_sync():
    class Sync(SyncConsumer):
        def websocket_connect(self, event):
            self.send({"type": "websocket.accept"})

        def websocket_receive(self, event):
            message = {"type": "chat.message", "text": event["text"]}
            async_to_sync(self.channel_layer.send)(self.channel_name, message)

        def chat_message(self, event):
            self.send({"type": "websocket.send", "text": event["text"]})

        def websocket_disconnect(self, event):
            raise StopConsumer

    async with visit(Sync) as client:
        await client.connect()
        await client.send_to(text_data="hello")
        assert await client.receive_from() == "hello"


async def test_gives_all_members_of_a_group_one_dict_as_redis_does():
    class Counting(TidyMember):
        async def chat_message(self, event):
            event["readers"] = event.get("readers", 0) + 1
            await self.send({"type": "websocket.send", "text": str(event["readers"])})

    async with visit(Counting) as other, visit(Counting) as client:
        await other.connect()
        await client.connect()
        await client.send_to(text_data="chat.message")
        assert {await other.receive_from(), await client.receive_from()} == {"1", "2"}


# What a consumer leaves behind


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_accepts_any_end_of_a_consumer_that_leaves_its_group(layer, end):
    async with visit(TidyMember) as other, visit(TidyMember) as client:
        await other.connect()
        await client.connect()
        await getattr(client, end)()
        assert list(layer.groups["room"]) == ["specific.check!1"]


@pytest.mark.parametrize(
    ("consumer", "end", "diagnosis"),
    [
        (Staying, "disconnect", "group-leak"),
        (Staying, "kill", "group-leak-after-a-crash"),
        (Member, "crash", "group-leak-after-a-crash"),
        (Member, "kill", "group-leak-after-a-crash"),
    ],
)
async def test_finds_a_channel_that_stays_in_its_group(consumer, end, diagnosis):
    async with visit(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await getattr(client, end)()
    assert excinfo.value.finding.diagnosis == diagnosis
    assert (
        excinfo.value.finding.detail
        == "The channel specific.check!1 is still a member of the group room."
    )


async def test_names_a_cancel_while_the_consumer_joins():
    class Joining(Member):
        async def websocket_connect(self, event):
            await self.channel_layer.group_add("room", self.channel_name)
            await asyncio.Event().wait()  # as if the layer had not answered yet

    client = visit(Joining)
    client.begin()
    with pytest.raises(CheckFailed) as excinfo:
        await client.kill()
    assert excinfo.value.finding.diagnosis == "cancelled-while-joining"


async def test_finds_a_rejected_client_that_stays_in_its_group():
    class Refusing(Staying):
        async def websocket_connect(self, event):
            await self.channel_layer.group_add("room", self.channel_name)
            await self.send({"type": "websocket.close"})

    client = visit(Refusing)
    await client.connect()
    with pytest.raises(CheckFailed) as excinfo:
        await client.leave()
    assert excinfo.value.finding.diagnosis == "group-leak"


async def test_a_layer_from_import_time_is_the_layer_of_the_check(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text("from channels.layers import get_channel_layer\n\nkept = get_channel_layer()")
    usual = get_channel_layer()
    kept = load_subject(Target("exercise", file, "kept"))
    assert get_channel_layer() is usual
    for text in ("one", "two"):
        with fresh_layers():
            await kept.send("post", {"type": "note", "text": text})
            assert await get_channel_layer().receive("post") == {"type": "note", "text": text}


async def test_restores_the_usual_layer_and_keeps_no_message(layer):
    await layer.send("post", {"type": "x"})
    with fresh_layers() as inner:
        assert get_channel_layer().layer is inner
        assert not inner.channels
    assert get_channel_layer().layer is layer
