"""`bench page`: measures pages, watched echoes and drawing; the figures become the right rows."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import page
from lessons.bench.report import MissingRequirement
from lessons.bench.servers import page_server


def test_measures_a_page_its_watched_socket_and_its_drawing(chromium, forked_servers, monkeypatch):
    monkeypatch.setattr(page, "OTHER_PAGES", ("/",))
    monkeypatch.setattr(page, "lessons", lambda: [page.ECHO])
    figures = page.measure(rounds=1, seconds=0.02, events=20)
    assert list(figures.sizes) == ["/lessons/02-frames/", "/"]
    assert list(figures.waited) == list(figures.own) == ["/bare/", "/lessons/02-frames/", "/"]
    assert [len(rates) for rates in figures.echoes.values()] == [1, 1, 1]
    assert figures.dropped == 0
    assert figures.drawn > 20


def figures():
    return page.Figures(
        sizes={"/lessons/03-stop/": 64_000, "/": 17_000},
        waited={"/bare/": [0.002], "/lessons/03-stop/": [0.01, 0.02, 0.012], "/": [0.004]},
        own={"/bare/": [0.001, 0.001], "/lessons/03-stop/": [0.006, 0.5, 0.005], "/": [0.004]},
        echoes={"no page": [1000, 10], "gone": [900, 9], "a page": [500, 6]},
        processor={"no page": [0.001, 0.002], "gone": [0.001, 0.002], "a page": [0.002, 0.004]},
        drawn=2000,
        long_tasks=[80.2, 60],
    )


def test_a_row_compares_the_pages_own_time_with_an_empty_view():
    row, other = page.rows_of(figures())
    assert row == {
        "server": "lessons",
        "what": "03-stop",
        "ratio": 6.0,
        "own_ms": 6.0,
        "median_ms": 12.0,
        "min_ms": 10.0,
        "kilobytes": 64.0,
    }
    assert (other["server"], other["what"]) == ("other pages", "list")


def test_facts_compare_a_watched_socket_with_an_unwatched_one():
    facts = page.facts_of(figures())
    assert facts["echoes a second, gone / unwatched"] == 0.9
    assert facts["echoes a second, a page / unwatched"] == 0.55
    assert facts["processor time, a page / unwatched"] == 2.0
    assert facts["longest of them, ms"] == 80
    assert facts["tasks over 50 ms while drawing"] == 2


def test_a_view_reports_its_own_time_and_a_file_does_not(rf):
    response = page_server.timing_middleware(lambda request: {})(rf.get("/"))
    assert 0 <= page.seconds_in(response[page_server.TIMING_HEADER]) < 1
    assert page.seconds_in("own;dur=1.500") == 0.0015
    assert page.seconds_in("") == 0


def test_the_command_saves_table_figures_and_chart(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(page, "measure", lambda rounds, seconds: figures())
    output = StringIO()
    call_command("bench", "page", stdout=output)
    saved = tmp_path / "bench"
    assert {file.name for file in saved.iterdir()} == {"page.json", "page.txt", "page.svg"}
    assert output.getvalue().startswith((saved / "page.txt").read_text(encoding="utf-8"))
    assert "events drawn" in output.getvalue()


def test_figures_that_cannot_be_saved_are_printed_and_one_line_says_why(
    monkeypatch, settings, tmp_path
):
    settings.STATE_DIR = tmp_path / "a file where the folder should be"
    settings.STATE_DIR.touch()
    monkeypatch.setattr(page, "measure", lambda rounds, seconds: figures())
    output = StringIO()
    with pytest.raises(CommandError, match="The figures cannot be saved: ") as error:
        call_command("bench", "page", stdout=output)
    assert error.value.returncode == 2
    assert "events drawn" in output.getvalue()


def test_without_a_browser_the_error_says_what_to_install(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path

    def measure(rounds, seconds):
        raise MissingRequirement("apt-get install chromium")

    monkeypatch.setattr(page, "measure", measure)
    with pytest.raises(CommandError, match="apt-get install chromium") as error:
        call_command("bench", "page")
    assert error.value.returncode == 2
