"""What NOTES.md says about installation, asgi.py, scopes, routing and as_asgi."""

from contextlib import nullcontext

import pytest
from channels.consumer import AsyncConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.testing import ApplicationCommunicator, HttpCommunicator, WebsocketCommunicator
from daphne.checks import check_daphne_installed
from django.core.management import get_commands
from django.test import Client
from django.urls import path, re_path

from async_demo.generic_http import RawLength
from tests.notes.sample_project.asgi import application
from tests.notes.sample_project.settings import INSTALLED_APPS

OWN_ORIGIN = [(b"origin", b"http://localhost")]
DAPHNE, *OTHERS = INSTALLED_APPS


@pytest.fixture(autouse=True)
def commands():
    get_commands.cache_clear()
    yield
    get_commands.cache_clear()


@pytest.mark.parametrize(
    ("apps", "provider", "errors"),
    [
        ([DAPHNE, *OTHERS], "daphne", []),
        ([*OTHERS, DAPHNE], "django.contrib.staticfiles", ["daphne.E001"]),
        (OTHERS, "django.contrib.staticfiles", ["daphne.E001"]),
    ],
)
def test_the_first_app_with_a_runserver_provides_it(settings, apps, provider, errors):
    settings.INSTALLED_APPS = apps
    assert get_commands()["runserver"] == provider
    assert [error.id for error in check_daphne_installed(None)] == errors


async def test_each_type_of_scope_goes_to_its_application():
    client = WebsocketCommunicator(application, "/ws/sync/frames/", headers=OWN_ORIGIN)
    assert await client.connect() == (True, None)
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "hello"
    await client.disconnect()

    page = HttpCommunicator(application, "GET", "/no-such-page/", headers=[(b"host", b"localhost")])
    assert (await page.get_response())["status"] == 404
    await page.wait()  # Django closes the body of a request after its response

    worker = ApplicationCommunicator(application, {"type": "channel", "channel": "primes"})
    await worker.send_input({"type": "primes.factor"})
    with pytest.raises(KeyError, match="number"):
        await worker.wait()


async def test_a_scope_type_without_an_application_is_an_error():
    router = ProtocolTypeRouter({"http": application})
    with pytest.raises(ValueError, match="No application configured for scope type 'websocket'"):
        await router({"type": "websocket"}, None, None)


async def consumer(scope, receive, send):
    pass


@pytest.mark.parametrize(
    ("route", "asked", "matches"),
    [
        (path("ws/a/", consumer), "/ws/a/", True),
        (path("ws/a/", consumer), "/ws/a", False),
        (path("ws/a/", consumer), "/ws/a/b/", False),
        (re_path(r"ws/a/", consumer), "/front/ws/a/b/", True),
        (re_path(r"^ws/a/$", consumer), "/front/ws/a/b/", False),
    ],
)
async def test_only_a_pattern_without_beginning_and_end_matches_longer_paths(route, asked, matches):
    mismatch = pytest.raises(ValueError, match="No route found for path")
    with nullcontext() if matches else mismatch:
        await URLRouter([route])({"type": "websocket", "path": asked}, None, None)


async def test_a_consumer_answers_a_post_that_django_would_reject():
    client = HttpCommunicator(RawLength.as_asgi(), "POST", "/", body=b"x=1")  # no token, no Host
    assert (await client.get_response())["status"] == 200
    assert Client(enforce_csrf_checks=True).post("/layers/pager/").status_code == 403


class Guest(AsyncConsumer):
    def __init__(self, limit=1):
        self.limit = limit

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": f"{self.limit} {id(self)}"})


async def test_as_asgi_passes_its_arguments_to_one_instance_per_connection():
    application = Guest.as_asgi(limit=3)
    answers = set()
    for _ in range(2):
        client = WebsocketCommunicator(application, "/")
        await client.connect()
        await client.send_to(text_data="who?")
        answers.add(await client.receive_from())
        client.stop()
    assert len(answers) == 2
    assert {answer[0] for answer in answers} == {"3"}


async def test_an_instance_instead_of_as_asgi_answers_the_newest_client():
    instance = Guest()
    first, second = WebsocketCommunicator(instance, "/"), WebsocketCommunicator(instance, "/")
    for client in (first, second):
        await client.connect()
    await first.send_to(text_data="who?")
    assert await second.receive_from() == f"1 {id(instance)}"
    for client in (first, second):
        client.stop()
