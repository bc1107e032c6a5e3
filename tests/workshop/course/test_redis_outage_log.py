"""setup/redis_outage_log.py, as the settings use it: what the log has of an outage."""

import asyncio
import logging
import sys
import traceback
from functools import partial

import pytest
import redis.exceptions as redis_py
from django.core.handlers.exception import response_for_exception
from django.test import RequestFactory

OUTAGE = redis_py.ConnectionError("Error 111 connecting to localhost:6379. Connection refused.")
LINE = (
    "Redis does not answer: "
    "ConnectionError: Error 111 connecting to localhost:6379. Connection refused."
)


def log_as_django(error):
    response_for_exception(RequestFactory().get("/"), error)


def log_as_asyncio(error):
    with asyncio.Runner() as runner:
        runner.get_loop().call_exception_handler({"message": "never retrieved", "exception": error})


def log_as(name, error):
    logging.getLogger(name).error("failed: %s", error, exc_info=error)


WAYS = {
    "Django": log_as_django,
    "asyncio": log_as_asyncio,
    "Daphne": partial(log_as, "daphne.server"),
    "the pub/sub layer": partial(log_as, "channels_redis.pubsub"),
    "a transaction": partial(log_as, "django.db.backends.base"),
}


def raised(error, cause=None):
    try:
        raise error from cause
    except BaseException as one:
        return one


def test_every_library_reports_an_outage_in_one_line(caplog):
    for log in WAYS.values():
        log(OUTAGE)
    assert caplog.messages == [LINE] * len(WAYS)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("log", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "error",
    [
        LookupError("a bug"),
        ConnectionError("python's"),
        redis_py.ResponseError("wrong command"),
        redis_py.AuthenticationError("wrong password"),
        redis_py.MaxConnectionsError("Too many connections"),
    ],
    ids=repr,
)
def test_every_other_exception_is_logged_in_full(caplog, log, error):
    error = raised(type(error)(*error.args))
    log(error)
    log(error)
    assert caplog.text.count("".join(traceback.format_tb(error.__traceback__))) == 2
    assert len(caplog.messages) == 2


def test_an_exception_that_names_an_outage_as_its_cause_is_one_line(caplog):
    log_as("daphne.server", raised(ValueError("no room"), cause=OUTAGE))
    assert caplog.messages == [LINE]


def test_a_bug_while_an_outage_is_handled_is_logged_in_full(caplog):
    try:
        try:
            raise OUTAGE
        except redis_py.ConnectionError:
            {}["left"]
    except KeyError as bug:
        log_as("daphne.server", bug)
    assert caplog.messages == ["failed: 'left'"]
    assert "KeyError: 'left'" in caplog.text


def test_a_record_without_an_exception_is_logged(caplog):
    logging.getLogger("daphne.server").error("no %s", "exception")
    logging.getLogger("daphne.server").error("no %(kind)s", {"kind": "exception"})
    assert caplog.messages == ["no exception"] * 2


def test_needs_no_redis_py(caplog, monkeypatch):
    monkeypatch.delitem(sys.modules, "redis.exceptions")
    log_as("daphne.server", LookupError("a bug"))
    assert "LookupError: a bug" in caplog.text
