"""`bench all`: every benchmark of the proof, one after the other; one JSON and one page."""

import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lessons.bench import document
from lessons.bench.registry import BENCHMARKS, Benchmark
from lessons.bench.report import Lacking, Options, Report, as_json, write


@dataclass(frozen=True)
class Part:
    """One benchmark's outcome: what it has to say, or why it says nothing."""

    benchmark: Benchmark
    seconds: float
    report: Report | None = None
    lacking: str = ""
    broken: str = ""

    @property
    def fault(self) -> str:
        return self.broken or (self.report.fault if self.report else "")

    def as_json(self) -> dict:
        if self.report is None:
            return {"broken": self.broken} if self.broken else {"left_out": self.lacking}
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
    return files, [part.fault for part in parts if part.fault]


def _part(benchmark: Benchmark, options: Options, tell) -> Part:
    started = time.monotonic()
    try:
        report = benchmark.run(options)
    except Lacking as reason:
        tell(benchmark.name, f"Left out: {reason}")
        return Part(benchmark, 0, lacking=str(reason))
    except Exception as error:  # the others' figures are not to be lost with it
        tell(benchmark.name, traceback.format_exc())
        return Part(benchmark, 0, broken=f"{benchmark.name} broke: {error!r}")
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
