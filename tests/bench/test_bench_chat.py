"""`bench chat`: no confirmed message is lost, and a server frees what connections held."""

import pytest

from lessons.bench import chat, chat_cluster
from lessons.bench.chat_cluster import ChatCluster, Member

KEPT = [(1, "a"), (2, "b"), (3, "c")]


def test_every_confirmed_message_is_kept_once_and_reaches_every_member(
    redis_binaries, forked_servers
):
    found = chat.measure(rooms=2, members=12, seconds=1.5)
    assert chat_cluster.faults(found) == []
    assert found["confirmed"] == found["sent"] == found["kept"] > 0
    assert found["delivered"] == 6 * found["kept"]
    assert found["reconnects"] >= 12  # each member has lost a server, Redis or both


class FakeCluster(ChatCluster):
    """A cluster whose `database` is the list of its messages."""

    def rows(self):
        return {"room0": self.database}

    def complaints(self):
        return {}


def faults(kept=KEPT, ids=(1, 2, 3), sent=("a",), confirmed=("a",)):
    cluster = FakeCluster(kept, None)
    member = Member(cluster, "room0", "session")
    member.ids, member.sent, member.confirmed = list(ids), list(sent), set(confirmed)
    cluster.members.append(member)
    return chat_cluster.faults(
        {**chat_cluster.figures_of(cluster), "all_in_after_s": 0.1, "caught_up_after_s": 0.1}
    )


@pytest.mark.parametrize(
    "case, fault",
    [
        ({}, []),
        ({"kept": [*KEPT, (4, "c")], "ids": (1, 2, 3, 4)}, ["kept_twice"]),
        ({"confirmed": ("a", "z")}, ["confirmed_not_kept"]),
        ({"ids": (1, 2, 2, 3)}, ["delivered_twice"]),
        ({"ids": (2, 1, 3)}, ["out_of_order"]),
        ({"ids": (1, 3)}, ["not_delivered"]),
    ],
)
def test_each_fault_is_named(case, fault):
    assert faults(**case) == fault


def test_the_soak_finds_nothing_left_by_a_consumer_that_stops(forked_servers, monkeypatch):
    monkeypatch.setattr(chat, "SOAK_STAY", 0)
    rows = chat.measure_soak("sync_demo.consumers.Echo", connections=6, waves=2)
    assert [row["when"].partition(",")[0] for row in rows] == [
        "at first",
        "wave 1 connected",
        "wave 1 gone",
        "wave 2 connected",
        "wave 2 gone",
    ]
    assert rows[1]["tasks"] >= rows[0]["tasks"] + 6
    assert chat.is_clean(rows)


def test_the_soak_is_not_clean_when_one_thing_is_left():
    rows = [
        {"when": "at first", "tasks": 1, "threads": 2, "groups": 0, "blocks": 350},
        {"when": "wave 1 connected", "tasks": 9, "threads": 2, "groups": 1, "blocks": 600},
        {"when": "wave 1 gone, 0.1 s", "tasks": 1, "threads": 2, "groups": 0, "blocks": 357},
    ]
    assert chat.is_clean(rows)
    for what in chat.SOAK_GROWTH:
        left = {**rows[2], what: rows[2][what] + 1}
        assert not chat.is_clean([*rows[:2], left])


def test_the_command_reports_the_members_figures_and_the_soak(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    found = dict.fromkeys([*chat_cluster.LOSSES, *chat_cluster.DURATIONS, "sent"], 0)
    rows = [{"when": "at first", "tasks": 1, "threads": 2, "groups": 0, "blocks": 9}]
    rows[0]["memory_mb"] = 70.0
    monkeypatch.setattr(chat, "measure", lambda rooms, members, seconds: found)
    monkeypatch.setattr(chat, "measure_soak", lambda consumer, connections, waves: rows)
    report = chat.run(chat.Options(connections=40))
    assert (report.figures["members"], report.figures["soak"]["lesson"]) == (40, "07-push")
    assert "40 connections to the worked example of 07-push" in report.table
    assert report.fault == ""
