"""What NOTES.md says about Daphne's security releases, its settings and static files."""

import http.client
from contextlib import closing
from urllib.parse import quote

import pytest
from channels.testing import ApplicationCommunicator
from daphne.cli import CommandLineInterface
from daphne.management.commands.runserver import Command
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.management import call_command

from sync_demo.consumers import Echo
from tests.support.programs.real_daphne import ACCEPT, TEST_TIMEOUT, RealDaphne

LIMITS = ("websocket_max_message_size", "websocket_max_frame_size")
REQUEST = {
    "type": "http",
    "method": "GET",
    "path": "/static/chat/chat.css",
    "headers": [(b"host", b"localhost")],
}
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne() as server:
        yield server


def status_of_handshake(daphne, **headers):
    client = http.client.HTTPConnection("127.0.0.1", daphne.port, timeout=TEST_TIMEOUT)
    with closing(client):
        target = f"/?{next(daphne.numbers)}:{quote(repr([ACCEPT]))}"
        client.request("GET", target, headers=HANDSHAKE | headers)
        return client.getresponse().status


def test_daphne_accepts_an_ordinary_header_in_a_handshake(daphne):
    assert status_of_handshake(daphne, Note="Origin: https://chat.example.org") == 101


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_daphne_answers_a_header_that_hides_another_header_with_400(daphne, separator):
    note = f"a{separator}Origin: https://chat.example.org"
    assert status_of_handshake(daphne, Note=note) == 400


class RecordedServer:
    """Takes the place of Daphne's Server, and keeps the options that it would have had."""

    abort_start = False

    def __init__(self, **options):
        type(self).options = options

    def run(self):
        pass


class Runserver(Command):
    server_cls = RecordedServer

    def check(self, **options):
        pass

    def check_migrations(self):
        pass


def limits_of_runserver(**options):
    call_command(Runserver(), use_reloader=False, verbosity=0, **options)
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


# Static files


@pytest.mark.parametrize("is_debug", [True, False])
def test_runserver_serves_static_files_only_with_debug(settings, is_debug):
    settings.DEBUG = is_debug
    settings.ASGI_APPLICATION = "tests.notes.sample_project.asgi.application"
    application = Command().get_application({"use_static_handler": True})
    assert isinstance(application, ASGIStaticFilesHandler) == is_debug


@pytest.mark.django_db
async def test_an_application_without_the_static_handler_answers_404():
    async def status(application):
        client = ApplicationCommunicator(application, REQUEST)
        await client.send_input({"type": "http.request"})
        start = await client.receive_output(TEST_TIMEOUT)
        await client.wait(TEST_TIMEOUT)
        return start["status"]

    application = get_asgi_application()
    assert await status(application) == 404
    assert await status(ASGIStaticFilesHandler(application)) == 200


def test_under_runserver_each_application_has_the_name_of_the_static_handler():
    """Daphne logs this name if any consumer or view takes too long to shut down."""
    instance = ASGIStaticFilesHandler(Echo.as_asgi())({"type": "websocket"}, None, None)
    assert instance.__qualname__ == "ASGIStaticFilesHandler.__call__"
    instance.close()
