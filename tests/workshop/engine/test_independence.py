"""The engine plays any project: it knows no lesson, no app and no settings of this one."""

import ast
from pathlib import Path

import pytest

from lessons.workshop import engine

FOLDER = Path(engine.__file__).parent
PROJECT = {"lessons", "sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo"}


def texts_in(tree):
    """The texts of the code, without its docstrings."""
    nodes = [*ast.walk(tree)]
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docs]
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.name)
def test_no_text_in_the_engine_names_a_module_of_this_project(file):
    texts = texts_in(ast.parse(file.read_text(encoding="utf-8")))
    assert [text for text in texts if text.partition(".")[0] in PROJECT] == []
