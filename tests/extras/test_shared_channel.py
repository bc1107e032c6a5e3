"""shared_channel.Radio: a thousand clients of one process may share one channel."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from lessons.extras.shared_channel import (
    CONNECT_AGAIN,
    GROUP,
    MAX_LENGTH,
    PAUSE_AFTER,
    Radio,
    Receiver,
)


def stock_client():
    return WebsocketCommunicator(Radio.as_asgi(), "/radio/")


async def connected(count):
    clients = [stock_client() for _ in range(count)]
    for client in clients:
        assert await client.connect() == (True, None)
    return clients


async def leave(clients):
    for client in clients:
        await client.disconnect()


def members():
    return len(get_channel_layer().groups.get(GROUP, ()))


async def test_every_client_hears_each_text_once():
    clients = await connected(3)
    for text in ("one", "two"):
        await clients[1].send_to(text_data=text)
        assert [await one.receive_from() for one in clients] == [text] * 3
    assert [await one.receive_nothing() for one in clients] == [True] * 3
    await leave(clients)


async def test_all_clients_share_one_channel_which_leaves_the_group_after_the_last_of_them():
    clients = await connected(3)
    assert members() == 1
    await leave(clients[:2])
    assert members() == 1
    await clients[2].send_to(text_data="still here")
    assert await clients[2].receive_from() == "still here"
    task = Radio.receiver.task
    await leave(clients[2:])
    await asyncio.wait([task])
    assert members() == 0


async def test_too_long_a_text_is_not_passed_on():
    clients = await connected(2)
    await clients[0].send_to(text_data="x" * (MAX_LENGTH + 1))
    await clients[0].send_to(text_data="x" * MAX_LENGTH)
    assert await clients[1].receive_from() == "x" * MAX_LENGTH
    await leave(clients)


async def test_a_client_whose_connection_fails_does_not_stop_the_others(monkeypatch):
    clients = await connected(3)
    broken = next(iter(Radio.receiver.clients))

    async def fail(event):
        raise OSError("closed")

    monkeypatch.setattr(broken, "send", fail, raising=False)
    await clients[2].send_to(text_data="hello")
    assert await clients[1].receive_from() == "hello"
    assert await clients[2].receive_from() == "hello"
    await leave(clients)


async def test_a_failed_layer_closes_all_clients_and_the_next_client_is_served(monkeypatch):
    clients = await connected(2)
    with monkeypatch.context() as context:
        context.setattr(get_channel_layer(), "receive", failing)
        await clients[0].send_to(text_data="the last text")
        assert [await one.receive_from() for one in clients] == ["the last text"] * 2
        closed = {"type": "websocket.close", "code": CONNECT_AGAIN}
        assert [await one.receive_output() for one in clients] == [closed] * 2
    await leave(clients)
    [client] = await connected(1)
    await client.send_to(text_data="again")
    assert await client.receive_from() == "again"
    await leave([client])


class FakeClient:
    def __init__(self):
        self.sent = []

    async def send(self, event):
        self.sent.append(event)


async def test_a_client_gets_nothing_before_it_is_accepted():
    receiver, client = Receiver(), FakeClient()
    await receiver.join(client)
    await receiver.send_to_all("early")
    receiver.clients[client] = True
    await receiver.send_to_all("in time")
    assert client.sent == ["in time"]
    receiver.leave(client)


async def test_a_long_list_of_clients_lets_other_tasks_run_in_between():
    receiver = Receiver()
    clients = [FakeClient() for _ in range(2 * PAUSE_AFTER)]
    receiver.clients = dict.fromkeys(clients, True)
    sending = asyncio.create_task(receiver.send_to_all("news"))
    await asyncio.sleep(0)
    assert sum(len(client.sent) for client in clients) == PAUSE_AFTER
    receiver.clients.pop(clients[-1])  # leaves during the pause
    await sending
    assert [len(client.sent) for client in clients] == [1] * (2 * PAUSE_AFTER - 1) + [0]


async def test_without_the_layer_a_client_is_not_accepted(monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(get_channel_layer(), "group_add", failing)
        client = stock_client()
        with pytest.raises(ConnectionError, match="no layer"):
            await client.connect(timeout=0.1)
    assert not Radio.receiver.clients


async def failing(*arguments):
    raise ConnectionError("no layer")
