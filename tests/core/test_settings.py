"""How environment variables change the settings."""

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


def test_serves_only_this_machine_by_default(settings_with):
    settings = settings_with()
    assert settings["DEBUG"] is True
    assert settings["WORKSHOP"] is True
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]", "lessons.localhost"]


@pytest.mark.parametrize("environment", [{"DJANGO_DEBUG": "0"}, {"DJANGO_ALLOWED_HOSTS": "a.test"}])
def test_requires_a_secret_key_to_serve_other_machines(settings_with, environment):
    with pytest.raises(ImproperlyConfigured, match="Set DJANGO_SECRET_KEY"):
        settings_with(**environment)


@pytest.mark.parametrize("url", ["rediss://a.test", "unix:///run/redis.sock"])
def test_accepts_every_kind_of_redis_url(settings_with, url):
    assert settings_with(REDIS_URL=url)["REDIS_URL"] == url


@pytest.mark.parametrize("value", ["0", "false", "No", " off "])
def test_debug_can_be_turned_off(settings_with, value):
    settings = settings_with(DJANGO_DEBUG=value, DJANGO_SECRET_KEY=KEY)
    assert settings["DEBUG"] is False
    assert settings["WORKSHOP"] is False


def test_the_workshop_is_off_when_other_machines_are_allowed(settings_with):
    settings = settings_with(DJANGO_ALLOWED_HOSTS="a.test, b.test", DJANGO_SECRET_KEY=KEY)
    assert settings["ALLOWED_HOSTS"][4:] == ["a.test", "b.test"]
    assert settings["WORKSHOP"] is False


def test_the_workshop_stays_on_for_names_of_this_machine(settings_with):
    assert settings_with(DJANGO_ALLOWED_HOSTS="localhost,")["WORKSHOP"] is True


def test_the_layers_are_in_memory_by_default(settings_with):
    layers = settings_with()["CHANNEL_LAYERS"]
    assert {layer["BACKEND"] for layer in layers.values()} == {
        "channels.layers.InMemoryChannelLayer"
    }


def test_the_cache_is_on_redis_if_redis_url_is_set(settings_with):
    assert settings_with()["CACHES"]["default"]["BACKEND"].endswith(".LocMemCache")
    cache = settings_with(REDIS_URL="redis://example.test:6379/1")["CACHES"]["default"]
    assert cache["BACKEND"].endswith(".RedisCache")
    assert cache["LOCATION"] == "redis://example.test:6379/1"


def test_all_layers_except_the_recorders_use_redis_without_a_timeout(settings_with):
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
def test_the_database_is_a_file_whose_readers_do_not_wait():
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
def test_a_command_reports_a_wrong_setting_in_one_line(command):
    failed = manage(command, REDIS_URL="localhost:6379")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("REDIS_URL is not a Redis URL: ")
    assert failed.stderr.count("\n") == 1
