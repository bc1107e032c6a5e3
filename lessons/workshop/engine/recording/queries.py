"""Records the database queries of a connection."""

from django.db import connections
from django.db.backends.signals import connection_created

from .recorder import current_connection


def record_queries() -> None:
    """From now on, in every thread, record each query of a recorded connection."""
    connection_created.connect(_wrap_queries, dispatch_uid=__name__)
    for connection in connections.all(initialized_only=True):
        _wrap_queries(connection=connection)


def _wrap_queries(connection, **kwargs) -> None:
    if _record_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(_record_query)


def _record_query(execute, sql, params, many, context):
    """An execute wrapper. It leaves the parameters out: they may hold a session key or password."""
    connection = current_connection.get()
    if connection is not None:
        connection.record("database", "out", {"type": "query", "sql": sql})
    return execute(sql, params, many, context)
