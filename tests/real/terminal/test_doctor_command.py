"""`manage.py doctor` as a process: in a clone, with settings that refuse, and before any setup."""

import pytest

from tests.support.modes import NAMES
from tests.support.programs import processes
from tests.support.programs.bare_project import BareProject
from tests.support.programs.project_copy import project_copy

SECRET = "a-password-that-no-report-shows"


@pytest.fixture(scope="module")
def examine():
    """`examine(REDIS_URL="...")`: the exit code, and the states by name, in this environment."""
    with project_copy() as clone:

        def run(**variables):
            bare = {name: value for name, value in clone.environment.items() if name not in NAMES}
            words = ["manage.py", "doctor"]
            done = processes.run(words, cwd=clone.folder, env=bare | variables)
            assert (done.stderr, SECRET in done.stdout) == ("", False)
            rows = [
                line.split(maxsplit=2) for line in done.stdout.splitlines() if line[:1].islower()
            ]
            return done.returncode, {name: (state, text) for state, name, text in rows}

        yield run


def test_everything_that_is_required_works_in_a_clone(examine):
    code, rows = examine(PATH="/nowhere")
    assert code == 0
    names = "Python Environment work/ .workshop/ Database Redis Judge"
    assert [*rows] == names.split()
    assert {state for state, _ in rows.values()} <= {"ok", "optional"}


def test_settings_that_refuse_are_shown_without_the_password(examine):
    code, rows = examine(REDIS_URL=f"//:{SECRET}@a.test")
    state, text = rows["Settings"]
    assert (code, state) == (1, "wrong")
    assert text.startswith("REDIS_URL is not a Redis URL")


def test_examines_a_project_without_an_environment_and_creates_none(tmp_path):
    bare = BareProject.fresh(tmp_path / "project")
    run = bare.run("doctor")
    assert (run.returncode, run.stderr) == (1, "")
    assert "wrong     Environment  There is no .venv yet" in run.stdout
    assert "Repair what is wrong" in run.stdout
    assert not bare.venv.exists()
