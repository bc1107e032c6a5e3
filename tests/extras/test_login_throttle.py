"""ThrottledBackend: every way to log in has the same limits."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, RequestFactory

from lessons.extras import login_throttle
from lessons.extras.client_network import network_of
from lessons.extras.login_throttle import (
    PER_ADDRESS,
    PER_NAME,
    WINDOW,
    CannotCountLogins,
    TooManyLogins,
)

HOME = "192.0.2.1"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """An empty cache, and a time 37 s after the start of a window."""
    cache.clear()
    clock = SimpleNamespace(now=100 * WINDOW + 37)
    monkeypatch.setattr(login_throttle, "time", SimpleNamespace(time=lambda: clock.now))
    yield clock
    cache.clear()


@pytest.fixture(autouse=True)
def checks(monkeypatch):
    """The passwords that Django has checked. Only "right" is right."""
    passwords = []

    def check(self, request, username=None, password=None):
        passwords.append(password)
        return username if password == "right" else None

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    return passwords


def log_in(name, password="guess", address=HOME):
    """The user, None for a wrong password. Raises TooManyLogins."""
    request = RequestFactory(REMOTE_ADDR=address).post("/")
    return login_throttle.ThrottledBackend().authenticate(request, name, password)


def guess(number, name="ada"):
    for _ in range(number):
        assert log_in(name) is None


# Limits


@pytest.mark.parametrize("name", ["ada", "x" * 100_000, "\x00 \ud800", "", None])
def test_refuses_the_eleventh_wrong_password_for_any_name(name, checks):
    guess(PER_NAME, name)
    for password in ("guess", "right"):
        with pytest.raises(TooManyLogins):
            log_in(name, password)
    assert len(checks) == PER_NAME


def test_refuses_the_right_password_until_the_window_ends(clock):
    guess(PER_NAME)
    clock.now += 22
    with pytest.raises(TooManyLogins, match="in 1 s"):
        log_in("ada", "right")
    clock.now += 1
    assert log_in("ada", "right") == "ada"


def test_a_guesser_does_not_lock_out_the_user_at_another_address():
    guess(PER_NAME)
    assert log_in("ada", "right", "192.0.2.2") == "ada"


def test_an_address_that_tries_many_names_is_refused_and_fills_no_cache(monkeypatch):
    for number in range(PER_ADDRESS):
        guess(1, f"name{number}")
    keys = set()
    monkeypatch.setattr(cache, "add", lambda key, *args: keys.add(key))
    for name in ("ada", "bob", "cid"):
        with pytest.raises(TooManyLogins):
            log_in(name, "right")
    assert len(keys) == 1


def test_right_passwords_do_not_count():
    assert {log_in("ada", "right") for _ in range(PER_ADDRESS + 1)} == {"ada"}


def test_attempts_that_are_refused_for_a_name_do_not_count_for_its_address():
    guess(PER_NAME, "a stranger")
    for _ in range(PER_ADDRESS):
        with pytest.raises(TooManyLogins):
            log_in("a stranger")
    assert log_in("ada", "right") == "ada"


def test_a_password_whose_check_fails_does_not_count(monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("database is locked")

    with monkeypatch.context() as outage:
        outage.setattr(ModelBackend, "authenticate", fail)
        for _ in range(PER_NAME):
            with pytest.raises(OperationalError):
                log_in("ada")
    assert log_in("ada", "right") == "ada"


def test_counts_attempts_that_run_at_the_same_time(monkeypatch):
    """All attempts begin before any password was checked, and still only a few are checked."""
    release, checks = threading.Event(), []

    def check(*args, **kwargs):
        checks.append(args)
        release.wait()

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    monkeypatch.setattr(login_throttle, "_checks", threading.BoundedSemaphore(PER_NAME))
    with ThreadPoolExecutor(PER_NAME + 15) as pool:
        attempts = [pool.submit(log_in, "ada") for _ in range(PER_NAME + 15)]
        try:
            refused = as_completed(attempts, timeout=60)
            errors = [next(refused).exception() for _ in range(15)]
        finally:
            release.set()  # the pool waits for all attempts, even if this test fails
    assert [type(error) for error in errors] == [TooManyLogins] * 15
    assert len(checks) == PER_NAME


def test_refuses_an_attempt_that_waits_too_long_for_other_checks(monkeypatch):
    monkeypatch.setattr(login_throttle, "_checks", threading.BoundedSemaphore(1))
    monkeypatch.setattr(login_throttle, "QUEUE_TIMEOUT", 0)
    with login_throttle.free_core(), pytest.raises(TooManyLogins):
        log_in("ada", "right")
    assert log_in("ada", "right") == "ada"


async def test_async_code_has_the_same_limit_and_does_not_stop_other_handlers(monkeypatch):
    threads, own = [], await sync_to_async(threading.current_thread)()
    check = lambda *args, **kwargs: threads.append(threading.current_thread())  # noqa: E731
    monkeypatch.setattr(ModelBackend, "authenticate", check)
    request = RequestFactory(REMOTE_ADDR=HOME).post("/")
    for _ in range(PER_NAME):
        assert await aauthenticate(request, username="ada", password="guess") is None
    with pytest.raises(TooManyLogins):
        await aauthenticate(request, username="ada", password="guess")
    assert not {threading.current_thread(), own} & set(threads)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("", ""),
    ],
)
def test_all_addresses_of_an_ipv6_network_count_as_one(address, network):
    assert network_of(address) == network


# What a client sees, and the log


@pytest.mark.parametrize("path", ["/auth/ticket/", "/auth/login/", "/admin/login/?next=/admin/"])
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (TooManyLogins(22.5), 429, "Too many attempts to log in. Try again in 23 s."),
        (CannotCountLogins(20), 503, "Logins do not work now. Try again in 20 s."),
    ],
)
@pytest.mark.django_db
def test_the_client_reads_when_to_return(path, error, status, text, monkeypatch):
    def refuse(address, name):
        raise error

    monkeypatch.setattr(login_throttle, "count_attempt", refuse)
    response = Client().post(path, {"username": "ada", "password": "right"})
    assert text in response.content.decode()
    if path == "/auth/ticket/":
        assert (response.status_code, response["Retry-After"]) == (status, str(error.wait))


class FailingCache:
    """The cache in Redis while Redis is unreachable."""

    def add(self, *args):
        raise ConnectionError("Redis is unreachable")


def test_without_its_cache_no_password_is_checked(monkeypatch, caplog, checks):
    monkeypatch.setattr(login_throttle, "cache", FailingCache())
    with pytest.raises(CannotCountLogins):
        authenticate(RequestFactory().post("/"), username="ada", password="right")
    assert checks == []
    assert caplog.messages == ["attempts to log in cannot be counted"]


def test_a_cache_that_fails_after_the_check_does_not_end_a_right_login(monkeypatch):
    def check(*args, **kwargs):
        monkeypatch.setattr(login_throttle, "cache", FailingCache())
        return "ada"

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    assert log_in("ada") == "ada"


def test_the_log_has_the_address_and_neither_name_nor_password(caplog):
    guess(PER_NAME)
    with pytest.raises(TooManyLogins):
        log_in("ada")
    assert caplog.messages == ["too many attempts to log in from 192.0.2.1"]
