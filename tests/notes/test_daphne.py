"""What NOTES.md says about Daphne's runserver and static files."""

import pytest
from daphne.management.commands.runserver import Command
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from sync_demo.consumers import Echo


@pytest.mark.parametrize("is_debug", [True, False])
def test_runserver_serves_static_files_only_with_debug(settings, is_debug):
    settings.DEBUG = is_debug
    settings.ASGI_APPLICATION = "tests.notes.sample_project.asgi.application"
    application = Command().get_application({"use_static_handler": True})
    assert isinstance(application, ASGIStaticFilesHandler) == is_debug


def test_under_runserver_each_application_has_the_name_of_the_static_handler():
    """Daphne logs this name if any consumer or view takes too long to shut down."""
    instance = ASGIStaticFilesHandler(Echo.as_asgi())({"type": "websocket"}, None, None)
    assert instance.__qualname__ == "ASGIStaticFilesHandler.__call__"
    instance.close()
