"""Records the queries that are made for a connection."""

from django.db import connections
from django.db.backends.signals import connection_created

from lessons.wire.recorder import current_connection


def record_queries() -> None:
    """From now on, in every thread, record each query made for a recorded connection."""
    connection_created.connect(_watch, dispatch_uid="lessons.wire")
    for connection in connections.all(initialized_only=True):
        _watch(connection=connection)


def _watch(connection, **kwargs) -> None:
    if _record not in connection.execute_wrappers:
        connection.execute_wrappers.append(_record)


def _record(execute, sql, params, many, context):
    """An execute wrapper. Parameters are left out: they may hold a session key or a password."""
    connection = current_connection.get()
    if connection is not None:
        connection.record("database", "out", {"type": "query", "sql": sql})
    return execute(sql, params, many, context)
