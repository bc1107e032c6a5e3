"""The workflow of a public CI runs what the project has, with the versions that it supports."""

import ast
import os
import re
import tomllib

import pytest
from django.conf import settings
from django.core.management import get_commands

from tests.support.ci_files import load_yaml

WORKFLOW = settings.BASE_DIR / ".github" / "workflows" / "ci.yml"
NOXFILE = settings.BASE_DIR / ".ci" / "noxfile.py"
PROJECT = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
PYTHONS = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if "Python ::" in one]


@pytest.fixture
def jobs():
    return load_yaml(WORKFLOW)["jobs"]


def steps_of(jobs):
    return [step for job in jobs.values() for step in job["steps"]]


def test_has_no_right_except_to_read():
    assert load_yaml(WORKFLOW)["permissions"] == {"contents": "read"}


def test_each_action_is_named_by_its_commit_and_leaves_no_credentials(jobs):
    used = re.findall(r"uses: (.*)", WORKFLOW.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    for step in steps_of(jobs):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_each_command_exists(jobs):
    defined = ast.parse(NOXFILE.read_text()).body
    sessions = {one.name for one in defined if isinstance(one, ast.FunctionDef)}
    run = "\n".join(step.get("run", "") for step in steps_of(jobs))
    named = set(re.findall(r"nox -f \.ci/noxfile\.py -s (\w+)", run))
    assert {"suite", "redis_service"} == named <= sessions
    assert set(re.findall(r"manage\.py (\w+)", run)) == {"test"} <= set(get_commands())
    assert jobs["everything"]["steps"][-1]["run"] == ".ci/run"
    assert os.access(settings.BASE_DIR / ".ci" / "run", os.X_OK)


def test_the_sessions_have_every_supported_python(jobs):
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    newer = ast.literal_eval(re.search(r"^NEWER = (\(.*?\))", NOXFILE.read_text(), re.M)[1])
    assert [PYTHONS[0], *newer] == PYTHONS
    assert jobs["systems"]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]


def test_the_layers_are_tested_on_each_redis_at_the_port_of_the_service(jobs):
    redis = jobs["redis"]
    images = redis["strategy"]["matrix"]["image"]
    assert images == ["redis:6.2", "redis:7", "redis:8", "valkey/valkey:8"]
    [port] = redis["services"]["redis"]["ports"]
    assert redis["steps"][-1]["env"] == {"REDIS_URL": f"redis://localhost:{port.split(':')[0]}"}
