"""Fixtures for tests of the room's server."""

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings

from lessons.workshop.room import state


@pytest.fixture(scope="package", autouse=True)
def room_app(django_db_setup, django_db_blocker):
    """Install the app, which other modes do not have, and create its tables."""
    apps = [*django_settings.INSTALLED_APPS, "lessons.workshop.room"]
    with override_settings(INSTALLED_APPS=apps):
        with django_db_blocker.unblock():
            call_command("migrate", verbosity=0, run_syncdb=True)
        yield


@pytest.fixture(autouse=True)
def room_mode(settings):
    """Serve the URLs of the mode room, as its middleware does. Nothing is left of another test."""
    settings.ROOT_URLCONF = "lessons.workshop.room.urls"
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "not_found" not in one]
    # A test logs in often, and the hash of a real password is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()  # it counts logins that failed
    state.connections.clear()
