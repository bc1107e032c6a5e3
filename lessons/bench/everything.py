"""`bench all`: every benchmark of the proof, one after the other; one JSON and one page."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lessons.bench import document
from lessons.bench.registry import BENCHMARKS, Benchmark
from lessons.bench.report import Lacking, Options, Report, as_json, write


@dataclass(frozen=True)
class Part:
    """One benchmark's outcome: what it has to say, or why it was left out."""

    benchmark: Benchmark
    seconds: float
    report: Report | None = None
    lacking: str = ""

    def as_json(self) -> dict:
        if self.report is None:
            return {"left_out": self.lacking}
        beside = [vars(one) | {"ratio": round(one.ratio, 3)} for one in self.report.beside]
        return {"seconds": round(self.seconds, 1), "beside": beside, **self.report.figures}


def measure(options: Options, tell: Callable[[str, str], None]) -> tuple[list[Path], list[str]]:
    """The files that were written, and what the figures show to be wrong.

    `tell` is called with each benchmark's name and table as soon as it is done. What a lesson's
    page shows is kept from a whole run alone, not from a quick one.
    """
    machine = _machine(options)
    parts = [_part(one, options, tell) for one in BENCHMARKS.values() if one.in_all]
    figures = {part.benchmark.name: part.as_json() for part in parts}
    files = [
        write("all.json", as_json({"machine": machine, **figures})),
        write("all.html", document.page(machine, parts)),
    ]
    return files, [part.report.fault for part in parts if part.report and part.report.fault]


def _part(benchmark: Benchmark, options: Options, tell) -> Part:
    started = time.monotonic()
    try:
        report = benchmark.run(options)
    except Lacking as reason:
        tell(benchmark.name, f"Left out: {reason}")
        return Part(benchmark, 0, lacking=str(reason))
    seconds = time.monotonic() - started
    tell(benchmark.name, f"{report.table}\n{seconds:.0f} s")
    if not options.quick:
        report.keep(benchmark.name)
    return Part(benchmark, seconds, report)


def _machine(options: Options) -> dict:
    """What the figures hang on, beside the code."""
    packages = ("django", "channels", "daphne", "channels-redis", "uvicorn")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load before": round(load, 1),
        "run": "quick" if options.quick else "whole",
    }
