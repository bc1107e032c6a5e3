"""Lets pytest run a lesson's check.py: each check an item, performed as everywhere else."""

from pathlib import Path

import pytest

from lessons.core import catalogue
from lessons.core.exercise_copies import create_copies
from lessons.judge.check_runner import claim_of, find_checks, run_check
from lessons.judge.report import explain_finding, explain_outcome
from lessons.playback.target import UnknownTarget, resolve
from lessons.simulator.check_context import CheckContext
from lessons.simulator.finding import CheckFailed
from lessons.simulator.student_module import load_file


class PytestFailure(Exception):
    """A check is red; holds the whole text to show."""


def collect_checks(path: Path, parent) -> "CheckFile | None":
    """The collector for a lesson's check.py; None for every other file."""
    if path.name != "check.py" or path.parent.parent != catalogue.COURSE_DIR:
        return None
    return CheckFile.from_parent(parent, path=path)


class CheckFile(pytest.File):
    """A lesson's check.py. What it judges is named by `--target`."""

    def collect(self):
        self.lesson = catalogue.find(self.path.parent.name)
        create_copies()  # pytest may be the first command in a fresh clone
        try:
            self.target = resolve(self.lesson, self.config.getoption("--target") or "exercise")
        except UnknownTarget as error:
            raise self.CollectError(str(error)) from None
        for check in find_checks(load_file(self.path)):
            yield CheckItem.from_parent(self, name=check.__name__, check=check)


class CheckItem(pytest.Item):
    """One check, performed in this process: there is no limit here but pytest's own."""

    def __init__(self, check, **kwargs):
        super().__init__(**kwargs)
        self.check = check

    def runtest(self):
        try:
            subject = self.parent.target.load()
        except CheckFailed as red:
            raise PytestFailure(explain_finding(red.finding)) from None
        outcome = run_check(self.check, CheckContext(self.parent.lesson, subject))
        if outcome.state == "red":
            raise PytestFailure(explain_outcome(outcome))

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(PytestFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.check.__code__.co_firstlineno - 1, claim_of(self.check)
