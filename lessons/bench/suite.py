"""`bench suite`: the tests' own time and processor time, beside the start of plain pytest."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lessons.bench.timing import processor_seconds
from lessons.core.catalogue import PROJECT_DIR

STARTS = 5  # of plain pytest, for a median
SAMPLE = ("tests/sync_demo/test_02_frames.py", "tests/sync_demo/test_trials_01.py")  # --quick


@dataclass
class Figures:
    """Seconds of the whole run, of each module, and of plain pytest with one empty test."""

    seconds: float
    processor: float
    said: str  # pytest's last line
    start_seconds: float
    start_processor: float
    modules: dict[str, Counter] = field(default_factory=dict)
    fault: str = ""


def measure(quick: bool) -> Figures:
    """Run the suite, or with `quick` a sample of it, as `manage.py test` does."""
    started = [_start() for _ in range(STARTS)]
    with tempfile.TemporaryDirectory() as folder:
        some = [*SAMPLE, "-n", "0"] if quick else []
        timing = ["-p", "lessons.bench.timing", "--times", folder]
        seconds, processor, run = _timed(PROJECT_DIR, {}, *timing, *some)
        said = (run.stdout.strip().splitlines() or ["pytest said nothing"])[-1].strip("= ")
        return Figures(
            seconds,
            processor,
            said,
            median(one[0] for one in started),
            median(one[1] for one in started),
            _modules(Path(folder)),
            "" if run.returncode == 0 else f"The suite is red: {said}",
        )


def _start() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_empty.py").write_text("def test_empty():\n    pass\n", "utf-8")
        return _timed(folder, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})[:2]


def _timed(folder, environment: dict, *arguments: str):
    """Wall-clock and processor seconds of a pytest there, and the process, which has ended."""
    started, used = time.perf_counter(), processor_seconds()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return time.perf_counter() - started, processor_seconds() - used, run


def _modules(folder: Path) -> dict[str, Counter]:
    modules = defaultdict(Counter)
    for file in folder.glob("*.json"):  # a file of each of xdist's processes
        for name, times in json.loads(file.read_text(encoding="utf-8")).items():
            modules[name].update(times)
    return dict(modules)
