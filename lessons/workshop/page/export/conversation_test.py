"""Writes the conversation that was played on a page as a pytest module that stands alone.

The module has the code that was played, and needs the stock communicators of Channels. It sends the
events that the clients sent, and asserts the events that the consumers sent. To know these, the
export plays the steps again, in an empty database, because a test has an empty database too.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps

from lessons.workshop.course.lesson_index import ACCOUNTS, Lesson
from lessons.workshop.engine.recording.python_literal import python_literal
from lessons.workshop.engine.script.steps import Step, parse_step, tickets_in
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.study.recordings import Recording, play, playable
from lessons.workshop.page.export.module_text import ModuleText
from lessons.workshop.page.export.step_lines import StepLines
from lessons.workshop.page.export.subjects import target_subject, worked_example
from lessons.workshop.page.export.tested_code import Import
from lessons.workshop.page.export.tickets import owner_of, variable

TIMEOUT = 10  # seconds that the test waits for an event, plus the longest wait of the conversation


class NotExportable(ValueError):
    """A conversation that makes no test. The text gives the reason, and what to do."""


class ExportedTest(NamedTuple):
    """A pytest module: the name of its file, and the apps of this project that it imports."""

    name: str
    source: str
    apps: list[str]


def export_test(lesson: Lesson, steps: list[Step], target: Subject | None = None) -> ExportedTest:
    """The conversation as a test. `target` None is the worked example.

    Raises what `play` raises, and NotExportable.
    """
    steps = [*steps, *(Step("close", {"code": 1001}, client) for client in _still_open(steps))]
    try:
        subject = target_subject(lesson, steps, target) if target else worked_example(lesson, steps)
    except OSError as error:
        raise NotExportable(f"The file cannot be read: {error.strerror}.") from None
    except SyntaxError as error:
        raise NotExportable(f"The file is not Python: {error}.") from None
    setup = [*lesson.rows]
    report = play(playable(lesson, subject.played), [*setup, *map(str, subject.played_steps)])
    if cut := Recording.of(report).cut:
        raise NotExportable(
            f"{cut} That is too much for a test. Press Clear, then play a shorter conversation."
        )
    turns = report.bursts[len(setup) :]
    rows = [parse_step(row).arguments for row in setup]
    users, tickets = _arguments(subject.steps, "as"), _arguments(subject.steps, "ticket")
    if subject.sends_ticket_in_header:  # the code has issue()
        tickets |= {it["ticket"]: None for step in subject.steps for it in tickets_in(step)}
    writer = StepLines(
        subject.steps, lesson.path, subject.application_of, subject.sends_ticket_in_header
    )
    lines = [_create_row(**row) for row in rows]
    lines += [_log_in(user) for user in users]
    lines += [_issue(ticket) for ticket in tickets]
    for step, turn in zip(subject.steps, turns, strict=True):
        if lines and step.kind.begins:
            lines.append("")
        lines += writer.of(step, turn)
    name = f"test_played_{lesson.folder.name}.py"
    module = ModuleText(
        lesson=lesson,
        file_name=name,
        subject=subject,
        lines=lines,
        row_models=frozenset(_model_import(row["model"]) for row in rows),
        logs_in=bool(users),
        issues_tickets=bool(tickets),
        needs_database=bool(rows or users or tickets) or _has_query(turns),
        timeout=TIMEOUT + max(_arguments(steps, "seconds"), default=0),
    )
    return ExportedTest(name, module.text(), module.apps)


def _arguments(steps: list[Step], name: str) -> dict:
    """The different values of that argument, in order, as the keys of a dict."""
    return dict.fromkeys(step.arguments[name] for step in steps if name in step.arguments)


def _still_open(steps: list[Step]) -> Iterator[int]:
    """The numbers of the clients that have not left."""
    is_open = {}
    for step in steps:
        if step.kind.begins or step.kind.ends:
            is_open[step.client] = step.kind.begins
    return (client for client, still in is_open.items() if still)


def _has_query(turns) -> bool:
    return any(event.lane == "database" for turn in turns for _, event in turn.events)


def _create_row(model: str, fields: dict) -> str:
    values = ", ".join(f"{key}={python_literal(value)}" for key, value in fields.items())
    return f"await {model.rpartition('.')[2]}.objects.acreate({values})"


def _model_import(model: str) -> Import:
    model_class = apps.get_model(model)
    return Import(model_class.__module__, model_class.__name__)


def _log_in(user: str) -> str:
    name = owner_of(user)
    rights = "".join(f", {key}={value}" for key, value in ACCOUNTS.get(name, {}).items())
    return f"{variable('user', user)} = await log_in({python_literal(name)}{rights})"


def _issue(ticket: str) -> str:
    return f"{variable('ticket', ticket)} = await ticket_for({python_literal(owner_of(ticket))})"
