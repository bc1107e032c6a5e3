"""The logic of the page's scripts, tested with Node's own test runner. Pixels need a browser."""

import subprocess
from pathlib import Path

import pytest

from lessons.workshop.setup.external_programs import NODE
from tests.support.required_programs import find_program

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    return find_program(NODE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_scripts_pass_their_node_tests(node, file):
    run = subprocess.run(
        [node, "--test", file], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
