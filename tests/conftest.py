"""What every test may ask for."""

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections
from real_parts import real_part


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """A test database of this process's own: two runs at once do not meet in one file."""
    from django.conf import settings

    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def no_connection_left_in_the_handlers_thread(request):
    """A test that used the database leaves it closed in the thread of sync handlers as well.

    Channels looks after the connections that it finds there before each handler, and would do so
    in the next test, which may not be allowed to.
    """
    yield
    if request.node.get_closest_marker("django_db"):
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser."""
    return real_part(["chromium", "chromium-browser", "google-chrome"], "apt-get install chromium")
