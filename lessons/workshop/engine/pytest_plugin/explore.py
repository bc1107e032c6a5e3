"""Plays a test once for each conversation, with new fixtures each time, and shortens a red one."""

import copy

import pytest
from _pytest.runner import runtestprotocol

from .choices import Decisions, shortest
from .project_state import ProjectState

DECISIONS = pytest.StashKey()  # how the conversation of a test goes
WORLD = pytest.StashKey()  # the world of the last conversation
SEED = pytest.StashKey()  # the seed of the conversation that failed first


def explore(item, nextitem, conversations: int, seed: int | None) -> bool:
    """Play the conversations 0, 1, … or only that of `seed`. Reports one test, as pytest does."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = _Exploration(item, nextitem).run(range(conversations) if seed is None else [seed])
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


class _Exploration:
    def __init__(self, item, nextitem):
        self._item, self._next = item, nextitem
        # For pytest the same test comes next, so fixtures of the module and the session stay.
        self._sibling = copy.copy(item)
        self._state = ProjectState()

    def run(self, seeds) -> list:
        for seed in seeds:
            reports = self._play(Decisions(seed), self._next if seed == seeds[-1] else None)
            if not all(report.passed for report in reports):
                return self._shortened(seed, reports)
        return reports

    def _play(self, decisions: Decisions, nextitem=None) -> list:
        self._state.restore()
        self._item.stash[DECISIONS] = decisions
        return runtestprotocol(self._item, nextitem=nextitem or self._sibling, log=False)

    def _shortened(self, seed: int, reports: list) -> list:
        if not _kind_of(reports):  # a fixture failed, or it was skipped
            return self._play(Decisions(seed), self._next)
        self._item.stash[SEED] = seed
        wanted, found = _kind_of(reports), Decisions(seed)
        best = shortest(
            *(found, self._item.stash[WORLD].choices.taken),
            lambda decisions: _kind_of(self._play(decisions)) == wanted,
        )
        again = self._play(best, self._next)
        if _kind_of(again) == wanted:
            return again
        for report in reports:
            if report.failed:
                report.sections.append(("played again", _NOT_AGAIN))
        return reports


_NOT_AGAIN = (
    "The same conversation was green when it was played again. Something outlives a test: a file, "
    "an object of a library, a value that is kept deep in a module. Reset it in a fixture."
)


def kind_of(raised: pytest.ExceptionInfo) -> tuple:
    """What a shorter conversation must show, too: the same fault, or the same line of the test."""
    if finding := getattr(raised.value, "finding", None):
        return finding.diagnosis, finding.file, finding.line
    last = raised.traceback[-1]
    return raised.typename, str(last.path), last.lineno


def _kind_of(reports) -> tuple | None:
    return next((it.kind for it in reports if hasattr(it, "kind")), None)
