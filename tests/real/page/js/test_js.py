"""The logic of the page's scripts, tested with Node's own test runner. Pixels need a browser."""

import subprocess
from pathlib import Path

from tests.support.required_programs import NODE, find_program


def test_scripts_pass_their_node_tests():
    files = sorted(Path(__file__).parent.glob("*.test.mjs"))
    assert len(files) > 6
    run = subprocess.run(
        [find_program(NODE), "--test", *files], capture_output=True, encoding="utf-8", timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
