"""Closes the connections to the database that a test has left open.

The async queries of a test run in the thread of the sync handlers, where no code closes their
connection. Before each handler, Channels checks the connections of that thread. An open one would
make Channels use the database in a later test that must not use the database.
"""

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections


@pytest.fixture(autouse=True)
def close_connections():
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
