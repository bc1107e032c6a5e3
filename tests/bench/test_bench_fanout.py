"""`bench fanout`: which clients receive a message on each layer, and the rows of the figures."""

from io import StringIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, fanout
from lessons.core.redis_server import RedisUnavailable

VARIANTS = [
    f"{layer}, {kind}" for layer in fanout.BACKENDS for kind in (fanout.LEAN, fanout.SHARED)
]


def test_in_memory_reaches_one_of_two_processes_and_redis_reaches_both(
    redis_binaries, forked_servers, monkeypatch
):
    monkeypatch.setattr(fanout, "PROCESSES", (2,))
    monkeypatch.setattr(fanout, "QUIET_TIMEOUT", 0.05)  # a probe shows whether the text will come
    figures = fanout.measure(rounds=2, sizes=(4,))
    assert {setup: one.delivered for setup, one in figures.items()} == {
        ("in memory", 2, 4): [2, 2],
        ("Redis", 2, 4): [4, 4],
        ("Redis pub/sub", 2, 4): [4, 4],
        **{(kind, 1, 4): [4, 4] for kind in (*VARIANTS, fanout.TUTORIAL)},
    }
    assert all(seconds > 0 for one in figures.values() for seconds in one.seconds)


class LateMember:
    """A member that receives each text one round late, and its own probe at once."""

    late = b"0"

    def send_text(self, text):
        if text.startswith(b"?"):
            self.on_text(self, text)
        else:
            self.on_text(self, self.late)
            self.late = text


class Sender(LateMember):
    """The member that sends: itself and the other one receive the text."""

    def send_text(self, text):
        self.on_text(self, text)
        self.other.send_text(text)


async def test_a_text_that_comes_one_round_late_is_not_a_delivery(monkeypatch):
    monkeypatch.setattr(fanout, "WARM_UP", 0)
    monkeypatch.setattr(fanout, "QUIET_TIMEOUT", 0.01)
    sender, late = members = [Sender(), LateMember()]
    room = fanout.Room("in memory", [], members)
    sender.other = late
    sender.on_text = late.on_text = room._on_text
    await room.measure_round()
    await room.measure_round()
    assert room.figures.delivered == [1, 1]


def figures():
    """Ten times as many clients take 5, then 20 times as long. In memory, two processes lose."""
    setups = [(layer, count) for layer in fanout.BACKENDS for count in fanout.PROCESSES]
    return {
        (layer, processes, clients): fanout.Figures(
            [seconds / 2, seconds, seconds * 9],
            [clients // 2 if (layer, processes) == ("in memory", 2) else clients] * 3,
        )
        for layer, processes in [*setups, *((kind, 1) for kind in (*VARIANTS, fanout.TUTORIAL))]
        for clients, seconds in zip((1000, 10, 100), (0.2, 0.002, 0.01), strict=True)
    }


def test_a_row_has_median_ratio_growth_rate_and_losses():
    rows = fanout.rows_of(figures())
    [row] = [row for row in rows if (row["layer"], row["processes"]) == ("Redis", 2)][2:]
    assert row == {
        "layer": "Redis",
        "processes": 2,
        "clients": 1000,
        "ms": 200.0,
        "ratio": 1.0,
        "growth": 20.0,
        "deliveries_per_second": 5000,
        "lost": 0.0,
    }
    assert {fanout.title_of(row) for row in rows if row["lost"]} == {
        "in memory, 2 processes, 50% lost"
    }


def test_the_table_has_a_line_for_each_size_and_no_growth_for_the_smallest_size():
    lines = fanout.table_of(fanout.rows_of(figures())).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Redis, 2"))
    assert lines[first] == "Redis, 2 processes"
    assert [line.split() for line in lines[first + 1 : first + 4]] == [
        ["10", "2.0", "1.00", "5000", "0.0%"],
        ["100", "10.0", "1.00", "5.0", "10000", "0.0%"],
        ["1000", "200.0", "1.00", "20.0", "5000", "0.0%"],
    ]


def test_says_what_each_step_saves_of_the_time_in_the_largest_room():
    rows = fanout.rows_of(figures())
    times = {fanout.TUTORIAL: 500, "Redis": 400, "Redis, lean": 150, "Redis, shared channel": 50}
    for row in rows:
        if (row["processes"], row["clients"]) == (1, 1000):
            row["ms"] = times.get(row["layer"], 0)
    assert fanout.explain_time(rows).splitlines() == [
        "Where the tutorial's 500 ms go, 1000 clients, Redis:",
        "  generic consumer and JSON             20%",
        "  check of the database connections     50%",
        "  a channel for each client             20%",
        "  the rest: frames, network, clients    10%",
    ]


def test_the_chart_has_a_line_for_each_setup_and_labels_that_do_not_overlap():
    series = fanout.series_of(fanout.rows_of(figures()))
    picture = chart.lines("Fan-out", series, "clients")
    svg = "{http://www.w3.org/2000/svg}"
    tree = ElementTree.fromstring(picture)
    lines = [one.get("class") for one in tree.iter(f"{svg}polyline")]
    kinds = [f"{colour}{kind}" for colour in chart.COLOURS[:3] for kind in ("", " dashed")]
    assert sorted(lines) == sorted([*kinds, *chart.COLOURS[3:]])
    words = [int(one.get("y")) for one in tree.iter(f"{svg}text") if one.get("x") == "400"]
    assert len(words) == 8
    assert min(below - above for above, below in pairwise(words)) >= 18
    # A tenth of the time is a third of the height lower, from 1 to 1000 ms.
    ends = {one.get("points").split()[-1] for one in tree.iter(f"{svg}polyline")}
    assert ends == {"390,110"}


def test_the_command_saves_table_figures_and_chart(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(fanout, "measure", lambda rounds, sizes: figures())
    output = StringIO()
    call_command("bench", "fanout", stdout=output)
    saved = tmp_path / "bench"
    assert {file.name for file in saved.iterdir()} == {"fanout.json", "fanout.txt", "fanout.svg"}
    assert output.getvalue().startswith((saved / "fanout.txt").read_text(encoding="utf-8"))


def test_without_redis_the_error_says_what_to_install(monkeypatch):
    def measure(rounds, sizes):
        raise RedisUnavailable(
            "There is no Redis server on this machine: apt-get install redis-server"
        )

    monkeypatch.setattr(fanout, "measure", measure)
    with pytest.raises(CommandError, match="apt-get install redis-server") as error:
        call_command("bench", "fanout")
    assert error.value.returncode == 2
