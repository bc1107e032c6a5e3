"""Lesson 18, ThrottledBackend: every way to log in has the same limits."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import count
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, RequestFactory

from lessons.extras import throttle
from lessons.extras.throttle import PER_ADDRESS, PER_NAME, WINDOW, TooManyLogins, network_of

PATHS = {
    "ticket": "/auth/ticket/",
    "form": "/auth/login/",
    "admin": "/admin/login/?next=/admin/",
}
LIMITED = "Too many attempts to log in. Try again in 23 s."


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings):
    """An empty cache, fast hashes, and a time 37 s after the start of a window."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    clock = SimpleNamespace(now=100 * WINDOW + 37)
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=lambda: clock.now))
    yield clock
    cache.clear()


@pytest.fixture(params=PATHS)
def log_in(request, django_user_model, db):
    """`log_in(name, password)`: what the client sees, "in", "wrong" or "limited"."""
    django_user_model.objects.create_superuser("ada", password="lovelace")

    def log_in(name, password="guess", address="192.0.2.1"):
        person = {"username": name, "password": password}
        response = Client(REMOTE_ADDR=address).post(PATHS[request.param], person)
        if response.status_code == (200 if request.param == "ticket" else 302):
            return "in"
        text = response.content.decode()
        if request.param == "ticket" and LIMITED in text:
            assert (response.status_code, response["Retry-After"]) == (429, "23")
        return "limited" if LIMITED in text else "wrong"

    return log_in


@pytest.mark.parametrize("name", ["ada", "a stranger", "é ☃" * 40])
def test_limits_wrong_passwords_for_a_name_even_one_that_does_not_exist(log_in, name):
    answers = [log_in(name) for _ in range(PER_NAME + 2)]
    assert answers == ["wrong"] * PER_NAME + ["limited"] * 2


def test_refuses_even_the_right_password_until_the_window_ends(log_in, clock):
    for _ in range(PER_NAME):
        log_in("ada")
    assert log_in("ada", "lovelace") == "limited"
    clock.now += 22
    with pytest.raises(TooManyLogins, match="in 1 s"):
        authenticate(request_from("192.0.2.1"), username="ada", password="lovelace")
    clock.now += 1
    assert log_in("ada", "lovelace") == "in"


def test_a_guesser_does_not_lock_out_the_user_at_another_address(log_in):
    for _ in range(PER_NAME):
        log_in("ada")
    assert log_in("ada", "lovelace", "192.0.2.2") == "in"


def test_limits_an_address_that_tries_many_names(log_in, clock):
    answers = [log_in(f"name{number}") for number in range(PER_ADDRESS + 1)]
    assert answers == ["wrong"] * PER_ADDRESS + ["limited"]
    assert log_in("ada", "lovelace") == "limited"
    clock.now += 23
    assert log_in("ada", "lovelace") == "in"


def test_an_address_that_is_refused_puts_nothing_into_the_cache(monkeypatch):
    for number in range(PER_ADDRESS):
        throttle.count_attempt("192.0.2.1", f"name{number}")
    keys = []
    monkeypatch.setattr(cache, "add", lambda key, *args: keys.append(key))
    for number in range(3):
        with pytest.raises(TooManyLogins):
            throttle.count_attempt("192.0.2.1", f"other{number}")
    assert len(set(keys)) == 1


def test_right_passwords_do_not_count(log_in):
    assert {log_in("ada", "lovelace") for _ in range(PER_ADDRESS + 1)} == {"in"}


def test_attempts_that_are_refused_for_a_name_do_not_count_for_its_address(log_in):
    for _ in range(PER_ADDRESS + 1):
        log_in("a stranger")
    assert log_in("ada", "lovelace") == "in"


def request_from(address):
    return RequestFactory(REMOTE_ADDR=address).post("/")


def test_a_right_password_from_a_full_cache_still_logs_in(monkeypatch):
    def check(*args, **kwargs):
        cache.clear()
        return "ada"

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    assert throttle.ThrottledBackend().authenticate(request_from("192.0.2.1"), "ada") == "ada"


def test_counts_attempts_that_run_at_the_same_time(monkeypatch):
    """All attempts begin before any password was checked, and still only a few are checked."""
    release, checks = threading.Event(), count()

    def check(*args, **kwargs):
        next(checks)
        release.wait()

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    monkeypatch.setattr(throttle, "_checks", threading.BoundedSemaphore(PER_NAME))
    backend = throttle.ThrottledBackend()
    with ThreadPoolExecutor(PER_NAME + 15) as pool:
        attempts = [
            pool.submit(backend.authenticate, request_from("192.0.2.1"), "ada", "guess")
            for _ in range(PER_NAME + 15)
        ]
        try:
            refused = as_completed(attempts, timeout=60)
            errors = [next(refused).exception() for _ in range(15)]
        finally:
            release.set()  # the pool waits for all attempts, even if this test fails
    assert [type(error) for error in errors] == [TooManyLogins] * 15
    assert next(checks) == PER_NAME


def test_refuses_an_attempt_that_waits_too_long_for_other_checks(monkeypatch):
    monkeypatch.setattr(throttle, "_checks", threading.BoundedSemaphore(1))
    monkeypatch.setattr(throttle, "QUEUE_TIMEOUT", 0)
    backend = throttle.ThrottledBackend()

    def check(*args, **kwargs):
        with pytest.raises(TooManyLogins):  # this check is still running
            backend.authenticate(None, "grace", "guess")
        return "ada"

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    assert backend.authenticate(None, "ada", "lovelace") == "ada"
    assert backend.authenticate(None, "ada", "lovelace") == "ada"  # the check before has ended


def test_a_password_that_was_not_checked_does_not_count(monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("database is locked")

    backend, request = throttle.ThrottledBackend(), request_from("192.0.2.1")
    monkeypatch.setattr(throttle, "QUEUE_TIMEOUT", 0)
    monkeypatch.setattr(throttle, "_checks", threading.Semaphore(0))
    for _ in range(PER_NAME):
        with pytest.raises(TooManyLogins):
            backend.authenticate(request, "ada", "lovelace")
    monkeypatch.setattr(throttle, "_checks", threading.BoundedSemaphore(1))
    monkeypatch.setattr(ModelBackend, "authenticate", fail)
    for _ in range(PER_NAME):
        with pytest.raises(OperationalError):
            backend.authenticate(request, "ada", "lovelace")
    monkeypatch.setattr(ModelBackend, "authenticate", lambda *args, **kwargs: "ada")
    assert backend.authenticate(request, "ada", "lovelace") == "ada"


async def test_async_code_has_the_same_limit_and_does_not_stop_other_handlers(
    monkeypatch,
):
    threads, own = [], await sync_to_async(threading.current_thread)()
    check = lambda *args, **kwargs: threads.append(threading.current_thread())  # noqa: E731
    monkeypatch.setattr(ModelBackend, "authenticate", check)
    request = request_from("192.0.2.1")
    for _ in range(PER_NAME):
        assert await aauthenticate(request, username="ada", password="guess") is None
    with pytest.raises(TooManyLogins):
        await aauthenticate(request, username="ada", password="guess")
    assert not {threading.current_thread(), own} & set(threads)


@pytest.mark.parametrize("name", ["x" * 100_000, "\x00 \ud800", "", None])
def test_counts_any_name(name):
    assert len(throttle.count_attempt("192.0.2.1", name)) == 2


def test_the_log_has_the_address_and_neither_name_nor_password(caplog):
    for _ in range(PER_NAME):
        throttle.count_attempt("192.0.2.1", "ada")
    with pytest.raises(TooManyLogins):
        throttle.count_attempt("192.0.2.1", "ada")
    assert [it.getMessage() for it in caplog.records] == [
        "too many attempts to log in from 192.0.2.1"
    ]


class FailingCache:
    """The cache in Redis while Redis is unreachable."""

    def add(self, *args):
        raise ConnectionError("Redis is unreachable")


@pytest.mark.parametrize("path", PATHS.values())
def test_without_its_cache_no_password_is_checked_and_the_client_reads_when_to_return(
    path, monkeypatch, caplog, django_user_model, db
):
    django_user_model.objects.create_superuser("ada", password="lovelace")
    monkeypatch.setattr(throttle, "cache", FailingCache())
    response = Client().post(path, {"username": "ada", "password": "lovelace"})
    assert "Logins do not work now. Try again in 20 s." in response.content.decode()
    assert response.status_code == (503 if path == PATHS["ticket"] else 200)
    if path == PATHS["ticket"]:
        assert response["Retry-After"] == "20"
    lines = [it.getMessage() for it in caplog.records if it.name == throttle.__name__]
    assert lines == ["attempts to log in cannot be counted"]


def test_a_cache_that_fails_after_the_check_does_not_end_a_right_login(monkeypatch):
    def check(*args, **kwargs):
        monkeypatch.setattr(throttle, "cache", FailingCache())
        return "ada"

    monkeypatch.setattr(ModelBackend, "authenticate", check)
    assert throttle.ThrottledBackend().authenticate(request_from("192.0.2.1"), "ada") == "ada"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("", ""),
    ],
)
def test_all_addresses_of_an_ipv6_network_count_as_one(address, network):
    assert network_of(address) == network
