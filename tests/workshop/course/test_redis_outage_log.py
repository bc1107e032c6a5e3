"""setup/redis_outage_log.py, as the settings use it: what the log has of an outage."""

import asyncio
import logging
import sys
import traceback
from functools import partial
from types import SimpleNamespace

import pytest
import redis.exceptions as redis_py
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.test import RequestFactory
from django.utils.log import configure_logging

from lessons.workshop.setup import redis_outage_log
from lessons.workshop.setup.redis_outage_log import RedisOutageFilter, redis_outage_filter

OUTAGE = redis_py.ConnectionError("Error 111 connecting to localhost:6379. Connection refused.")
LINE = (
    "Redis does not answer: "
    "ConnectionError: Error 111 connecting to localhost:6379. Connection refused."
)


@pytest.fixture
def clock(monkeypatch):
    """The time of the filter of the settings, which has logged nothing yet."""
    for name, value in vars(RedisOutageFilter()).items():
        monkeypatch.setattr(redis_outage_filter(), name, value)
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(redis_outage_log, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


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


def test_every_library_reports_an_outage_in_one_line(clock, caplog):
    for log in WAYS.values():
        log(OUTAGE)
    assert caplog.messages == [LINE]
    assert LINE in caplog.text
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
def test_every_other_exception_is_logged_in_full(clock, caplog, log, error):
    log_as("daphne.server", OUTAGE)
    caplog.clear()
    error = raised(type(error)(*error.args))
    log(error)
    log(error)
    assert caplog.text.count("".join(traceback.format_tb(error.__traceback__))) == 2
    assert len(caplog.messages) == 2


def test_an_exception_that_names_an_outage_as_its_cause_is_counted(clock, caplog):
    log_as("daphne.server", OUTAGE)
    log_as("daphne.server", raised(ValueError("no room"), cause=redis_py.TimeoutError("slow")))
    assert caplog.messages == [LINE]


def test_a_bug_while_an_outage_is_handled_is_logged_in_full(clock, caplog):
    log_as("daphne.server", OUTAGE)
    try:
        try:
            raise OUTAGE
        except redis_py.ConnectionError:
            {}["left"]
    except KeyError as bug:
        log_as("daphne.server", bug)
    assert caplog.messages == [LINE, "failed: 'left'"]
    assert "KeyError: 'left'" in caplog.text


def test_a_record_without_an_exception_is_logged(clock, caplog):
    log_as("daphne.server", OUTAGE)
    logging.getLogger("daphne.server").error("no %s", "exception")
    logging.getLogger("daphne.server").error("no %(kind)s", {"kind": "exception"})
    assert caplog.messages[1:] == ["no exception"] * 2


def test_each_minute_of_an_outage_has_one_line_with_the_number_of_errors(clock, caplog):
    for clock.seconds in (0, 1, 30, 59.9, 60, 61, 120, 300):
        log_as("daphne.server", OUTAGE)
    counted = [
        LINE.replace("answer", f"answer ({count} more errors since the last such line)")
        for count in (3, 1)
    ]
    assert caplog.messages == [LINE, *counted, LINE]


def test_an_outage_may_be_logged_while_another_one_is_logged(clock, caplog, monkeypatch):
    """As when the garbage collector deletes a task with an exception."""

    others = [OUTAGE]

    def monotonic():
        if others:
            log_as("asyncio", others.pop())
        return 0.0

    monkeypatch.setattr(redis_outage_log, "time", SimpleNamespace(monotonic=monotonic))
    log_as("daphne.server", OUTAGE)
    assert caplog.messages == [LINE]


def test_a_process_has_one_filter_when_django_configures_logging_again():
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    assert logging.getLogger("daphne.server").filters == [redis_outage_filter()]


def test_needs_no_redis_py(clock, caplog, monkeypatch):
    monkeypatch.delitem(sys.modules, "redis.exceptions")
    log_as("daphne.server", LookupError("a bug"))
    assert "LookupError: a bug" in caplog.text
