"""shared_channel.Radio: a thousand clients of one process may share one channel."""

import pytest
from channels.layers import get_channel_layer

from lessons.extras.shared_channel import (
    CONNECT_AGAIN,
    GROUP,
    MAX_LENGTH,
    Radio,
    Receiver,
)
from lessons.workshop.engine.pytest_plugin.report import ConsumerFault


@pytest.fixture
def asgi_application():
    return Radio.as_asgi()


@pytest.fixture
def three(world):
    return [world.connect("/radio/") for _ in range(3)]


def members():
    return len(get_channel_layer().groups.get(GROUP, ()))


async def failing(*arguments):
    raise ConnectionError("no layer")


def test_every_client_hears_each_text_once(three):
    for text in ("one", "two"):
        three[1].send(text)
    assert [client.received for client in three] == [["one", "two"]] * 3


def test_all_clients_share_one_channel_which_leaves_the_group_after_the_last_of_them(three):
    assert members() == 1
    three[0].leave()
    three[1].leave()
    assert members() == 1
    three[2].send("still here")
    assert three[2].received == ["still here"]
    three[2].leave()
    assert members() == 0


def test_too_long_a_text_is_not_passed_on(three):
    three[0].send("x" * (MAX_LENGTH + 1))
    three[0].send("x" * MAX_LENGTH)
    assert three[1].received == ["x" * MAX_LENGTH]


def test_a_client_whose_connection_fails_does_not_stop_the_others(three, monkeypatch):
    broken = next(iter(Radio.receiver.clients))
    monkeypatch.setattr(broken, "send", failing, raising=False)
    three[2].send("hello")
    assert [client.received for client in three] == [[], ["hello"], ["hello"]]


def test_a_failed_layer_closes_all_clients_and_the_next_client_is_served(world, three, monkeypatch):
    with monkeypatch.context() as outage:
        outage.setattr(get_channel_layer(), "receive", failing)
        with pytest.raises(ConsumerFault, match="no layer"):
            three[0].send("the last text")
    assert [client.received for client in three] == [["the last text"]] * 3
    assert [client.closed for client in three] == [CONNECT_AGAIN] * 3
    client = world.connect("/radio/")
    client.send("again")
    assert client.received == ["again"]


def test_without_the_layer_a_client_is_not_accepted(world, monkeypatch):
    monkeypatch.setattr(get_channel_layer(), "group_add", failing)
    with pytest.raises(ConsumerFault, match="no layer"):
        world.connect("/radio/")
    assert not Radio.receiver.clients


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
