"""Runs a file of tests, and prints a line of JSON for each test function.

    python -m lessons.workshop.terminal.proof_lines FILE

pytest's own output has dots and file names. An instructor shows claims to a class.
"""

import json
import sys
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ProofLine:
    """A test function, with all its parameters. `state` is green, red or "not run"."""

    claim: str
    state: str
    reason: str = ""


class ProofLines:
    """A pytest plugin that collects the outcome of each test function, in the file's order."""

    def __init__(self):
        self.lines: dict[str, ProofLine] = {}
        self._docstrings: dict[str, str] = {}

    def pytest_configure(self, config):
        config.option.verbose = 0  # pytest-django reads this option of the plugin that is off

    def pytest_collection_modifyitems(self, items):
        self._docstrings = {item.originalname: item.function.__doc__ or "" for item in items}

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.passed:
            return
        name = report.nodeid.rpartition("::")[2].partition("[")[0]
        before = self.lines.get(name)
        if before is not None and before.state == "red":
            return
        state = "red" if report.failed else "not run" if report.skipped else "green"
        claim = " ".join(self._docstrings.get(name, "").split()) or _as_claim(name)
        self.lines[name] = ProofLine(claim, state, report.longreprtext)

    def pytest_collectreport(self, report):
        if report.failed:
            self.lines[report.nodeid] = ProofLine(report.nodeid, "red", report.longreprtext)


def _as_claim(name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ").replace("asgi py", "asgi.py")
    return words[:1].upper() + words[1:]


def read_lines(text: str) -> list[ProofLine]:
    """The lines that main() has printed."""
    return [ProofLine(**json.loads(line)) for line in text.splitlines()]


def main() -> None:
    import pytest

    proofs = ProofLines()
    options = ["-p", "no:terminal", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    pytest.main([*options, sys.argv[1]], plugins=[proofs])
    for line in proofs.lines.values():
        print(json.dumps(asdict(line)))


if __name__ == "__main__":
    main()
