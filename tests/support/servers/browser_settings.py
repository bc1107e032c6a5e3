"""Settings of the workshop that the tests in a browser visit."""

from lessons.settings import *  # noqa: F403

ASGI_APPLICATION = "tests.support.servers.browser_asgi.application"
