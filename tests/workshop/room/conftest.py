"""Fixtures for tests of the room's server."""

import pytest
from django.core.cache import cache

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.room import board_socket as board_module
from lessons.workshop.room import student_socket as student_module
from tests.support.room import board_socket, new_class, new_student, student_socket


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


@pytest.fixture
def quick_reread(monkeypatch):
    """Sockets that open later read the database all the time. A lost message delays nothing."""
    for module in (board_module, student_module):
        monkeypatch.setattr(module, "REREAD_INTERVAL", 0.01)


@pytest.fixture
async def monday():
    """A class."""
    return await new_class()


@pytest.fixture
async def ann(monday):
    """A student of this class, who does not share code."""
    return await new_student(monday)


@pytest.fixture
async def board(monday, ann):
    """The board of this class, which has a tile for Ann."""
    async with board_socket(monday) as opened:
        yield opened


@pytest.fixture
async def student(ann):
    """Ann's machine, which has said hello."""
    async with student_socket(ann) as opened:
        yield opened
