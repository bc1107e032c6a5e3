"""What NOTES.md says about installation, asgi.py, scopes, routing and as_asgi."""

import asyncio
import importlib
import os
import subprocess
import sys
from importlib.metadata import metadata, requires

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.testing import ApplicationCommunicator, HttpCommunicator, WebsocketCommunicator
from channels.worker import Worker
from daphne.checks import check_daphne_installed
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.test import Client
from django.urls import include, path, re_path

from async_demo.generic_http import RawLength
from lessons.workshop.course.diagnoses import recognise
from lessons.workshop.course.lesson_index import PROJECT_DIR
from sync_demo.consumers import Echo
from tests.notes.sample_project.asgi import application
from tests.notes.sample_project.settings import INSTALLED_APPS
from tests.support.programs.running_program import TEST_TIMEOUT

OWN_ORIGIN = [(b"origin", b"http://localhost")]


@pytest.fixture
def commands():
    """`commands()`: the app that provides each command, by the current settings."""
    get_commands.cache_clear()
    yield get_commands
    get_commands.cache_clear()


def test_the_first_app_with_a_runserver_provides_it(commands, settings):
    settings.INSTALLED_APPS = INSTALLED_APPS
    assert commands()["runserver"] == "daphne"
    assert commands()["runworker"] == "channels"
    commands.cache_clear()
    settings.INSTALLED_APPS = [*INSTALLED_APPS[1:], "daphne"]
    assert commands()["runserver"] == "django.contrib.staticfiles"


def test_daphne_after_staticfiles_is_an_error(settings):
    settings.INSTALLED_APPS = [*INSTALLED_APPS[1:], "daphne"]
    assert [error.id for error in check_daphne_installed(None)] == ["daphne.E001"]
    settings.INSTALLED_APPS = INSTALLED_APPS
    assert check_daphne_installed(None) == []


def test_a_wsgi_server_answers_a_handshake_with_404():
    handshake = {"connection": "Upgrade", "upgrade": "websocket"}
    assert Client(headers=handshake).get("/ws/sync/frames/").status_code == 404


def test_importing_models_before_django_is_set_up_fails():
    outcome = subprocess.run(
        [sys.executable, "-c", "import db_demo.consumers"],
        cwd=PROJECT_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.notes.sample_project.settings"},
        capture_output=True,
        text=True,
    )
    assert "AppRegistryNotReady: Apps aren't loaded yet." in outcome.stderr
    assert importlib.import_module("db_demo.consumers"), "in this process Django is set up"


# The scope


async def test_each_type_of_scope_goes_to_its_application():
    client = WebsocketCommunicator(application, "/ws/sync/frames/", headers=OWN_ORIGIN)
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    await client.send_to(text_data="hello")
    assert await client.receive_from(TEST_TIMEOUT) == "hello"
    await client.disconnect(timeout=TEST_TIMEOUT)

    page = HttpCommunicator(application, "GET", "/no-such-page/", headers=[(b"host", b"localhost")])
    assert (await page.get_response(TEST_TIMEOUT))["status"] == 404

    job = {"type": "primes.factor", "number": 6}
    worker = ApplicationCommunicator(application, {"type": "channel", "channel": "primes"})
    await worker.send_input(job)
    assert await worker.receive_nothing()
    assert not worker.future.done()


async def test_a_scope_type_without_an_application_is_an_error():
    router = ProtocolTypeRouter({"http": application})
    for one, message in (
        (router, "No application configured for scope type 'websocket'"),
        (get_asgi_application(), "Django can only handle ASGI/HTTP connections, not websocket"),
    ):
        with pytest.raises(ValueError, match=message) as failure:
            await one({"type": "websocket"}, None, None)
        assert recognise(failure.value) == "no-websocket-application"


async def test_the_scope_of_a_websocket_has_the_arguments_of_its_path():
    seen = []

    class Listener(AsyncConsumer):
        async def websocket_connect(self, event):
            seen.append(self.scope["url_route"])
            await self.send({"type": "websocket.close"})

        async def websocket_disconnect(self, event):
            raise StopConsumer

    router = URLRouter([path("ws/<str:room>/", Listener.as_asgi(), {"limit": 3})])
    assert await WebsocketCommunicator(router, "/ws/lobby/").connect(TEST_TIMEOUT) == (False, 1000)
    assert seen == [{"args": (), "kwargs": {"room": "lobby", "limit": 3}}]


@pytest.mark.parametrize("asked", ["/ws/a", "/ws/a/b/", "/ws/"])
async def test_path_matches_the_whole_path(asked):
    router = URLRouter([path("ws/a/", Echo.as_asgi())])
    with pytest.raises(ValueError, match="No route found for path"):
        await router({"type": "websocket", "path": asked}, None, None)


async def test_a_pattern_without_an_end_matches_longer_paths():
    router = URLRouter([re_path(r"ws/a/", Echo.as_asgi())])
    assert await WebsocketCommunicator(router, "/ws/a/anything").connect(TEST_TIMEOUT) == (
        True,
        None,
    )


async def test_a_pattern_without_a_beginning_and_an_end_matches_in_the_middle_of_a_path():
    loose, tight = (URLRouter([re_path(one, Echo.as_asgi())]) for one in (r"ws/a/", r"ws/a/$"))
    client = WebsocketCommunicator(loose, "/front/ws/a/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    with pytest.raises(ValueError, match="No route found for path"):
        await tight({"type": "websocket", "path": "/front/ws/a/"}, None, None)


async def test_the_first_matching_route_is_used():
    async def rejected(scope, receive, send):
        await send({"type": "websocket.close"})

    router = URLRouter([re_path(r"^ws/", rejected), path("ws/a/", Echo.as_asgi())])
    assert await WebsocketCommunicator(router, "/ws/a/").connect(TEST_TIMEOUT) == (False, 1000)


async def test_a_consumer_answers_a_post_that_django_would_reject():
    client = HttpCommunicator(RawLength.as_asgi(), "POST", "/", body=b"x=1")  # no token, no Host
    assert (await client.get_response(TEST_TIMEOUT))["status"] == 200
    assert Client(enforce_csrf_checks=True).post("/layers/pager/").status_code == 403


async def test_each_receive_of_the_in_memory_layer_scans_all_channels():
    layer = InMemoryChannelLayer(expiry=-1)
    await layer.send("a", {"type": "old"})
    waiting = asyncio.create_task(layer.receive("b"))
    await asyncio.sleep(0)
    assert "a" not in layer.channels or layer.channels["a"].empty()
    waiting.cancel()


# as_asgi


def test_a_consumer_class_is_not_an_application():
    with pytest.raises(TypeError, match=r"Echo\(\) takes no arguments"):
        Echo({"type": "websocket"}, None, None)


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
        await client.connect(TEST_TIMEOUT)
        await client.send_to(text_data="who?")
        answers.add(await client.receive_from(TEST_TIMEOUT))
        client.stop()
    assert len(answers) == 2
    assert {answer[0] for answer in answers} == {"3"}
    assert application.consumer_class is Guest


async def test_an_instance_instead_of_as_asgi_answers_the_newest_client():
    instance = Guest()
    first, second = WebsocketCommunicator(instance, "/"), WebsocketCommunicator(instance, "/")
    for client in (first, second):
        await client.connect(TEST_TIMEOUT)
    await first.send_to(text_data="who?")
    assert await second.receive_from(TEST_TIMEOUT) == f"1 {id(instance)}"
    for client in (first, second):
        client.stop()


async def test_the_scope_of_a_worker_has_two_keys():
    layer, scopes = InMemoryChannelLayer(), asyncio.Queue()

    async def application(scope, receive, send):
        await scopes.put(scope)

    await layer.send("primes", {"type": "primes.factor"})
    worker = asyncio.create_task(Worker(application, ["primes"], layer).handle())
    assert await scopes.get() == {"type": "channel", "channel": "primes"}
    worker.cancel()


def test_a_router_rejects_include_and_accepts_another_router():
    routes = [path("a/", Echo.as_asgi())]
    with pytest.raises(ImproperlyConfigured, match=r"include\(\) is not supported in URLRouter"):
        URLRouter([path("ws/", include(routes))])
    assert URLRouter([path("ws/", URLRouter(routes))])


def test_the_packages_require_these_versions():
    assert metadata("channels")["Requires-Python"] == ">=3.9"
    required = {package: requires(package) for package in ("channels", "daphne", "channels_redis")}
    assert "Django>=4.2" in required["channels"]
    assert not [one for one in required["channels"] if "daphne" in one and "extra" not in one]
    assert 'types-channels; extra == "types"' in required["channels"]
    assert {"twisted[tls]>=22.4", "autobahn>=22.4.2"} <= set(required["daphne"])
    assert {"redis>=4.6", "channels>=4.2.2"} <= set(required["channels_redis"])


def test_equal_quotes_within_an_f_string_need_python_3_12():
    code = """name = f"chat_{self.scope["url_route"]["kwargs"]["room_name"]}" """
    if sys.version_info < (3, 12):
        with pytest.raises(SyntaxError) as raised:
            compile(code, "consumers.py", "exec")
        assert recognise(raised.value) == "quotes-in-f-string"
    else:
        assert compile(code, "consumers.py", "exec")


def test_the_name_of_the_json_consumer_has_one_capital_at_the_beginning_of_json():
    with pytest.raises(ImportError, match="cannot import name 'JSONWebSocketConsumer'") as raised:
        exec("from channels.generic.websocket import JSONWebSocketConsumer")
    assert recognise(raised.value) == "misspelt-consumer"
