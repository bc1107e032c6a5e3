"""`bench all`: runs one benchmark after the other, and writes one JSON file and one page."""

import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from django.template import Context, Engine

from lessons.workshop.measure import chart
from lessons.workshop.measure.registry import BENCHMARKS, Benchmark
from lessons.workshop.measure.report import MissingRequirement, Options, Report, as_json, write

PAGE = Path(__file__).with_name("report.html")
PACKAGES = ("django", "channels", "daphne", "channels-redis", "uvicorn")


@dataclass(frozen=True)
class Part:
    """The outcome of one benchmark: its report, or the reason why it has none."""

    benchmark: Benchmark
    seconds: float
    report: Report | None = None
    missing: str = ""
    error: str = ""

    @property
    def fault(self) -> str:
        return self.error or (self.report.fault if self.report else "")

    def as_json(self) -> dict:
        if self.report is None:
            return {"broken": self.error} if self.error else {"left_out": self.missing}
        return {"seconds": round(self.seconds, 1), **self.report.figures}


def run_all(
    options: Options, on_result: Callable[[str, str], None]
) -> tuple[list[Path], list[str]]:
    """The files that were written, and what the figures show to be wrong.

    `on_result` receives the name and the table of each benchmark as soon as it is done. Only a
    run without options saves what the lessons' pages show.
    """
    machine = _machine(options)
    parts = [_run(one, options, on_result) for one in BENCHMARKS.values()]
    figures = {part.benchmark.name: part.as_json() for part in parts}
    page = Engine().from_string(PAGE.read_text(encoding="utf-8"))
    context = Context({"style": chart.STYLE, "machine": machine, "parts": parts})
    files = [
        write("all.json", as_json({"machine": machine, **figures})),
        write("all.html", page.render(context)),
    ]
    return files, [part.fault for part in parts if part.fault]


def _run(benchmark: Benchmark, options: Options, on_result) -> Part:
    started = time.monotonic()
    try:
        report = benchmark.run(options)
    except MissingRequirement as reason:
        on_result(benchmark.name, f"Left out: {reason}")
        return Part(benchmark, 0, missing=str(reason))
    except Exception as error:  # the figures of the other benchmarks must not be lost
        on_result(benchmark.name, traceback.format_exc())
        return Part(benchmark, 0, error=f"{benchmark.name} failed: {error!r}")
    seconds = time.monotonic() - started
    on_result(benchmark.name, f"{report.table}\n{seconds:.0f} s")
    if options.is_whole:
        report.save(benchmark.name)
    return Part(benchmark, seconds, report)


def _machine(options: Options) -> dict:
    """What the figures depend on, besides the code."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load before": round(load, 1),
        "run": "quick" if options.quick else "whole" if options.is_whole else "changed",
    }
