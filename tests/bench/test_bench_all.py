"""`bench all`: one report of every benchmark, what is lacking said, each figure beside its peer."""

import json
from io import StringIO
from types import SimpleNamespace
from unittest import mock
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.bench import chart, registry, suite, suite_table, timing
from lessons.bench.report import Beside, Lacking, Report

FAST = Report(
    {"rows": [{"what": "<ours>", "ms": 5.0}]},
    "<ours>  5 ms",
    [Beside("<ours>", 5.0, "theirs", 20.0, "ms")],
    chart.bars("Speed", [{"server": "here", "what": "ours", "ratio": 0.25}]),
)


@pytest.fixture
def bench(settings, tmp_path):
    """`bench(name=run, ...)`: what `bench all` prints when these are all the benchmarks."""
    settings.STATE_DIR = tmp_path

    def run(code=0, **benchmarks):
        registry.BENCHMARKS.clear()
        for name, function in benchmarks.items():
            function.__name__ = name
            registry.benchmark(f"what {name} measures")(function)
        said = StringIO()
        if code:
            with pytest.raises(CommandError) as error:
                call_command("bench", "all", "--quick", stdout=said)
            assert error.value.returncode == code
        else:
            call_command("bench", "all", "--quick", stdout=said)
        return said.getvalue()

    run.folder = tmp_path / "bench"
    # In its place, since whoever is imported meanwhile keeps the very same dict.
    with mock.patch.dict(registry.BENCHMARKS):
        yield run


def no_redis(options):
    raise Lacking("There is no Redis server <here>.")


def test_the_parts_of_the_proof_are_all_there():
    together = [name for name, one in registry.BENCHMARKS.items() if one.in_all]
    assert {"verdict", "echo", "fanout", "suite"} <= set(together)


def test_what_is_lacking_is_said_and_the_rest_is_measured(bench):
    said = bench(layer=no_redis, speed=lambda options: FAST)
    assert "Left out: There is no Redis server <here>." in said
    assert "<ours>  5 ms" in said
    kept = json.loads((bench.folder / "all.json").read_text(encoding="utf-8"))
    assert kept["machine"]["run"] == "quick"
    assert kept["layer"] == {"left_out": "There is no Redis server <here>."}
    assert kept["speed"]["beside"] == [
        {"what": "<ours>", "value": 5.0, "peer": "theirs", "peer_value": 20.0, "unit": "ms",
         "ratio": 0.25},
    ]  # fmt: skip


def test_the_report_is_one_page_without_script_or_other_file(bench):
    bench(layer=no_redis, speed=lambda options: FAST)
    html = (bench.folder / "all.html").read_text(encoding="utf-8")
    assert "There is no Redis server &lt;here&gt;." in html
    assert "<td>&lt;ours&gt;</td>" in html
    assert '<td class="number">0.25</td>' in html
    assert "prefers-color-scheme: dark" in html
    assert not any(word in html for word in ("<script", "src=", "href=", "url("))
    picture = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    ElementTree.fromstring(picture)


def test_a_quick_run_leaves_the_lessons_figures_alone(bench):
    bench(speed=lambda options: FAST)
    assert {file.name for file in bench.folder.iterdir()} == {"all.json", "all.html"}


def test_a_fault_makes_the_command_fail_after_the_report(bench):
    red = Report({}, "1 failed", fault="The suite is red: 1 failed")
    bench(code=1, suite=lambda options: red, speed=lambda options: FAST)
    assert "The suite is red: 1 failed" in (bench.folder / "all.html").read_text(encoding="utf-8")
    assert "speed" in json.loads((bench.folder / "all.json").read_text(encoding="utf-8"))


def test_a_part_that_breaks_takes_no_other_with_it(bench):
    said = bench(code=1, broken=lambda options: 1 / 0, speed=lambda options: FAST)
    assert "ZeroDivisionError" in said
    assert "<ours>  5 ms" in said
    assert "broken broke: ZeroDivisionError" in (bench.folder / "all.html").read_text("utf-8")


def test_each_process_of_a_run_writes_the_times_of_its_modules(tmp_path):
    process = timing._Times(tmp_path)
    for test in ("tests/a.py::test_one", "tests/b.py::test_two", "tests/a.py::test_three[::]"):
        around = process.pytest_runtest_protocol(SimpleNamespace(nodeid=test))
        next(around)
        with pytest.raises(StopIteration):
            next(around)
    process.pytest_sessionfinish()
    (tmp_path / "0.json").write_text('{"tests/b.py": {"tests": 2, "seconds": 7, "processor": 1}}')
    modules = suite._modules(tmp_path)
    assert {name: times["tests"] for name, times in modules.items()} == {
        "tests/a.py": 2,
        "tests/b.py": 3,
    }
    assert modules["tests/b.py"]["seconds"] > 7


def test_the_module_that_takes_most_of_the_processor_comes_first():
    quick = {"tests": 2, "seconds": 9.0, "processor": 1.0}
    slow = {"tests": 1, "seconds": 3.0, "processor": 2.0}
    figures = suite.Figures(10, 4, "3 passed", 1, 0.5, {"tests/a.py": quick, "tests/b.py": slow})
    rows = suite_table.rows_of(figures)
    assert [(row["module"], row["ratio"]) for row in rows] == [("tests/b.py", 4), ("tests/a.py", 2)]
    assert suite_table.beside(figures)[0].ratio == 10
    assert suite_table.table_of(figures).endswith("3 passed")
