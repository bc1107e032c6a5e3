"""Fixtures for tests of the room's server."""

import pytest
from django.core.cache import cache

from lessons.workshop.course.lesson_index import lessons


@pytest.fixture(autouse=True)
def no_counted_guesses():
    """The cache counts wrong codes, for all tests of this process."""
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A test logs in often, and the hash of a real password is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def room_pages(settings):
    """Serve the URLs of the mode room, as its middleware does."""
    settings.ROOT_URLCONF = "lessons.workshop.room.urls"
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "not_found" not in one]


@pytest.fixture(scope="session", autouse=True)
def known_lessons():
    """Read the catalogue before a test limits the time or the memory."""
    return lessons()
