"""Compares the docstring of an exercise with its check.py: who asks for each sentence?

A sentence is a promise. A mistake in it must be red, so something must ask for it:

- a method of the model, whose docstring quotes the sentence or a part of it, word for word; or
- claims, methods of the model, or what generated conversations consist of, such as `texts` and
  `handshakes`. The check names them in PROMISES:

    PROMISES = {
        "The text in the answer is unchanged": "texts",
        "A job may also be lost": "test_a_lost_job_holds_up_no_client",
        "`manage.py runworker weekdays` runs": "This says how to run it.",
    }

A key is a part of one sentence or of several. A value is a name, a tuple of names, or the reason
why nothing asks for the sentence: another sentence, with a full stop.
"""

import ast
import re
from collections.abc import Iterator
from inspect import isfunction

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.claims import Claims

_BLOCK_END = re.compile(r"\n\s*\n|\n(?=- )")
_CLAUSE_END = re.compile(r"[.:;?]\s*$")
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9`\"(])")


def faults_of_promises(lesson: Lesson) -> Iterator[str]:
    """The sentences for which nothing asks, and what the check quotes or names wrongly."""
    claims = Claims.of(lesson)
    promises, quotes = claims.promises, _quotes(claims)
    if not promises:
        return
    sentences = sentences_of(ast.get_docstring(ast.parse(lesson.original.read_bytes())))
    known = {claim.__name__ for claim in claims.functions} | {*dir(claims.model)}
    named = [*claims.model.promise_of.values(), *_given(lesson)]
    named = [part for text in named for part in _split(text)]
    for name, quote in (*quotes.items(), ("promise_of or promise=", named)):
        for part in quote:
            if not (quoted := _those_with(part, sentences)):
                yield f"{name} does not quote the exercise: {part}"
            elif not any(_has_whole_clauses(part, sentence) for sentence in quoted):
                yield f"{name} quotes a part of a clause: {part}"
    for part, value in promises.items():
        names = (value,) if isinstance(value, str) else value
        if not _those_with(part, sentences):
            yield f"PROMISES does not quote the exercise: {part}"
        if unknown := {name for name in names if not name.endswith(".")} - known:
            yield f"PROMISES names what check.py does not have: {', '.join(sorted(unknown))}"
    parts = [*promises, *(part for quote in quotes.values() for part in quote)]
    asked = {sentence for part in parts for sentence in _those_with(part, sentences)}
    for sentence in sentences:
        if sentence not in asked:
            yield f"nothing asks for this sentence: {sentence}"


def sentences_of(docstring: str) -> list[str]:
    """The sentences of a docstring without its title, each on one line."""
    _, *blocks = _BLOCK_END.split(docstring)
    return [sentence for block in blocks for sentence in _split(block)]


def _split(text: str) -> list[str]:
    return _SENTENCE_END.split(" ".join(text.split()).removeprefix("- "))


def _quotes(claims: Claims) -> dict[str, list[str]]:
    """The sentences in the docstring of each method of the model, by the method's name."""
    own = [kind for kind in claims.model.__mro__ if kind.__module__ == claims.model.__module__]
    methods = {name: it for kind in own[::-1] for name, it in vars(kind).items() if isfunction(it)}
    return {name: _split(it.__doc__) for name, it in methods.items() if it.__doc__}


def _given(lesson: Lesson) -> list[str]:
    """The sentences that check.py names for one message: send("…", promise="…")."""
    nodes = [*ast.walk(ast.parse(lesson.check.read_bytes()))]
    assigned = [
        (ast.unparse(it.targets[0]), it.value) for it in nodes if isinstance(it, ast.Assign)
    ]
    values = [value for name, value in assigned if name == "promise"]
    values += [it.value for it in nodes if isinstance(it, ast.keyword) and it.arg == "promise"]
    parts = [part for value in values for part in ast.walk(value)]
    parts = [dict(assigned).get(it.id) if isinstance(it, ast.Name) else it for it in parts]
    texts = [str(it.value).strip() for it in parts if isinstance(it, ast.Constant)]
    return [text for text in texts if " " in text]  # not the words of a condition


def _has_whole_clauses(part: str, sentence: str) -> bool:
    """Whether a student can read the quote without the words around it."""
    before, _, after = sentence.partition(part.removesuffix("."))
    return (not before or bool(_CLAUSE_END.search(before))) and after[:1] in ("", *".:;?")


def _those_with(part: str, sentences: list[str]) -> list[str]:
    return [sentence for sentence in sentences if part.removesuffix(".") in sentence]
