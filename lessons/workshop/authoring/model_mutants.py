"""Runs the mutants of a lesson's model: models that ask for something else than the exercise does.

A model may accept too much where no conversation goes. So the solution, the mistakes and the
written submissions are played once, and each mutant of the model judges these conversations. A
mutant that finds the same first differences as the model changes what nothing asks for, unless
equivalent_mutants.toml says why not.

Only what judges is changed: the methods that the engine calls, and what they use. What a model
notes for diagnoses alone, or only to quote another sentence, is left out.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from lessons.workshop.authoring.mutant_runs import MutantRun, line_of, reasons
from lessons.workshop.authoring.submissions import InvalidTable, read_submissions
from lessons.workshop.course.diagnoses import catalogue, diagnose
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import read_python
from lessons.workshop.course.subjects import exercise, resolve
from lessons.workshop.engine.model.model import Connection, Model, ModelClient
from lessons.workshop.engine.model.model_difference import find_difference
from lessons.workshop.engine.process.child_process import start_child
from lessons.workshop.engine.process.player_handle import PLAY_TIMEOUT, forked_player
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script.report import Report
from lessons.workshop.engine.script.steps import Step, parse_step
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.claims import Claims
from lessons.workshop.judge.mutants import SHARED, Mutant, mutants_in
from lessons.workshop.judge.runner import Judging
from lessons.workshop.judge.source_texts import texts_in

MUTANT_TIMEOUT = 60.0  # seconds to judge a file with a mutant: an endless loop is noticed, too
# Methods of a model in which nothing judges a message.
_ADDED = ("frame_of", "event_of", "diagnose", "explain", "fault_in", "fault_at_end")
_SURVIVED, _NOTICED = 0, 1

# The steps, the report on them, and the burst in which the model finds a difference.
Played = list[tuple[list[Step], Report, int | None]]


def run_model_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Judge the lesson's files with each mutant of the model.

    It is caught if it judges a conversation in another way. With a mutant that has a reason, only
    the solution is judged.
    """
    source, known = read_python(lesson.check), reasons(lesson, "model")
    mutants = mutants_of_model(lesson)
    left, caught = mutants, set()
    for subject in _subjects(lesson):
        played = _played(lesson, subject) if left else []
        caught |= {it.name for it in left if _notices(lesson, it, played)}
        left = [it for it in left if it.name not in {*caught, *known}]
    for mutant in mutants:
        yield MutantRun(lesson.check, mutant, line_of(source, mutant), mutant.name in caught)


def _subjects(lesson: Lesson) -> Iterator[Subject]:
    """The solution first, because it shows most."""
    yield resolve(lesson, "solution")
    for mistake in read_mistakes(lesson):
        yield resolve(lesson, f"mistake:{mistake.name}")
    with suppress(InvalidTable):  # a copy of the course may have no tables
        for it in read_submissions(lesson):
            yield exercise(lesson, it.name, lesson.exercise, it.source)


def _notices(lesson: Lesson, mutant: Mutant, played: Played) -> bool:
    child = start_child(_judge_again, lesson, mutant.source, played)
    child.join(MUTANT_TIMEOUT)
    is_noticed = child.exitcode != _SURVIVED
    child.kill()
    child.join()
    return is_noticed


class _RecordingPool(PlayerPool):
    """Keeps what was played: the steps, and the report on them."""

    def play_all(self, take):
        self.played: list[tuple[list[Step], Report]] = []
        for request in super().play_all(take):
            if isinstance(request.answer, Report):  # and not the end of the process
                self.played.append((request.steps, request.answer))
            yield request


def _played(lesson: Lesson, subject: Subject) -> Played:
    """What is played to judge this file. Short conversations come first."""
    claims = Claims.of(lesson)
    with _RecordingPool(subject, PLAY_TIMEOUT, forked_player, diagnose) as players:
        players.first.wait_until_loaded()
        if players.first.problem:
            return []
        Judging(claims, players, texts_in(subject.text()), stops_at_red=True).play(lambda: None)
    played = sorted(players.played, key=lambda pair: len(pair[0]))
    return [(*it, _differs_at(claims.model(), *it)) for it in played]


def _judge_again(lesson: Lesson, source: str, played: Played) -> None:
    """In the child: end with the answer whether the mutant judges a conversation in another way."""
    code = _NOTICED
    try:
        model = Claims.of(lesson, source).model
        if all(_differs_at(model(), *it) == burst for *it, burst in played):
            code = _SURVIVED
    finally:  # a mutant that raises is noticed
        raise SystemExit(code)


def _differs_at(model: Model, steps: list[Step], report: Report) -> int | None:
    """The burst of the first difference, or None."""
    difference = find_difference(model, steps, report)
    return difference and difference.burst


def mutants_of_model(lesson: Lesson) -> list[Mutant]:
    source = read_python(lesson.check)
    tree, name = ast.parse(source), Claims.of(lesson).model.__name__
    _drop_quotes(tree)
    parts = _judging_parts(tree, name)
    _drop_notes(parts.values())
    names = (*catalogue(), *_lanes_named_once(tree))  # another name changes no verdict
    same = [f"becomes {name + 'x'!r}" for name in names]
    same += [SHARED, "negate self.branch()", "negate not self.branch()"]
    return [it for it in mutants_in(tree, parts) if not it.name.endswith(tuple(same))]


def _lanes_named_once(tree: ast.Module) -> Iterator[str]:
    """The names of lanes that occur nowhere else in the file."""
    texts = Counter(it.value for it in ast.walk(tree) if isinstance(it, ast.Constant))
    for keyword in (it for it in ast.walk(tree) if isinstance(it, ast.keyword)):
        if keyword.arg == "lane":
            used = (getattr(it, "value", None) for it in ast.walk(keyword.value))
            yield from (it for it in used if isinstance(it, str) and texts[it] == 1)


def _judging_parts(tree: ast.Module, model: str) -> dict[str, ast.AST]:
    """The methods that the engine calls, and what these use in turn, each by its name."""
    known: dict[str, tuple[str, ast.AST]] = {}
    for node in tree.body:
        if getattr(node, "name", "") == model:
            methods = [it for it in node.body if isinstance(it, ast.FunctionDef)]
            known |= {it.name: (f"{model}.{it.name}", it) for it in methods}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            known[node.name] = node.name, node
        elif isinstance(node, ast.Assign) and not _is_table(node):
            names = [it.id for it in ast.walk(node) if _is_name(it, ast.Store)]
            known |= dict.fromkeys(names, (names[0], node))
    reached: dict[str, ast.AST] = {}
    methods = [name for name, (title, _) in known.items() if title == f"{model}.{name}"]
    waiting = [name for name in methods if hasattr(Model, name) and name not in _ADDED]
    while waiting:
        name, node = known[waiting.pop(0)]
        if name not in reached:
            reached[name] = node
            used = (getattr(it, "id", getattr(it, "attr", "")) for it in ast.walk(node))
            waiting += [name for name in used if name in known and name not in _ADDED]
    return reached


def _is_table(node: ast.Assign) -> bool:
    """Whether it has inputs of conversations, and not numbers and words: `SIZE, END = 3, "bye"`."""
    is_unpacked = isinstance(node.targets[0], ast.Tuple)
    values = getattr(node.value, "elts", [node.value]) if is_unpacked else [node.value]
    return not all(isinstance(value, ast.Constant) for value in values)


def _is_name(node: ast.AST, context: type) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, context)


def _drop_notes(parts: Iterable[ast.AST]) -> None:
    """Drop the statements that only write to attributes which nothing reads that judges."""
    model = Model()
    known = {*dir(model), *dir(ModelClient(model, Connection(1, 0), parse_step("connect")))}
    nodes = [*{node: None for part in parts for node in ast.walk(part)}]
    readers = Counter(filter(None, map(_read_attribute, nodes)))
    for node in nodes:
        for name in _written_attributes(node):
            readers[name] -= [*map(_read_attribute, ast.walk(node))].count(name)
    for node in nodes:
        for field in ("body", "orelse"):
            if isinstance(statements := getattr(node, field, None), list):
                kept = (it for it in statements if not _is_note(it, known, readers))
                statements[:] = [*kept] or [ast.Pass()]


def _drop_quotes(tree: ast.Module) -> None:
    """Drop `promise="…"`, `promise = …`, and calls of methods that have nothing but a sentence.

    Then drop what nothing reads any more.
    """
    methods = [it for it in ast.walk(tree) if isinstance(it, ast.FunctionDef)]
    quotes = {it.name for it in methods if ast.get_docstring(it) and not it.body[1:]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [it for it in node.keywords if it.arg != "promise"]
        for field in ("body", "orelse"):
            if isinstance(statements := getattr(node, field, None), list):
                kept = [it for it in statements if _called_method(it) not in quotes]
                kept = [it for it in kept if _assigned(it).rpartition(".")[2] != "promise"]
                statements[:] = kept or [ast.Pass()]
    for method in methods:
        read = {it.id for it in ast.walk(method) if _is_name(it, ast.Load)}
        kept = [
            it for it in method.body if not _assigned(it).isidentifier() or _assigned(it) in read
        ]
        method.body[:] = kept or [ast.Pass()]


def _assigned(statement: ast.AST) -> str:
    """What the statement assigns a value to, as Python writes it; "" for another statement."""
    return ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else ""


def _called_method(statement: ast.AST) -> str | None:
    """The name of the method if the statement is `self.name(…)`."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("self"), name))):
            return name
    return None


def _is_note(statement: ast.AST, known: set[str], readers: Counter) -> bool:
    names = _written_attributes(statement)
    return bool(names) and not names & known and not any(readers[name] for name in names)


def _read_attribute(node: ast.AST) -> str | None:
    is_read = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    return node.attr if is_read else None


def _written_attributes(node: ast.AST) -> set[str]:
    """The attributes that a statement writes to, if it writes to nothing else."""
    match node:
        case ast.Assign(targets=targets):
            written = targets
        case ast.AugAssign(target=target):
            written = [target]
        case ast.Expr(ast.Call(ast.Attribute(owner))):  # client.texts.append(text)
            written = [owner]
        case _:
            return set()
    written = [it.value if isinstance(it, ast.Subscript) else it for it in written]
    is_all = all(isinstance(it, ast.Attribute) for it in written)
    return {it.attr for it in written} if is_all else set()
