"""Lets pytest run a lesson's check.py: each check an item, performed as everywhere else."""

from pathlib import Path

import pytest

from lessons import catalogue
from lessons.checking.finding import Red
from lessons.checking.fixtures import Bench
from lessons.checking.performing import checks_in, claim_of, perform
from lessons.checking.report import explain_finding, explain_outcome
from lessons.checking.target import UnknownTarget, load_file, resolve


class CheckFailed(Exception):
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
        try:
            self.target = resolve(self.lesson, self.config.getoption("--target") or "exercise")
        except UnknownTarget as error:
            raise self.CollectError(str(error)) from None
        for check in checks_in(load_file(self.path)):
            yield CheckItem.from_parent(self, name=check.__name__, check=check)


class CheckItem(pytest.Item):
    """One check, performed in this process: there is no limit here but pytest's own."""

    def __init__(self, check, **kwargs):
        super().__init__(**kwargs)
        self.check = check

    def runtest(self):
        try:
            subject = self.parent.target.load()
        except Red as red:
            raise CheckFailed(explain_finding(red.finding)) from None
        outcome = perform(self.check, Bench(self.parent.lesson, subject))
        if outcome.state == "red":
            raise CheckFailed(explain_outcome(outcome))

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.check.__code__.co_firstlineno - 1, claim_of(self.check)
