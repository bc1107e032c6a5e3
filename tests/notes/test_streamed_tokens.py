"""Streamed tokens: what NOTES.md says about a model behind a consumer, on real connections."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from channels.testing import WebsocketCommunicator

from tests.notes.sample_project import assistant
from tests.support.programs.running_program import TEST_TIMEOUT


class Model:
    """A model that answers without end. It counts its connections."""

    def __init__(self):
        self.open = self.most_open = 0
        self.changed = asyncio.Event()

    async def serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.count(1)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"token\n" * 5)
        await reader.read()  # until the client closes
        self.count(-1)
        writer.close()

    def count(self, step):
        self.open += step
        self.most_open = max(self.open, self.most_open)
        self.changed.set()

    async def wait_for(self, number):
        """Wait until so many connections are open."""
        async with asyncio.timeout(TEST_TIMEOUT):
            while self.open != number:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def model(monkeypatch):
    model = Model()
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0)
    monkeypatch.setattr(assistant, "MODEL", server.sockets[0].getsockname())
    monkeypatch.setattr(assistant.Assistant, "slots", asyncio.Semaphore(4))
    yield model
    await model.wait_for(0)
    server.close()


@pytest.fixture
async def asks():
    """`await asks()`: a client that has asked."""
    async with AsyncExitStack() as clients:

        async def ask():
            client = WebsocketCommunicator(assistant.Assistant.as_asgi(), "/")
            await client.connect(TEST_TIMEOUT)
            clients.push_async_callback(client.disconnect, timeout=TEST_TIMEOUT)
            await client.send_to(text_data="Why is the sky blue?")
            return client

        yield ask


async def receive(client, *texts):
    assert [await client.receive_from(TEST_TIMEOUT) for _ in texts] == [*texts]


async def test_a_stop_closes_the_connection_to_the_model(model, asks):
    client = await asks()
    await receive(client, "token", "token", "token")
    assert model.open == 1
    await client.send_to(text_data="stop")
    await receive(client, "stopped")
    await model.wait_for(0)


async def test_a_client_that_leaves_closes_the_connection_to_the_model(model, asks):
    client = await asks()
    await receive(client, "token")
    await client.disconnect(timeout=TEST_TIMEOUT)
    await model.wait_for(0)


async def test_at_most_four_answers_run_at_one_time(model, asks):
    clients = [await asks() for _ in range(6)]
    await model.wait_for(4)
    for client in clients[:4]:
        await receive(client, "token", "token", "token")
    await clients[4].send_to(text_data="stop")  # it waits, and takes no slot
    await receive(clients[4], "stopped")
    await clients[0].send_to(text_data="stop")
    await receive(clients[0], "stopped")
    await receive(clients[5], "token", "token", "token")
    await model.wait_for(4)
    assert model.most_open == 4


async def test_a_client_that_asks_for_no_more_loses_its_slot(model, asks, monkeypatch):
    monkeypatch.setattr(assistant.Assistant, "patience", 0.01)
    client = await asks()
    await receive(client, "token", "token", "token", "failed")
    await model.wait_for(0)


async def test_a_model_that_cannot_be_reached_is_reported_and_logged(model, asks, caplog):
    assistant.MODEL = "127.0.0.1", 1
    client = await asks()
    await receive(client, "failed")
    assert "An answer failed." in caplog.messages


@pytest.mark.parametrize("has_aclosing", [True, False])
async def test_only_aclosing_closes_a_generator_before_its_task_has_ended(has_aclosing):
    closed = []

    async def words():
        try:
            while True:
                yield "word"
        finally:
            await asyncio.sleep(0)  # as the end of a connection does
            closed.append(asyncio.current_task())

    async def tell():
        if has_aclosing:
            async with assistant.aclosing(words()) as answer:
                async for _ in answer:
                    await asyncio.Event().wait()
        else:
            async for _ in words():
                await asyncio.Event().wait()

    task = asyncio.create_task(tell())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert closed == ([task] if has_aclosing else [])
