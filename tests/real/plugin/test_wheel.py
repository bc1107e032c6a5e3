"""The engine's wheel in an empty environment, with a project that knows nothing of this one."""

import re

import pytest

from tests.real.plugin.conftest import run
from tests.support.programs.postgres import Postgres

RED = ["test_nothing_is_sold_twice", "test_a_lost_connection_leaves_its_group", "test_a_refund"]


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def database(request):
    """The variables of the environment that choose the project's database."""
    if request.param == "SQLite":
        yield {}
        return
    with Postgres() as server:
        yield {"POSTGRES": str(server.folder)}


@pytest.fixture(scope="module")
def output(python, database) -> str:
    """What pytest prints in the project."""
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--create-db"]
    command = [python, "-m", "pytest", *options, "checks.py"]
    return run(*command, **database).stdout


def test_plays_the_project_with_its_middleware_routing_and_models(output):
    failed = re.findall(r"FAILED checks.py::(\S+)", output)
    assert (failed, "4 passed" in output) == (RED, True), output


def test_names_the_line_of_any_module(output):
    assert re.search(r"shop/services.py:\d+, in check, on websocket.receive", output)
    assert "A channel stayed in its group after the connection had ended" in output
    assert re.search(r"shop/consumers.py:\d+, in Counter.connect", output)


def test_shortens_the_conversation_in_which_two_clients_buy_the_last_piece(output):
    steps = r"connect /ws/counter/ \?shop=corner as=ada \| 2 connect .* \| (2 )?text \S+ \| & .*"
    assert re.search(f"shortest conversation of --seed .*\n{steps}", output)
