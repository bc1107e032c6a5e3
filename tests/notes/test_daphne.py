"""What NOTES.md says about Daphne's settings and static files."""

import pytest
from daphne.cli import CommandLineInterface
from daphne.management.commands.runserver import Command
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.management import call_command

from sync_demo.consumers import Echo

LIMITS = ("websocket_max_message_size", "websocket_max_frame_size")


class RecordedServer:
    """Takes the place of Daphne's Server, and keeps the options that it would have had."""

    abort_start = False

    def __init__(self, **options):
        type(self).options = options

    def run(self):
        pass


def limits_of_runserver(**options):
    command = Command()
    command.server_cls = RecordedServer
    command.check = command.check_migrations = lambda **options: None
    call_command(command, use_reloader=False, verbosity=0, **options)
    return tuple(RecordedServer.options[name] for name in LIMITS)


def test_runserver_reads_the_size_limits_from_the_settings(settings):
    assert limits_of_runserver() == (2**20, 2**20)
    settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = 4096
    settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 1024
    assert limits_of_runserver() == (4096, 1024)
    assert limits_of_runserver(websocket_max_message_size=99) == (99, 1024)


def test_the_daphne_command_reads_its_options_and_not_the_settings(settings, monkeypatch):
    settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = 4096
    monkeypatch.setattr(CommandLineInterface, "server_class", RecordedServer)
    application = "tests.notes.sample_project.asgi:application"
    CommandLineInterface().run([application, "--websocket-max-frame-size", "1024"])
    assert tuple(RecordedServer.options[name] for name in LIMITS) == (2**20, 1024)


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
