"""The benchmarks that there are: `bench NAME` runs one, `bench all` those that belong to the proof.

Each is a function from Options to a Report, and imports what it measures with only when it runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import StatisticsError

from lessons.bench.report import Beside, Lacking, Options, Report
from lessons.core import catalogue


@dataclass(frozen=True)
class Benchmark:
    name: str
    says: str  # what it measures, in a few words
    run: Callable[[Options], Report]
    in_all: bool


BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(says: str, in_all: bool = True):
    """Put the function into the registry, under its own name."""

    def registered(run):
        BENCHMARKS[run.__name__] = Benchmark(run.__name__, says, run, in_all)
        return run

    return registered


@benchmark("how long a student waits for a verdict")
def verdict(options: Options) -> Report:
    from lessons.bench import chart
    from lessons.bench import verdict as measured

    lesson = catalogue.find(options.lesson or "3")
    rounds = options.rounds_or(15, quick=3)
    rows = measured.table(measured.measure(lesson, rounds))
    peer, *ours = rows
    return Report(
        {"lesson": lesson.key, "rounds": rounds, "rows": rows},
        measured.text_of(rows),
        [Beside(r["what"], r["median_ms"], peer["what"], peer["median_ms"], "ms") for r in ours],
        chart.bars(
            "Time to a verdict, as a share of plain pytest's",
            [{**row, "server": f"lesson {lesson.key}"} for row in rows],
        ),
    )


@benchmark("how many echoes a second, by what handles an event")
def echo(options: Options) -> Report:
    from lessons.bench import chart, echo_table
    from lessons.bench import echo as measured

    rounds, seconds = options.rounds_or(15, quick=3), options.seconds or 0.15
    figures = measured.measure(rounds, seconds)
    try:
        rows, facts = echo_table.rows_of(figures), echo_table.facts_of(figures)
    except (ZeroDivisionError, StatisticsError):
        raise Lacking("No echo in a whole turn: this machine is too busy to measure on.") from None
    title = f"Echoes a second of {measured.MANY} clients, as a share of a bare function on Daphne"
    return Report(
        {"rounds": rounds, "seconds": seconds, "facts": facts, "rows": rows},
        echo_table.table_of(rows, facts),
        echo_table.beside(rows),
        chart.bars(title, rows),
    )


@benchmark("what one group_send to many costs, by channel layer")
def fanout(options: Options) -> Report:
    from lessons.bench import chart, fanout_table
    from lessons.bench import fanout as measured
    from lessons.core.redis_server import NoRedis

    rounds = options.rounds_or(15, quick=5)
    try:
        sizes = measured.SIZES[:-1] if options.quick else measured.SIZES
        rows = fanout_table.rows_of(measured.measure(rounds, sizes))
    except NoRedis as error:
        raise Lacking(str(error)) from None
    title = "Milliseconds from one group_send to its last delivery"
    series = fanout_table.series_of(rows)
    return Report(
        {"rounds": rounds, "rows": rows},
        fanout_table.table_of(rows),
        fanout_table.beside(rows),
        chart.lines(title, series, "WebSocket clients in the room"),
    )


@benchmark("what a lesson's page costs the server, the browser, and the socket that it watches")
def page(options: Options) -> Report:
    from lessons.bench import chart, page_table
    from lessons.bench import page as measured
    from lessons.bench.watching import NoBrowser

    rounds, seconds = options.rounds_or(15, quick=3), options.seconds or 0.15
    try:
        figures = measured.measure(rounds, seconds)
    except NoBrowser as error:
        raise Lacking(str(error)) from None
    rows, facts = page_table.rows_of(figures), page_table.facts_of(figures)
    return Report(
        {"rounds": rounds, "seconds": seconds, "facts": facts, "rows": rows},
        page_table.table_of(rows, facts),
        page_table.beside(figures),
        chart.bars("A page's own time on the server, in views of nothing", rows),
    )


@benchmark("the tests' own time, module by module")
def suite(options: Options) -> Report:
    from lessons.bench import chart, suite_table
    from lessons.bench import suite as measured

    figures = measured.measure(options.quick)
    return Report(
        suite_table.figures_of(figures),
        suite_table.table_of(figures),
        suite_table.beside(figures),
        chart.bars("Processor time, in starts of plain pytest", suite_table.bars_of(figures)),
        fault=figures.fault,
    )


@benchmark("what a server still holds when many connections have gone", in_all=False)
def soak(options: Options) -> Report:
    from lessons.bench import soak as measured

    lesson = catalogue.find(options.lesson or "push")
    connections = options.connections or 1000
    rows = measured.measure(lesson.demo, connections, options.rounds_or(3, quick=1))
    return Report(
        {"lesson": lesson.key, "connections": connections, "rows": rows},
        measured.text_of(rows),
        fault="" if measured.is_clean(rows) else "Something was left behind.",
    )


@benchmark("what a chat's members get while connections, a server and Redis are lost", in_all=False)
def chat(options: Options) -> Report:
    from lessons.bench import chat as measured
    from lessons.bench import chat_figures
    from lessons.core.redis_server import NoRedis

    members = options.connections or (30 if options.quick else 200)
    seconds = options.seconds or (15 if options.quick else 60)
    try:
        found = measured.measure(max(1, members // 20), members, seconds)
    except NoRedis as error:
        raise Lacking(str(error)) from None
    figures = {"members": members, "seconds": seconds, **found}
    wrong = chat_figures.faults(found)
    fault = f"Not as it must be: {', '.join(wrong)}." if wrong else ""
    return Report(figures, chat_figures.text_of(figures), fault=fault)
