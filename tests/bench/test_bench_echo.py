"""`bench echo`: every shape echoes on both servers, and the figures are read rightly."""

import asyncio
from io import StringIO
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, client, connection, echo, echo_table, processes


def test_every_shape_echoes_on_both_servers_and_each_client_gets_in(forked_servers):
    async def visit(server, path):
        one = await connection.connected(server.port, path, client.Client)
        await one.once()
        await one.once()
        one.leave()
        return len(one.times)

    async def visit_all(started):
        return [await visit(server, path) for server in started for path in echo.SHAPES]

    with processes.servers(echo.SERVERS) as started:
        assert asyncio.run(visit_all(started)) == [1] * 20
    assert [server.process.poll() is None for server in started] == [False, False]


def figures(**many):
    """Figures by (server, path) in which all rates are 100 a second, but those given for Daphne."""
    made = {}
    for server in echo.SERVERS:
        for path in echo.SHAPES:
            rates = many.get(path[1:], [100.0] * 3) if server == "daphne" else [200.0] * 3
            made[server, path] = echo.Figures(
                rates, [0.01] * 98 + [0.5] * 2, [0.1], [9.0], [8.0], 100
            )
    return made


def test_a_ratio_is_the_median_of_the_rounds_own_ratios():
    # In the second round something else kept the machine busy.
    made = figures(bare=[1000, 10, 1000], lean=[800, 8, 700], **{"async": [400, 4, 350]})
    facts = echo_table.facts_of(made)
    assert facts["lean / bare"] == 0.8
    assert facts["lean / AsyncConsumer"] == 2.0
    assert facts["recorder off / AsyncConsumer"] == round(100 / 350, 3)
    assert facts["AsyncConsumer / lean, processor time"] == 1.0


def test_the_hops_part_is_what_a_lean_consumer_is_spared():
    made = figures(bare=[1000] * 3, lean=[800] * 3, **{"async": [400] * 3})
    # A round trip takes 1 ms bare, 1.25 ms lean and 2.5 ms plain: 1.25 of the 1.5 are the hop's.
    part = echo_table.facts_of(made)["the hop's part of what AsyncConsumer adds"]
    assert part == round(1.25 / 1.5, 3)


def test_a_row_tells_rates_percentiles_and_the_processors_share():
    [row] = [
        row
        for row in echo_table.rows_of(figures())
        if (row["server"], row["what"]) == ("uvicorn", "SyncConsumer")
    ]
    assert row == {
        "server": "uvicorn",
        "what": "SyncConsumer",
        "ratio": 2.0,
        "many_per_second": 200,
        "p50_ms": 10.0,
        "p99_ms": 500.0,
        "processor_us": 1000,
        "one_per_second": 9,
        "connects_per_second": 8,
    }


def test_the_chart_is_well_formed_with_a_bar_for_each_row_and_both_schemes():
    rows = echo_table.rows_of(figures())
    rows[0]["what"] = "<bare> & more"
    picture = chart.bars("Echoes", rows)
    svg = "{http://www.w3.org/2000/svg}"
    tree = ElementTree.fromstring(picture)
    bars = [one for one in tree.iter(f"{svg}rect") if one.get("class") in chart.COLOURS]
    assert len(bars) == len(rows)
    assert tree.findtext(f"{svg}title") == "Echoes"
    assert "<bare> & more" in [text.text for text in tree.iter(f"{svg}text")]
    assert "prefers-color-scheme: dark" in picture


def test_what_was_measured_is_kept_as_table_figures_and_picture(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: figures(bare=[300.0] * 3))
    said = StringIO()
    call_command("bench", "echo", stdout=said)
    kept = tmp_path / "bench"
    assert {file.name for file in kept.iterdir()} == {"echo.json", "echo.txt", "echo.svg"}
    assert said.getvalue().startswith((kept / "echo.txt").read_text(encoding="utf-8"))


def test_a_machine_too_busy_for_an_echo_is_told_so(monkeypatch):
    silent = figures(lean=[0] * 3, **{"async": [0] * 3}, bare=[0] * 3)
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: silent)
    with pytest.raises(CommandError, match="too busy") as error:
        call_command("bench", "echo")
    assert error.value.returncode == 2


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"seconds": 0}])
def test_nothing_cannot_be_measured(wrong):
    with pytest.raises(CommandError) as error:
        call_command("bench", "echo", **wrong)
    assert error.value.returncode == 2
