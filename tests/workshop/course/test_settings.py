"""How environment variables change the settings."""

import runpy
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings as own
from django.db import connection
from django.test import Client

from lessons.workshop.setup.network_access import SettingsError
from tests.support.modes import KEY, NAMES


@pytest.fixture
def psycopg(monkeypatch):
    """psycopg, as if it were installed."""
    monkeypatch.setitem(sys.modules, "psycopg", SimpleNamespace(__spec__=object()))


@pytest.fixture
def settings_with(monkeypatch):
    """`settings_with(DJANGO_MODE="shared")`: the settings' names and values in that environment."""

    def read(**environment):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(own.BASE_DIR / "lessons" / "settings.py"))

    return read


def test_a_shared_workshop_records_but_shows_no_settings_to_strangers(settings_with):
    shared = settings_with(DJANGO_MODE="shared", DJANGO_SECRET_KEY=KEY)
    assert shared["DEBUG"] is False
    assert shared["DATABASES"]["default"]["NAME"].name == "shared.sqlite3"


def test_a_room_and_a_workshop_on_one_machine_do_not_overwrite_each_others_cookies(settings_with):
    room = settings_with(DJANGO_MODE="room", DJANGO_SECRET_KEY=KEY)
    names = {room["SESSION_COOKIE_NAME"], room["CSRF_COOKIE_NAME"]}
    assert not names & {own.SESSION_COOKIE_NAME, own.CSRF_COOKIE_NAME}


def test_the_cache_is_on_redis_if_redis_url_is_set(settings_with):
    assert settings_with()["CACHES"]["default"]["BACKEND"].endswith(".LocMemCache")
    cache = settings_with(REDIS_URL="redis://example.test:6379/1")["CACHES"]["default"]
    assert cache["BACKEND"].endswith(".RedisCache")
    assert cache["LOCATION"] == "redis://example.test:6379/1"


def test_all_layers_use_redis_without_a_timeout(settings_with):
    layers = settings_with(REDIS_URL="redis://example.test:6379/1")["CHANNEL_LAYERS"]
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


@pytest.mark.parametrize(
    "url, expected",
    [
        (
            "postgres://ada:p%40ss%2F@db.test:6432/workshop?sslmode=require",
            ("workshop", "ada", "p@ss/", "db.test", "6432", {"sslmode": "require"}),
        ),
        ("postgresql://[::1]/a%20b", ("a b", "", "", "::1", "", {})),
        ("postgres:///name?host=/tmp/Pg", ("name", "", "", "", "", {"host": "/tmp/Pg"})),
    ],
)
def test_the_database_is_the_one_of_database_url(settings_with, psycopg, url, expected):
    database = settings_with(DATABASE_URL=url)["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    assert tuple(database[name] for name in names) == expected


@pytest.mark.parametrize(
    "url",
    ["mysql://a/b", "postgres://a:p#q@b/c", "postgres://a:p/q@b/c", "postgres://b", "postgres:///"],
)
def test_a_wrong_database_url_is_reported_with_the_cure_and_without_its_password(
    settings_with, psycopg, url
):
    with pytest.raises(SettingsError, match="not a PostgreSQL URL: ") as raised:
        settings_with(DATABASE_URL=url)
    assert "postgres://USER:PASSWORD@HOST:5432/NAME" in str(raised.value)
    assert url not in str(raised.value)


def test_names_the_missing_library_of_database_url(settings_with, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"needs psycopg.* -r \.ci/postgres\.txt$"):
        settings_with(DATABASE_URL="postgres://db.test/workshop")


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_the_error_page_of_a_wrong_host_shows_no_password_of_a_url(
    settings_with, settings, psycopg, accept
):
    read = settings_with(
        DATABASE_URL="postgres://ada:first-password@db.test/workshop",
        REDIS_URL="redis://:second-password@redis.test:6379/1",
    )
    settings.DEBUG = True
    for name in ("DATABASE_URL", "REDIS_URL", "CACHES", "CHANNEL_LAYERS"):
        setattr(settings, name, read[name])
    response = Client(headers={"host": "evil.test", "accept": accept}).get("/")
    page = response.content.decode()
    assert (response.status_code, "Invalid HTTP_HOST header" in page) == (400, True)
    assert "channels_redis.core.RedisChannelLayer" in page
    assert "first-password" not in page
    assert "second-password" not in page


def test_a_form_is_accepted_with_the_origin_that_the_proxy_of_codespaces_sends(
    settings_with, settings, monkeypatch
):
    shared = {"DJANGO_MODE": "shared", "DJANGO_SECRET_KEY": KEY}
    assert "CSRF_TRUSTED_ORIGINS" not in settings_with(**shared)
    monkeypatch.setenv("CODESPACE_NAME", "tea")
    assert "CSRF_TRUSTED_ORIGINS" not in settings_with()

    def status():
        client = Client(enforce_csrf_checks=True, headers={"host": "localhost:8000"})
        token = client.get("/auth/login/").context["csrf_token"]
        headers = {"origin": "https://localhost:8000", "x-csrftoken": str(token)}
        return client.post("/auth/login/", {}, headers=headers).status_code

    assert status() == 403
    settings.CSRF_TRUSTED_ORIGINS = settings_with(**shared)["CSRF_TRUSTED_ORIGINS"]
    assert status() == 200


@pytest.mark.django_db(transaction=True)
def test_the_database_is_a_file_whose_readers_do_not_wait():
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not connection.is_in_memory_db()
