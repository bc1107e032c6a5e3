"""`bench echo`: every shape echoes on both servers, and the figures become the right rows."""

import asyncio
from io import StringIO
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, client, echo, processes


def test_every_shape_echoes_on_both_servers(forked_servers):
    async def round_trips_of(server, path):
        one = await client.connect(server.port, path, client.EchoClient)
        await one.one_round_trip()
        await one.one_round_trip()
        one.close()
        return len(one.times)

    async def all_round_trips(started):
        return [await round_trips_of(server, path) for server in started for path in echo.SHAPES]

    with processes.servers("echo_server", *([name] for name in echo.SERVERS)) as started:
        assert asyncio.run(all_round_trips(started)) == [1] * 20
    assert [server.process.poll() is None for server in started] == [False, False]


def figures(**many):
    """Figures by (server, path): 100 a second on Daphne, except where a shape's rates are given."""
    made = {}
    for server in echo.SERVERS:
        for path in echo.SHAPES:
            rates = many.get(path[1:], [100.0] * 3) if server == "daphne" else [200.0] * 3
            made[server, path] = echo.Figures(
                rates, [0.01] * 98 + [0.5] * 2, [0.1], [9.0], [8.0], 100
            )
    return made


def test_a_ratio_is_the_median_of_the_ratios_of_each_round():
    # In the second round, another program saved the machine busy.
    made = figures(bare=[1000, 10, 1000], lean=[800, 8, 700], **{"async": [400, 4, 350]})
    facts = echo.facts_of(made)
    assert facts["lean / bare"] == 0.8
    assert facts["lean / AsyncConsumer"] == 2.0
    assert facts["recorder off / AsyncConsumer"] == round(100 / 350, 3)
    assert facts["AsyncConsumer / lean, processor time"] == 1.0


def test_the_hops_part_is_what_a_lean_consumer_saves():
    made = figures(bare=[1000] * 3, lean=[800] * 3, **{"async": [400] * 3})
    # A round trip takes 1 ms bare, 1.25 ms lean and 2.5 ms plain. The hop takes 1.25 of the 1.5 ms.
    part = echo.facts_of(made)["the hop's part of what AsyncConsumer adds"]
    assert part == round(1.25 / 1.5, 3)


def test_a_row_has_rates_percentiles_and_processor_time():
    [row] = [
        row
        for row in echo.rows_of(figures())
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


def test_the_chart_is_well_formed_and_has_a_bar_for_each_row_and_both_colour_schemes():
    rows = echo.rows_of(figures())
    rows[0]["what"] = "<bare> & more"
    picture = chart.bars("Echoes", rows)
    svg = "{http://www.w3.org/2000/svg}"
    tree = ElementTree.fromstring(picture)
    bars = [one for one in tree.iter(f"{svg}rect") if one.get("class") in chart.COLOURS]
    assert len(bars) == len(rows)
    assert tree.findtext(f"{svg}title") == "Echoes"
    assert "<bare> & more" in [text.text for text in tree.iter(f"{svg}text")]
    assert "prefers-color-scheme: dark" in picture


def test_the_command_saves_table_figures_and_chart(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: figures(bare=[300.0] * 3))
    output = StringIO()
    call_command("bench", "echo", stdout=output)
    saved = tmp_path / "bench"
    assert {file.name for file in saved.iterdir()} == {"echo.json", "echo.txt", "echo.svg"}
    assert output.getvalue().startswith((saved / "echo.txt").read_text(encoding="utf-8"))


def test_a_machine_that_is_too_busy_gets_a_clear_error(monkeypatch):
    silent = figures(lean=[0] * 3, **{"async": [0] * 3}, bare=[0] * 3)
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: silent)
    with pytest.raises(CommandError, match="too busy") as error:
        call_command("bench", "echo")
    assert error.value.returncode == 2


@pytest.mark.parametrize("options", [{"quick": True}, {"rounds": 3}, {"seconds": 0.1}])
def test_only_a_whole_run_replaces_the_figures_of_the_pages(
    monkeypatch, settings, tmp_path, options
):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: figures(bare=[300.0] * 3))
    output = StringIO()
    call_command("bench", "echo", stdout=output, **options)
    assert not (tmp_path / "bench").exists()
    assert "Not saved" in output.getvalue()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rounds": 0},
        {"seconds": 0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"connections": 0},
        {"connections": -5},
    ],
)
def test_rejects_a_measurement_of_nothing(monkeypatch, wrong):
    monkeypatch.setattr(echo, "measure", lambda rounds, seconds: figures(bare=[300.0] * 3))
    with pytest.raises(CommandError) as error:
        call_command("bench", "echo", **wrong)
    assert error.value.returncode == 2
