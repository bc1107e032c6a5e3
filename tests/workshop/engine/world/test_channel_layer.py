"""The layer of a check: as strict as Redis, and all that a consumer leaves in it is found."""

import asyncio
import datetime
import uuid

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels_redis.serializers import MsgPackSerializer
from redis.exceptions import ConnectionError

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.student_module import load_subject
from lessons.workshop.judge import StrictCommunicator
from tests.support.accepting_consumers import Accepts

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


class Joining(Member):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await asyncio.Event().wait()  # as if the layer had not answered yet


def visit(consumer=Member):
    return StrictCommunicator(consumer.as_asgi(), "/ws/")


def with_handler(handler):
    return type("Own", (Member,), {"websocket_receive": handler, "__module__": __name__})


# Messages as on Redis


async def outcome(call):
    """What it returns or raises."""
    try:
        return await call
    except ValueError as error:
        return str(error)


async def through_the_serializer(message):
    serializer = MsgPackSerializer()
    return serializer.deserialize(serializer.serialize(message))


@pytest.mark.parametrize("value", [*FIT, *UNFIT_KEYS], ids=repr)
async def test_a_message_arrives_or_fails_at_the_receiver_as_on_redis(layer, value):
    message = {"type": "chat.message", "value": value}
    await layer.send("post", message)
    assert await outcome(layer.receive("post")) == await outcome(through_the_serializer(message))


@pytest.mark.parametrize("value", UNPACKABLE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("method", ["send", "group_send"])
async def test_an_unserializable_message_fails_at_the_sender(layer, method, value):
    message = {"type": "chat.message", "value": value}
    with pytest.raises((TypeError, OverflowError)) as here:
        await getattr(layer, method)("post", message)
    with pytest.raises(here.type) as there:
        await through_the_serializer(message)
    assert str(here.value) == str(there.value)


@pytest.mark.parametrize("name", ["with space", "straße", "a" * 100, "", None, 5])
async def test_checks_names_as_every_layer_does(layer, name):
    with pytest.raises(TypeError, match="Group name must be a valid unicode string"):
        await layer.group_send(name, {"type": "x"})
    with pytest.raises(TypeError, match="Channel name must be a valid unicode string"):
        await layer.send(name, {"type": "x"})


# The faults of a consumer


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


@pytest.mark.parametrize(
    ("handler", "text", "diagnosis", "has_line"),
    [
        (unpackable, "a", "not-serializable", True),
        (no_dict, "a", "message-not-a-dict", True),
        (spaced_group, "a", "wrong-group-name", True),
        (keyed_by_numbers, "a", "int-keys", True),  # it fails at the receiver
        (typeless, "a", "message-without-type", False),
        (Member.websocket_receive, "chat.massage", "no-layer-handler", False),
        (Member.websocket_receive, "_chat.message", "leading-underscore", False),
    ],
)
async def test_names_a_wrong_message_and_the_line_that_sends_it(handler, text, diagnosis, has_line):
    async with visit(with_handler(handler)) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await client.send_to(text_data=text)
    finding = diagnose(excinfo.value.finding)
    assert finding.diagnosis == diagnosis
    if has_line:
        assert (finding.file, finding.line) == (__file__, handler.__code__.co_firstlineno + 1)


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
        (Joining, "kill", "cancelled-while-joining"),
    ],
)
async def test_finds_a_channel_that_stays_in_its_group(consumer, end, diagnosis):
    client = visit(consumer)
    client.begin()
    with pytest.raises(CheckFailed) as excinfo:
        await getattr(client, end)()
    assert excinfo.value.finding.diagnosis == diagnosis


async def test_a_layer_from_import_time_is_the_layer_of_the_check(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text("from channels.layers import get_channel_layer\n\nkept = get_channel_layer()")
    usual = get_channel_layer()
    kept = load_subject(Subject("exercise", file, "kept"))
    assert get_channel_layer() is usual
    for text in ("one", "two"):
        with fresh_layers():
            await kept.send("post", {"type": "note", "text": text})
            assert await get_channel_layer().receive("post") == {"type": "note", "text": text}


# An outage of Redis


@pytest.fixture
def redis():
    with fresh_layers() as layer:
        yield layer.redis


async def test_every_call_but_new_channel_fails_during_an_outage(redis):
    layer = get_channel_layer("encrypted")
    channel = await layer.new_channel()
    waiting = asyncio.ensure_future(layer.receive(channel))
    await asyncio.get_running_loop().wait_until_idle()
    await redis.stop()
    with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
        waiting.result()
    assert await layer.new_channel() != channel
    for call in (
        layer.send(channel, {"type": "x"}),
        layer.receive(channel),
        layer.group_add("room", channel),
        layer.group_send("room", {"type": "x"}),
        layer.group_discard("room", channel),
    ):
        with pytest.raises(ConnectionError, match=r"^Error 111 connecting"):
            await call


class ClosesFirst(Accepts):
    """Closes the connection, and raises the exception of the layer."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await send({"type": "websocket.close"})
            raise


@pytest.mark.parametrize(("consumer", "diagnosis"), [(ClosesFirst, None), (Accepts, "redis-down")])
async def test_an_outage_may_end_a_consumer_only_after_its_close(redis, consumer, diagnosis):
    found = None
    async with visit(consumer) as client:
        await client.connect()
        await redis.stop()
        try:
            await client.receive_nothing()
            client.expect({"type": "websocket.close"})
        except CheckFailed as failure:
            found = diagnose(failure.finding).diagnosis
    assert found == diagnosis
