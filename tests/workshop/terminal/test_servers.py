"""`manage.py workshop` and `cluster`: what they serve, start and refuse."""

import re
import socket
from contextlib import nullcontext
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from layers_demo.routing import channel_name_patterns
from lessons.workshop.setup import redis_server, virtual_environment
from lessons.workshop.setup.access_token import token
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.student import demo_accounts
from lessons.workshop.terminal import cluster, workshop


@pytest.fixture
def served(monkeypatch, settings):
    """The commands that `workshop` calls; they do not run."""
    calls = []
    monkeypatch.setattr(workshop, "call_command", lambda *names, **options: calls.append(names))
    for name in ("create_accounts", "require_safe_accounts"):
        monkeypatch.setattr(demo_accounts, name, lambda: None)
    monkeypatch.setattr(workshop, "create_copies", list)
    monkeypatch.setattr(workshop, "JudgeKeeper", lambda write: nullcontext())
    return calls


def start(host="127.0.0.1", port=0):
    call_command("workshop", reload=False, host=host, port=port)


@pytest.mark.parametrize("command", [start, partial(call_command, "cluster")])
def test_reports_a_taken_port_in_one_line(served, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is taken"):
            command(port=port)
    assert served == []


SHARE = r"manage\.py workshop --share .*"
REFUSED = [
    *((lambda host=host: start(host), f"{SHARE} --host {host}$") for host in ("0.0.0.0", "a.test")),
    (lambda: start(host="::"), f"{SHARE} --host ::$"),
    (lambda: call_command("runserver", "0.0.0.0:0"), r"manage\.py workshop --share"),
    (lambda: start(port=70000), "no port 70000"),
]


@pytest.mark.parametrize("command, reason", REFUSED)
def test_refuses_other_machines_without_a_token_and_impossible_ports(served, command, reason):
    with pytest.raises(CommandError, match=reason):
        command()
    assert served == []


def test_a_shared_workshop_serves_other_machines(served, settings):
    settings.MODE = Mode.SHARED
    start(host="0.0.0.0")
    [command, address] = served[-1]
    assert (command, address.rpartition(":")[0]) == ("runserver", "0.0.0.0")


@pytest.mark.parametrize(
    "mode, names, https, address",
    [
        (Mode.LOCAL, [], False, "http://localhost:8000/"),
        (Mode.SHARED, [], False, "http://localhost:8000/?token="),
        (Mode.SHARED, ["a.test", "b.test"], False, "http://a.test:8000/?token="),
        (Mode.SHARED, ["a.test"], True, "https://a.test/?token="),
    ],
)
def test_the_printed_address_leads_a_browser_to_the_page(settings, mode, names, https, address):
    settings.MODE, settings.HTTPS = mode, https
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK, *names]
    expected = f"{address}{token()}" if mode is Mode.SHARED else address
    assert workshop.page_at("0.0.0.0", 8000) == expected


def test_workshop_warns_of_changed_requirements(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: True)
    monkeypatch.setattr(virtual_environment, "STAMP", tmp_path / "stamp")
    start()
    assert capsys.readouterr().err == ""
    virtual_environment.STAMP.write_text("of another requirements.txt")
    start()
    assert "requirements.txt has changed" in capsys.readouterr().err


# The cluster


def test_says_what_to_install_without_redis(monkeypatch, settings):
    settings.REDIS_URL = ""
    monkeypatch.setattr(redis_server, "find_binaries", list)
    with pytest.raises(redis_server.RedisUnavailable, match=re.escape(REDIS.missing())):
        cluster.require_redis()


@pytest.mark.parametrize(
    ("url", "error"),
    [("redis://:secret@127.0.0.1:1", "Error 111 connecting"), ("127.0.0.1", "must specify one of")],
)
def test_reports_a_wrong_redis_url_without_its_password(settings, url, error):
    settings.REDIS_URL = url
    with pytest.raises(CommandError, match=f"REDIS_URL leads to no Redis: .*{error}") as raised:
        cluster.require_redis()
    assert "secret" not in str(raised.value)


def test_the_worker_listens_to_every_routed_channel():
    assert set(cluster.CHANNELS) == set(channel_name_patterns)
