"""A private PostgreSQL server for the tests of this folder."""

import sys

import pytest

from tests.support.programs.postgres import Postgres


@pytest.fixture(scope="session")
def postgres():
    if sys.platform == "win32":
        pytest.skip("Windows has no Unix sockets.")
    with Postgres() as server:
        yield server
