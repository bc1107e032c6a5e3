"""What the environment makes of the settings."""

import os
import runpy

import pytest
from django.conf import settings as own
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from tests.support.programs.processes import run

NAMES = ("DJANGO_DEBUG", "DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "REDIS_URL")
KEY = "a-key-for-these-tests-that-is-long-enough-for-the-deployment-check"


@pytest.fixture
def settings_with(monkeypatch):
    """`settings_with(DJANGO_DEBUG="0")`: the settings' names and values in that environment."""

    def read(**environment):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(own.BASE_DIR / "lessons" / "settings.py"))

    return read


def test_serves_this_machine_alone_as_it_stands(settings_with):
    settings = settings_with()
    assert settings["DEBUG"] is True
    assert settings["WORKSHOP"] is True
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]", "lessons.localhost"]


@pytest.mark.parametrize("environment", [{"DJANGO_DEBUG": "0"}, {"DJANGO_ALLOWED_HOSTS": "a.test"}])
def test_refuses_to_start_for_others_without_a_secret_key(settings_with, environment):
    with pytest.raises(ImproperlyConfigured, match="Set DJANGO_SECRET_KEY"):
        settings_with(**environment)


@pytest.mark.parametrize("url", ["rediss://a.test", "unix:///run/redis.sock"])
def test_takes_any_address_of_redis(settings_with, url):
    assert settings_with(REDIS_URL=url)["REDIS_URL"] == url


@pytest.mark.parametrize("value", ["0", "false", "No", " off "])
def test_debug_can_be_turned_off(settings_with, value):
    settings = settings_with(DJANGO_DEBUG=value, DJANGO_SECRET_KEY=KEY)
    assert settings["DEBUG"] is False
    assert settings["WORKSHOP"] is False


def test_is_no_workshop_once_other_machines_may_call(settings_with):
    settings = settings_with(DJANGO_ALLOWED_HOSTS="a.test, b.test", DJANGO_SECRET_KEY=KEY)
    assert settings["ALLOWED_HOSTS"][4:] == ["a.test", "b.test"]
    assert settings["WORKSHOP"] is False


def test_stays_a_workshop_when_the_names_are_its_own(settings_with):
    assert settings_with(DJANGO_ALLOWED_HOSTS="localhost,")["WORKSHOP"] is True


def test_the_layers_are_in_memory_by_default(settings_with):
    layers = settings_with()["CHANNEL_LAYERS"]
    assert {layer["BACKEND"] for layer in layers.values()} == {
        "channels.layers.InMemoryChannelLayer"
    }


def test_what_all_processes_remember_is_on_redis_where_there_is_one(settings_with):
    assert settings_with()["CACHES"]["default"]["BACKEND"].endswith(".LocMemCache")
    cache = settings_with(REDIS_URL="redis://example.test:6379/1")["CACHES"]["default"]
    assert cache["BACKEND"].endswith(".RedisCache")
    assert cache["LOCATION"] == "redis://example.test:6379/1"


def test_redis_carries_every_layer_but_the_recorders_and_lets_many_consumers_idle(settings_with):
    layers = settings_with(REDIS_URL="redis://example.test:6379/1")["CHANNEL_LAYERS"]
    assert layers.pop("wire")["BACKEND"] == "channels.layers.InMemoryChannelLayer"
    assert {name: layer["BACKEND"] for name, layer in layers.items()} == {
        "default": "channels_redis.core.RedisChannelLayer",
        "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "encrypted": "channels_redis.core.RedisChannelLayer",
    }
    for layer in layers.values():
        [host] = layer["CONFIG"]["hosts"]
        assert host["address"] == "redis://example.test:6379/1"
        assert host["socket_timeout"] is None
        assert host["max_connections"] > 1000
    assert len({layer["CONFIG"].get("prefix") for layer in layers.values()}) == 3


@pytest.mark.django_db(transaction=True)
def test_the_database_is_a_file_that_readers_need_not_wait_for():
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not connection.is_in_memory_db()


def manage(*arguments, **environment):
    bare = {name: value for name, value in os.environ.items() if name not in NAMES}
    return run(["manage.py", *arguments], cwd=own.BASE_DIR, env={**bare, **environment})


def test_can_be_deployed_without_a_warning():
    public = {"DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": KEY, "DJANGO_ALLOWED_HOSTS": "a.test"}
    checked = manage("check", "--deploy", "--fail-level=WARNING", **public)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("command", ["lesson", "test"])
def test_a_command_says_in_one_line_what_the_environment_lacks(command):
    refused = manage(command, REDIS_URL="localhost:6379")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("REDIS_URL is no address of Redis: ")
    assert refused.stderr.count("\n") == 1
