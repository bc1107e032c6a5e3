"""`bench storm`: all members return after they have lost their connections at the same moment."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from lessons.bench import chat_cluster, storm


class FastMember:
    """A member that is ready again as soon as it loses its connection, or never."""

    lost_handshakes = 0

    def __init__(self, returns):
        self.returns, self.connections, self.is_ready = returns, 0, False

    async def run(self):
        self.connections, self.is_ready = 1, True

    def lose_connection(self):
        self.connections += self.returns
        self.is_ready = self.returns


class FastCluster:
    servers = (SimpleNamespace(processor_seconds=lambda: 0),)

    def __init__(self, returns):
        self.members = [FastMember(returns), FastMember(True)]

    @asynccontextmanager
    async def running_members(self):
        yield [asyncio.create_task(member.run()) for member in self.members]

    def presence_is_right(self):
        return all(member.is_ready for member in self.members)


@pytest.fixture
def phases(monkeypatch):
    """How long each phase took: None for one that ended without success."""
    monkeypatch.setattr(chat_cluster, "PHASE_TIMEOUT", 0.3)
    durations = []

    async def until(condition, tasks):
        durations.append(await chat_cluster.until(condition, tasks))
        return durations[-1]

    monkeypatch.setattr(storm, "until", until)
    return durations


async def test_waits_for_no_loss_if_all_members_are_back_at_once(phases):
    await storm._return_to_one_server(FastCluster(True), rooms=1)
    assert None not in phases


async def test_a_member_that_does_not_return_is_a_fault(phases, monkeypatch):
    came, returned = await storm._return_to_one_server(FastCluster(False), rooms=1)
    assert came["ready_s"] is not None
    assert (returned["ready_s"], returned["complete_s"]) == (None, None)
    monkeypatch.setattr(storm, "return_to_one_server", lambda rooms, members: [came, returned])
    monkeypatch.setattr(storm, "lose_one_of_two_servers", lambda rooms, members: came)
    assert "longer than" in storm.run(storm.Options(quick=True)).fault


def test_all_members_come_and_return_at_once(redis_binaries, forked_servers):
    came, returned = storm.return_to_one_server(rooms=1, members=30)
    assert [came["storm"], returned["storm"]] == ["all come to one room", "all return to one room"]
    assert came["lost_handshakes"] == returned["lost_handshakes"] == 0
    assert 0 < returned["ready_s"] <= returned["complete_s"]


def test_the_members_of_a_killed_server_miss_nothing(redis_binaries, forked_servers, monkeypatch):
    monkeypatch.setattr(storm, "SECONDS_BEFORE_KILL", 1)
    row = storm.lose_one_of_two_servers(rooms=2, members=20)
    assert row["reconnects"] > 0
    assert row["wrong_messages"] == 0
    assert row["sent"] == row["confirmed"] == row["kept"] > 0
    assert row["delivered"] == 10 * row["kept"]


def test_a_lost_handshake_or_message_is_a_fault(monkeypatch):
    row = {column.key: 0 for column in storm.COLUMNS}
    monkeypatch.setattr(storm, "return_to_one_server", lambda rooms, members: [row])
    monkeypatch.setattr(storm, "lose_one_of_two_servers", lambda rooms, members: row)
    assert storm.run(storm.Options(quick=True)).fault == ""
    for what in ("lost_handshakes", "wrong_messages"):
        wrong = {**row, what: 1}
        monkeypatch.setattr(
            storm, "lose_one_of_two_servers", lambda rooms, members, wrong=wrong: wrong
        )
        assert storm.run(storm.Options(quick=True)).fault


def test_members_return_after_a_random_time_with_an_exponential_limit(monkeypatch):
    monkeypatch.setattr(chat_cluster.random, "random", lambda: 0.5)
    delays = [chat_cluster.retry_delay(failures) for failures in range(7)]
    assert delays == [0.5, 1, 2, 4, 8, 15, 15]
