"""`bench page`: pages, watched echoes and drawing are measured, and the figures read rightly."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import own_time, page, page_table, watching
from lessons.bench.watching import Task, tasks_of


def test_a_page_is_served_watched_flooded_and_drawn(chromium, forked_servers, monkeypatch):
    monkeypatch.setattr(page, "OTHERS", ("/",))
    monkeypatch.setattr(page, "lessons", lambda: [page.ECHO])
    monkeypatch.setattr(page, "BURST", 1100)
    figures = page.measure(rounds=1, seconds=0.02, events=20)
    assert list(figures.sizes) == ["/lessons/02-frames/", "/"]
    assert list(figures.waited) == list(figures.own) == ["/bare/", "/lessons/02-frames/", "/"]
    assert [len(rates) for rates in figures.echoes.values()] == [1, 1, 1]
    assert figures.echo_dropped == 0
    assert figures.burst_dropped > 0
    assert figures.tells_of_gap
    assert figures.drawn > 20
    assert figures.tasks


def figures():
    return page.Figures(
        sizes={"/lessons/03-stop/": 64_000, "/": 17_000},
        waited={"/bare/": [0.002], "/lessons/03-stop/": [0.01, 0.02, 0.012], "/": [0.004]},
        own={"/bare/": [0.001, 0.001], "/lessons/03-stop/": [0.006, 0.5, 0.005], "/": [0.004]},
        echoes={"nobody": [1000, 10], "gone": [900, 9], "a page": [500, 6]},
        processor={"nobody": [0.001, 0.002], "gone": [0.001, 0.002], "a page": [0.002, 0.004]},
        burst_dropped=700,
        tells_of_gap=True,
        drawn=2000,
        tasks=[Task(0.08, 0.02), Task(0.01, 0.01), Task(0.06, 0.055)],
    )


def test_a_row_tells_the_pages_own_time_as_a_multiple_of_nothing():
    row, other = page_table.rows_of(figures())
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


def test_what_is_watched_is_a_share_of_what_is_not():
    facts = page_table.facts_of(figures())
    assert facts["echoes a second, gone / nobody"] == 0.9
    assert facts["echoes a second, a page / nobody"] == 0.55
    assert facts["processor time, a page / nobody"] == 2.0
    assert facts["longest task meanwhile, ms"] == 80.0
    assert facts["of the processor, ms"] == 55.0
    assert (facts["tasks over 50 ms"], facts["of the processor"]) == (2, 1)


def test_the_report_sets_the_slowest_lesson_and_the_watched_echo_beside_their_peers():
    slowest, *echoes = page_table.beside(figures())
    assert (slowest.what, slowest.ratio) == ("the slowest page, 03-stop", 6.0)
    assert [(one.what, one.peer, one.value) for one in echoes] == [
        ("gone", "nobody", 454),
        ("a page", "nobody", 253),
    ]


def test_tasks_are_those_of_the_pages_thread_since_the_mark():
    def event(**more):
        return {"name": "RunTask", "ph": "X", "pid": 1, "tid": 2, "ts": 20, "dur": 5000, **more}

    mark = {"name": "act", "ph": "I", "pid": 1, "tid": 2, "ts": 10}
    others = [event(tid=3), event(pid=3), event(ts=5), event(name="Paint"), event(ph="B")]
    trace = [*others, mark, event(tdur=2000), event(name="ThreadControllerImpl::RunTask")]
    assert tasks_of(trace) == [Task(0.005, 0.002), Task(0.005, 0.0)]


def test_a_view_tells_its_own_time_and_a_file_tells_none(rf):
    response = own_time.own_time(lambda request: {})(rf.get("/"))
    assert 0 <= own_time.told(response[own_time.HEADER]) < 1
    assert own_time.told("own;dur=1.500") == 0.0015
    assert own_time.told("") == 0


def test_what_was_measured_is_kept_as_table_figures_and_picture(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(page, "measure", lambda rounds, seconds: figures())
    said = StringIO()
    call_command("bench", "page", stdout=said)
    kept = tmp_path / "bench"
    assert {file.name for file in kept.iterdir()} == {"page.json", "page.txt", "page.svg"}
    assert said.getvalue().startswith((kept / "page.txt").read_text(encoding="utf-8"))
    assert "the page tells of the gap" in said.getvalue()


def test_figures_that_cannot_be_kept_are_shown_and_one_line_says_why(
    monkeypatch, settings, tmp_path
):
    settings.STATE_DIR = tmp_path / "a file where the folder should be"
    settings.STATE_DIR.touch()
    monkeypatch.setattr(page, "measure", lambda rounds, seconds: figures())
    said = StringIO()
    with pytest.raises(CommandError, match="The figures cannot be kept: ") as error:
        call_command("bench", "page", stdout=said)
    assert error.value.returncode == 2
    assert "the page tells of the gap" in said.getvalue()


def test_without_a_browser_it_says_what_to_install(monkeypatch, settings, tmp_path):
    settings.STATE_DIR = tmp_path

    def measure(rounds, seconds):
        raise watching.NoBrowser("apt-get install chromium")

    monkeypatch.setattr(page, "measure", measure)
    with pytest.raises(CommandError, match="apt-get install chromium") as error:
        call_command("bench", "page")
    assert error.value.returncode == 2
