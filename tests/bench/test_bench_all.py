"""`bench all`: one report of all benchmarks; what is missing or failed is named."""

import json
from io import StringIO
from types import SimpleNamespace
from unittest import mock
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, registry
from lessons.bench.report import Column, MissingRequirement, Report, text_table

REPORT = Report(
    {"rows": [{"what": "<ours>", "ms": 5.0}]},
    "<ours>  5 ms",
    chart.bars("Speed", [{"server": "here", "what": "ours", "ratio": 0.25}]),
)


@pytest.fixture
def bench_all(settings, tmp_path):
    """`bench_all(name=run, ...)` returns the output of `bench all` with only these benchmarks."""
    settings.STATE_DIR = tmp_path

    def run(code=0, **benchmarks):
        registry.BENCHMARKS.clear()
        for name, function in benchmarks.items():
            registry.BENCHMARKS[name] = SimpleNamespace(
                name=name, description=f"what {name} measures", run=function, in_all=True
            )
        output = StringIO()
        if code:
            with pytest.raises(CommandError) as error:
                call_command("bench", "all", "--quick", stdout=output)
            assert error.value.returncode == code
        else:
            call_command("bench", "all", "--quick", stdout=output)
        return output.getvalue()

    run.folder = tmp_path / "bench"
    # The command has imported this very dict, so its content is replaced.
    with mock.patch.dict(registry.BENCHMARKS):
        yield run


def no_redis(options):
    raise MissingRequirement("There is no Redis server <here>.")


def test_runs_every_benchmark_but_those_of_the_chat():
    in_all = [name for name, one in registry.BENCHMARKS.items() if one.in_all]
    assert in_all == ["verdict", "echo", "fanout", "page"]


def test_names_what_is_missing_and_measures_the_rest(bench_all):
    output = bench_all(layer=no_redis, speed=lambda options: REPORT)
    assert "Left out: There is no Redis server <here>." in output
    assert "<ours>  5 ms" in output
    saved = json.loads((bench_all.folder / "all.json").read_text(encoding="utf-8"))
    assert saved["machine"]["run"] == "quick"
    assert saved["layer"] == {"left_out": "There is no Redis server <here>."}
    assert saved["speed"]["rows"] == [{"what": "<ours>", "ms": 5.0}]


def test_the_report_is_one_page_without_scripts_or_other_files(bench_all):
    bench_all(layer=no_redis, speed=lambda options: REPORT)
    html = (bench_all.folder / "all.html").read_text(encoding="utf-8")
    assert "There is no Redis server &lt;here&gt;." in html
    assert "<pre>&lt;ours&gt;  5 ms</pre>" in html
    assert "prefers-color-scheme: dark" in html
    assert not any(word in html for word in ("<script", "src=", "href=", "url("))
    picture = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    ElementTree.fromstring(picture)


def test_a_quick_run_does_not_replace_the_lessons_figures(bench_all):
    bench_all(speed=lambda options: REPORT)
    assert {file.name for file in bench_all.folder.iterdir()} == {"all.json", "all.html"}


def test_a_fault_makes_the_command_fail_after_the_report(bench_all):
    red = Report({}, "1 message", fault="One message was lost.")
    bench_all(code=1, loss=lambda options: red, speed=lambda options: REPORT)
    assert "One message was lost." in (bench_all.folder / "all.html").read_text(encoding="utf-8")
    assert "speed" in json.loads((bench_all.folder / "all.json").read_text(encoding="utf-8"))


def test_a_benchmark_that_fails_does_not_stop_the_others(bench_all):
    output = bench_all(code=1, broken=lambda options: 1 / 0, speed=lambda options: REPORT)
    assert "ZeroDivisionError" in output
    assert "<ours>  5 ms" in output
    html = (bench_all.folder / "all.html").read_text(encoding="utf-8")
    assert "broken failed: ZeroDivisionError" in html


def test_ctrl_c_ends_the_command_with_130(bench_all):
    def interrupt(options):
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        bench_all(slow=interrupt)
    assert ended.value.code == 130


def test_a_table_aligns_its_columns_and_titles_each_group():
    columns = [Column("what", "<6", "", ""), Column("ms", ">8", "time", "ms", ".1f")]
    rows = [
        {"server": "one", "what": "a", "ms": 1},
        {"server": "two", "what": "b", "ms": 2.25},
        {"server": "two", "what": "c", "ms": None},
    ]
    assert text_table(columns, rows, "server").splitlines() == [
        "          time",
        "            ms",
        "",
        "one",
        "a          1.0",
        "",
        "two",
        "b          2.2",
        "c             ",
    ]
