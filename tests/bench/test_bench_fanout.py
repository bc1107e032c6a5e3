"""`bench fanout`: who hears a word on each layer, and the figures are read rightly."""

from io import StringIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, fanout, fanout_table, room
from lessons.core.redis_server import NoRedis


def test_between_two_processes_half_hear_nothing_in_memory_and_all_on_redis(
    redis_binaries, forked_servers, monkeypatch
):
    monkeypatch.setattr(fanout, "PROCESSES", (2,))
    monkeypatch.setattr(room, "QUIET", 0.05)  # who is asked says whether the word will come
    figures = fanout.measure(rounds=2, sizes=(4,))
    assert {setup: one.delivered for setup, one in figures.items()} == {
        ("in memory", 2, 4): [2, 2],
        ("Redis", 2, 4): [4, 4],
        ("Redis pub/sub", 2, 4): [4, 4],
        (fanout.TUTORIAL, 1, 4): [4, 4],
    }
    assert all(seconds > 0 for one in figures.values() for seconds in one.seconds)


class Slow:
    """A member who hears each word a turn late, or only that it was asked."""

    late = b"0"

    def say(self, word):
        if word.startswith(b"?"):
            self.heard(self, word)
        else:
            self.heard(self, self.late)
            self.late = word


class Quick(Slow):
    """The one who speaks, whom both hear."""

    def say(self, word):
        self.heard(self, word)
        self.other.say(word)


async def test_a_word_that_comes_a_turn_too_late_is_no_delivery(monkeypatch):
    monkeypatch.setattr(room, "WARM_UP", 0)
    monkeypatch.setattr(room, "QUIET", 0.01)
    quick, slow = members = [Quick(), Slow()]
    both = room.Room("in memory", [], members)
    quick.other = slow
    quick.heard = slow.heard = both._heard
    await both.take_turn()
    await both.take_turn()
    assert both.figures.delivered == [1, 1]


def figures():
    """Ten times as many clients take 5, then 20 times as long; in memory, two processes lose."""
    return {
        (layer, processes, clients): room.Figures(
            [seconds / 2, seconds, seconds * 9],
            [clients // 2 if (layer, processes) == ("in memory", 2) else clients] * 3,
        )
        for layer in fanout.BACKENDS
        for processes in fanout.PROCESSES
        for clients, seconds in zip((1000, 10, 100), (0.2, 0.002, 0.01), strict=True)
    }


def test_a_row_tells_median_growth_rate_and_losses():
    rows = fanout_table.rows_of(figures())
    [row] = [row for row in rows if (row["layer"], row["processes"]) == ("Redis", 2)][2:]
    assert row == {
        "layer": "Redis",
        "processes": 2,
        "clients": 1000,
        "ms": 200.0,
        "growth": 20.0,
        "deliveries_per_second": 5000,
        "lost": 0.0,
    }
    assert {fanout_table.title_of(row) for row in rows if row["lost"]} == {
        "in memory, 2 processes, 50% lost"
    }


def test_the_table_has_a_line_for_each_size_and_no_growth_for_the_smallest():
    lines = fanout_table.table_of(fanout_table.rows_of(figures())).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("Redis, 2"))
    assert lines[first] == "Redis, 2 processes"
    assert [line.split() for line in lines[first + 1 : first + 4]] == [
        ["10", "2.0", "5000", "0.0%"],
        ["100", "10.0", "5.0", "10000", "0.0%"],
        ["1000", "200.0", "20.0", "5000", "0.0%"],
    ]


def test_the_chart_has_a_line_for_each_setup_and_words_that_do_not_touch():
    series = fanout_table.series_of(fanout_table.rows_of(figures()))
    picture = chart.lines("Fan-out", series, "clients")
    svg = "{http://www.w3.org/2000/svg}"
    tree = ElementTree.fromstring(picture)
    lines = [one.get("class") for one in tree.iter(f"{svg}polyline")]
    assert sorted(lines) == sorted(
        f"{colour}{kind}" for colour in chart.COLOURS[:3] for kind in ("", " dashed")
    )
    words = [int(one.get("y")) for one in tree.iter(f"{svg}text") if one.get("x") == "400"]
    assert len(words) == 6
    assert min(below - above for above, below in pairwise(words)) >= 18
    # A tenth of the time is a third of the height lower, from 1 to 1000 ms.
    ends = {one.get("points").split()[-1] for one in tree.iter(f"{svg}polyline")}
    assert ends == {"390,110"}


def test_what_was_measured_is_kept_as_table_figures_and_picture(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(fanout, "measure", lambda rounds, sizes: figures())
    said = StringIO()
    call_command("bench", "fanout", stdout=said)
    kept = tmp_path / "bench"
    assert {file.name for file in kept.iterdir()} == {"fanout.json", "fanout.txt", "fanout.svg"}
    assert said.getvalue().startswith((kept / "fanout.txt").read_text(encoding="utf-8"))


def test_a_machine_without_redis_is_told_what_to_install(monkeypatch):
    def measure(rounds, sizes):
        raise NoRedis("There is no Redis server on this machine: apt-get install redis-server")

    monkeypatch.setattr(fanout, "measure", measure)
    with pytest.raises(CommandError, match="apt-get install redis-server") as error:
        call_command("bench", "fanout")
    assert error.value.returncode == 2
