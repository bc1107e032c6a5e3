"""The strict communicator ends a consumer as a bug or a server does, and finds what is left."""

import asyncio
from contextlib import suppress

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.student_module import application_for
from lessons.workshop.judge import StrictCommunicator


class Lamp(AsyncConsumer):
    """Sends from a task that is never cancelled."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.blink())

    async def blink(self):
        while True:
            await asyncio.sleep(1)
            await self.send({"type": "websocket.send", "text": "blink"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class TidyLamp(Lamp):
    """Cancels its task at every end of the connection."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()


class HalfTidyLamp(Lamp):
    """Cancels its task only when the client leaves."""

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers():
        yield


def visit(consumer):
    return StrictCommunicator(consumer.as_asgi(), "/ws/lamp/")


async def finding_of(consumer, end):
    """The diagnosis when `end(client)` ends a connection to that consumer."""
    async with visit(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await end(client)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return excinfo.value.finding


ENDS = [
    pytest.param(StrictCommunicator.disconnect, id="disconnect"),
    pytest.param(StrictCommunicator.crash, id="crash"),
    pytest.param(StrictCommunicator.kill, id="kill"),
]


@pytest.mark.parametrize("end", ENDS)
async def test_accepts_any_end_of_a_consumer_that_cancels_its_task(end):
    async with visit(TidyLamp) as client:
        await client.connect()
        assert await client.receive_from() == "blink"
        await end(client)
        assert client.finished


@pytest.mark.parametrize("end", ENDS)
async def test_ignores_the_task_of_another_connection(end):
    async with visit(TidyLamp) as other, visit(TidyLamp) as client:
        await other.connect()
        await client.connect()
        await end(client)
        assert await other.receive_from() == "blink"


@pytest.mark.parametrize(
    ("end", "diagnosis"),
    [
        (StrictCommunicator.disconnect, "task-left-behind"),
        (StrictCommunicator.crash, "cleanup-skipped"),
        (StrictCommunicator.kill, "cleanup-skipped"),
    ],
)
async def test_finds_the_line_at_which_a_leftover_task_waits(end, diagnosis):
    finding = await finding_of(Lamp, end)
    assert finding.diagnosis == diagnosis
    assert finding.handler.endswith("Lamp.blink")
    assert finding.file == __file__


@pytest.mark.parametrize("end", [StrictCommunicator.crash, StrictCommunicator.kill])
async def test_names_a_skipped_clean_up(end):
    assert (await finding_of(HalfTidyLamp, end)).diagnosis == "cleanup-skipped"


@pytest.mark.parametrize("end", [StrictCommunicator.crash, StrictCommunicator.kill])
async def test_names_a_clean_up_that_raises_with_its_error(end):
    class Untidy(Lamp):
        async def __call__(self, scope, receive, send):
            try:
                await super().__call__(scope, receive, send)
            finally:
                self.task.cancel()
                self.missing.cancel()

    finding = await finding_of(Untidy, end)
    assert finding.diagnosis == "cleanup-raises"
    assert "has no attribute 'missing'" in finding.detail


@pytest.mark.parametrize("end", ENDS)
async def test_names_a_task_that_ignores_cancel_and_ends_the_loop(end):
    class Stubborn(TidyLamp):
        async def blink(self):
            for _ in range(100):
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    continue

    assert (await finding_of(Stubborn, end)).diagnosis == "cancel-swallowed"


async def test_does_not_blame_the_clean_up_for_a_crash_in_a_task_group():
    class Grouped(Lamp):
        async def __call__(self, scope, receive, send):
            async with asyncio.TaskGroup() as group:
                task = group.create_task(asyncio.sleep(3600))
                try:
                    await AsyncConsumer.__call__(self, scope, receive, send)
                finally:
                    task.cancel()

        async def websocket_connect(self, event):
            await self.send({"type": "websocket.accept"})

    async with visit(Grouped) as client:
        await client.connect()
        await client.crash()
        assert client.finished


class OwnDispatch(TidyLamp):
    async def dispatch(self, message):
        if message["type"].startswith("websocket."):
            await super().dispatch(message)
        else:
            raise KeyError(message["type"])


async def test_a_dispatch_may_raise_its_own_exception_for_an_unknown_event():
    async with visit(OwnDispatch) as client:
        await client.connect()
        await client.crash()
        assert client.finished


async def test_names_a_clean_up_that_raises_after_an_exception_of_an_own_dispatch():
    class Untidy(OwnDispatch):
        async def __call__(self, scope, receive, send):
            try:
                await super().__call__(scope, receive, send)
            finally:
                raise AttributeError("no such task")

    assert (await finding_of(Untidy, StrictCommunicator.crash)).diagnosis == "cleanup-raises"


async def test_a_bug_may_get_another_name():
    class Renamed(TidyLamp):
        async def __call__(self, scope, receive, send):
            try:
                await super().__call__(scope, receive, send)
            except ValueError as error:
                raise RuntimeError("the lamp broke") from error

    async with visit(Renamed) as client:
        await client.connect()
        await client.crash()
        assert client.finished


async def test_names_a_consumer_that_hides_a_bug_and_leaves_the_socket_open():
    class Silent(TidyLamp):
        async def __call__(self, scope, receive, send):
            with suppress(ValueError):
                await super().__call__(scope, receive, send)

    assert (await finding_of(Silent, StrictCommunicator.crash)).diagnosis == "exception-hidden"


async def test_a_consumer_that_survives_a_bug_goes_on():
    class Tough(TidyLamp):
        async def dispatch(self, message):
            with suppress(ValueError):
                await super().dispatch(message)

    async with visit(Tough) as client:
        await client.connect()
        await client.crash()
        assert await client.receive_from() == "blink"
        await client.disconnect()


async def test_a_sync_consumer_can_be_killed_and_crashed():
    class Still(SyncConsumer):
        def websocket_connect(self, event):
            self.send({"type": "websocket.accept"})

        def websocket_disconnect(self, event):
            raise StopConsumer

    for end in (StrictCommunicator.kill, StrictCommunicator.crash):
        async with visit(Still) as client:
            await client.connect()
            await end(client)
            assert client.finished


async def test_names_a_consumer_that_ignores_cancel():
    class Deaf(Lamp):
        async def __call__(self, scope, receive, send):
            for _ in range(100):
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    continue

    async with visit(Deaf) as client:
        with pytest.raises(CheckFailed) as excinfo:
            await client.kill()
        assert excinfo.value.finding.diagnosis == "handler-never-returned"


async def test_names_a_failed_task_while_its_client_waits():
    class Broken(TidyLamp):
        async def blink(self):
            raise LookupError("no light")

    async with visit(Broken) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="LookupError: no light") as excinfo:
            await client.receive_from()
        assert excinfo.value.finding.diagnosis == "task-died"
        assert excinfo.value.finding.handler.endswith("Broken.blink")


async def test_knows_whether_a_handler_runs():
    class Busy(TidyLamp):
        async def websocket_receive(self, event):
            await asyncio.sleep(5)

    async with visit(Busy) as client:
        await client.connect()
        assert not client.is_busy
        await client.send_to(text_data="work")
        assert client.is_busy
        await asyncio.sleep(6)
        assert not client.is_busy


class Speechless:
    """A middleware that returns without a reject."""

    async def __call__(self, scope, receive, send):
        pass


async def test_names_a_middleware_that_ends_silently():
    async def speechless(scope, receive, send):
        pass

    for application, name in ((Speechless(), "Speechless.__call__"), (speechless, "speechless")):
        guarded = type("Guarded", (Lamp,), {"__module__": __name__, "application": application})
        with pytest.raises(CheckFailed) as red:
            await StrictCommunicator(application_for(guarded, find("origin")), "/").connect()
        assert red.value.finding.diagnosis == "stopped-unanswered"
        assert red.value.finding.handler.endswith(name)
