"""`manage.py doctor` as a process: in a clone, with settings that refuse, and before any setup."""

import json
import re

import pytest

from tests.support.modes import NAMES
from tests.support.programs import processes
from tests.support.programs.bare_project import BareProject
from tests.support.programs.project_copy import project_copy

SECRET = "a-password-that-no-report-shows"


@pytest.fixture(scope="module")
def examine():
    """`examine(REDIS_URL="...")`: the exit code and the rows in this environment."""
    with project_copy() as clone:

        def run(**variables):
            bare = {name: value for name, value in clone.environment.items() if name not in NAMES}
            words = ["manage.py", "doctor", "--json", "--port", "0"]
            done = processes.run(words, cwd=clone.folder, env=bare | variables)
            assert (done.stderr, SECRET in done.stdout) == ("", False)
            return done.returncode, {row["name"]: row for row in json.loads(done.stdout)["rows"]}

        yield run


def test_everything_that_is_required_works_in_a_clone(examine):
    code, rows = examine(PATH="/nowhere")  # so all other programs are missing
    assert code == 0
    names = "Python Environment Packages Mode Database Redis Judge work/ .workshop/ Port Proxy"
    assert [*rows][:11] == names.split()
    assert {row["state"] for row in rows.values()} <= {"ok", "optional"}
    assert rows["Node"]["state"] == "optional"
    assert rows["Judge"]["text"].startswith("Lesson 1's unsolved exercise is red, as it must be")


def test_settings_that_refuse_are_shown_without_the_password_and_the_judge_still_works(examine):
    code, rows = examine(REDIS_URL=f"//:{SECRET}@a.test")
    assert (code, rows["Settings"]["state"], rows["Judge"]["state"]) == (1, "wrong", "ok")
    assert rows["Settings"]["text"].startswith("REDIS_URL is not a Redis URL")


def test_examines_a_project_without_an_environment_and_creates_none(tmp_path):
    bare = BareProject.fresh(tmp_path / "project")
    run = bare.run("doctor", "--port", "0")
    assert (run.returncode, run.stderr) == (1, "")
    assert re.search(r"✗ Environment +There is no \.venv yet", run.stdout)
    assert "Repair this: Environment." in run.stdout
    assert not bare.venv.exists()
