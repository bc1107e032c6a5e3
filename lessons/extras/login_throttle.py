"""Limits how often a client may guess passwords, and how many are checked at once.

The setting AUTHENTICATION_BACKENDS names ThrottledBackend. So the limits hold for every login: the
login page, the admin and the ticket view call authenticate(), which calls this backend. Forms show
LoginRefused as an error. For views without a form, MIDDLEWARE names LoginRefusedMiddleware.

The cache counts the attempts. Without Redis, each process has its own cache, so N processes allow
N times as many. Guesses for one name from many addresses have no limit: it would let anyone lock
out any user.
"""

import hashlib
import logging
import math
import os
import threading
import time
from contextlib import contextmanager, suppress

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from channels.db import database_sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import JsonResponse

from lessons.extras.client_network import network_of

WINDOW = 60  # seconds
PER_NAME = 10  # wrong passwords in a window, for one name from one address
PER_ADDRESS = 30  # wrong passwords in a window from one address, which a whole class may share
QUEUE_TIMEOUT = 20  # seconds
OUTAGE_PAUSE = 20  # seconds

# To check a password, a thread computes for up to half a second. One core stays free for the
# event loop, so that other clients do not wait.
_checks = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))

logger = logging.getLogger(__name__)


class LoginRefused(ValidationError):
    """No password was checked. Django's login forms show a ValidationError as an error."""

    status = reason = None  # of the HTTP response; for the user

    def __init__(self, wait):
        self.wait = math.ceil(wait)  # seconds
        super().__init__(f"{self.reason} Try again in {self.wait} s.")


class TooManyLogins(LoginRefused):
    status, reason = 429, "Too many attempts to log in."


class CannotCountLogins(LoginRefused):
    """The cache has failed. Without a limit, this is when passwords could be guessed."""

    status, reason = 503, "Logins do not work now."


class ThrottledBackend(ModelBackend):
    """Checks names and passwords as Django does, within the limits. Raises LoginRefused."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        # Count before the check. Otherwise, attempts that run at the same time all pass.
        counters = count_attempt(request.META.get("REMOTE_ADDR", "") if request else "", username)
        is_wrong = False
        try:
            with free_core():
                user = super().authenticate(request, username, password, **kwargs)
            is_wrong = user is None
            return user
        finally:
            if not is_wrong:  # the password was right, or was not checked
                forget_attempt(counters)

    async def aauthenticate(self, request, **credentials):
        # Django's own method would bypass the limits. Not the thread of the sync handlers, because
        # they would all wait for the check.
        check = database_sync_to_async(self.authenticate, thread_sensitive=False)
        return await check(request, **credentials)


class LoginRefusedMiddleware:
    """Answers 429 or 503 for a view that does not catch LoginRefused."""

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, LoginRefused):
            return None
        headers = {"Retry-After": str(exception.wait)}
        return JsonResponse({"error": exception.message}, status=exception.status, headers=headers)


def count_attempt(address, name):
    """Count an attempt to log in, and return the keys of its counters. Raises LoginRefused.

    An attempt that is refused for its name does not count for its address. Attempts that are not
    over yet do count. A name that does not exist has a counter too, so the limit does not reveal
    which names exist.
    """
    window, elapsed = divmod(time.time(), WINDOW)
    network = network_of(address)
    # The address first: if it is refused, its attempts with random names do not fill the cache.
    limits = {_key(window, network): PER_ADDRESS, _key(window, network, name): PER_NAME}
    counters = []
    for counter, limit in limits.items():
        try:
            cache.add(counter, 0, 2 * WINDOW)
            attempts = cache.incr(counter)  # one atomic step, like delete() in tickets.py
        except Exception as error:  # redis-py's ConnectionError is not Python's
            logger.exception("attempts to log in cannot be counted")
            raise CannotCountLogins(OUTAGE_PAUSE) from error
        if attempts > limit:
            logger.warning("too many attempts to log in from %s", address)
            forget_attempt(counters)
            raise TooManyLogins(WINDOW - elapsed)
        counters.append(counter)
    return counters


def forget_attempt(counters):
    """Only wrong passwords count."""
    for counter in counters:
        with suppress(Exception):  # a full cache has deleted it, or the cache has failed
            cache.decr(counter)


@contextmanager
def free_core():
    """Within it, one core checks a password for the caller. Raises TooManyLogins."""
    if not _checks.acquire(timeout=QUEUE_TIMEOUT):
        raise TooManyLogins(QUEUE_TIMEOUT)
    try:
        yield
    finally:
        _checks.release()


def _key(window, *values):
    # A hash, because a name may be long and contain characters that are not valid in a key.
    return f"login-{window:.0f}-{hashlib.sha256(repr(values).encode()).hexdigest()}"
