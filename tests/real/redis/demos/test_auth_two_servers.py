"""Lessons 18 and 21 on two real servers that share a Redis and a database."""

import json
import secrets
from contextlib import ExitStack
from http.cookies import SimpleCookie
from types import SimpleNamespace
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.core.cache.backends.redis import RedisCache
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lessons.extras import login_throttle
from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne
from tests.support.servers.project_server import PASSWORD

PROMPT = 5  # seconds in which a message must close a connection


class RealProject(RealDaphne):
    def ask(self, path, cookie="", form=None):
        """The body of the response, and the session cookie that it sets."""
        data = form and urlencode(form).encode()
        request = Request(f"http://127.0.0.1:{self.port}{path}", data, {"Cookie": cookie})
        with urlopen(request, timeout=TEST_TIMEOUT) as response:
            cookies = SimpleCookie(", ".join(response.headers.get_all("Set-Cookie", [])))
            session = cookies.get("sessionid")
            return response.read(), f"sessionid={session.value}" if session else ""

    def act(self, what, name, cookie=""):
        return self.ask(f"/act/{what}/{name}/", cookie)[1]

    def ticket(self, name):
        form = {"username": name, "password": PASSWORD}
        return json.loads(self.ask("/auth/ticket/", form=form)[0])["ticket"]

    def open(self, path, cookie=""):
        host = f"127.0.0.1:{self.port}"
        options = {"proxy": None, "open_timeout": TEST_TIMEOUT, "origin": f"http://{host}"}
        return connect(f"ws://{host}{path}", additional_headers={"Cookie": cookie}, **options)


@pytest.fixture(scope="module")
def servers(redis_binaries, tmp_path_factory):
    database = tmp_path_factory.mktemp("auth") / "db.sqlite3"
    with ExitStack() as stack:
        places = {"redis": stack.enter_context(RedisServer()).url, "database": database}
        projects = [RealProject("project", "auth", **places) for _ in range(2)]
        yield [stack.enter_context(project) for project in projects]


@pytest.fixture
def open_logout():
    """`open_logout(server, cookie)`: an open socket of lesson 21, closed at the end."""
    with ExitStack() as stack:

        def enter(server, cookie):
            client = stack.enter_context(server.open("/ws/auth/logout/", cookie))
            assert username_of(client) != "nobody"  # from here on, its channel is in its groups
            return client

        yield enter


def username_of(client):
    client.send("?")
    return client.recv(timeout=TEST_TIMEOUT)


def close_code(client):
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed):
        client.recv(timeout=PROMPT)
    return client.close_code


def use_ticket(server, ticket):
    """The frame that the client receives, or the status of a rejected handshake."""
    try:
        with server.open(f"/ws/auth/ticket/?ticket={ticket}") as client:
            return client.recv(timeout=TEST_TIMEOUT)
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_ticket_of_one_server_is_valid_once_on_the_other(servers):
    one, other = servers
    one.act("make", "ada")
    ticket = one.ticket("ada")
    assert use_ticket(other, ticket) == "Welcome, ada."
    assert use_ticket(one, ticket) == 403
    assert use_ticket(other, ticket) == 403


def test_two_servers_count_wrong_passwords_together(redis_url, monkeypatch):
    """Each server has its own connection to the cache. The time stays in one window."""
    monkeypatch.setattr(login_throttle, "time", SimpleNamespace(time=lambda: 6_000.0))
    servers = [RedisCache(redis_url, {"KEY_PREFIX": secrets.token_hex(4)})]
    servers.append(RedisCache(redis_url, {"KEY_PREFIX": servers[0].key_prefix}))
    counters = set()
    for number in range(login_throttle.PER_NAME):
        monkeypatch.setattr(login_throttle, "cache", servers[number % 2])
        counters.update(login_throttle.count_attempt("192.0.2.1", "ada"))
    with pytest.raises(login_throttle.TooManyLogins):
        login_throttle.count_attempt("192.0.2.1", "ada")
    client = servers[0]._cache.get_client()
    ages = [client.ttl(servers[0].make_and_validate_key(counter)) for counter in counters]
    assert all(0 < age <= 2 * login_throttle.WINDOW for age in ages), ages  # a counter is deleted


def test_daphnes_log_contains_neither_ticket_nor_password(servers):
    one, _ = servers
    one.act("make", "ada")
    ticket = one.ticket("ada")
    assert use_ticket(one, ticket) == "Welcome, ada."
    assert use_ticket(one, ticket) == 403
    one.act("make", "the-last")
    assert one.wait_for_words("the-last")
    assert "WSCONNECT /ws/auth/ticket/" in one.output
    assert "WSREJECT /ws/auth/ticket/" in one.output
    assert ticket not in one.output
    assert PASSWORD not in one.output


def test_a_logout_on_one_server_closes_only_the_sessions_sockets_on_both(servers, open_logout):
    one, other = servers
    desk, phone = one.act("login", "ada"), other.act("login", "ada")
    ended = [open_logout(one, desk), open_logout(other, desk)]
    left = {open_logout(server, phone): "ada" for server in servers}
    left |= {open_logout(server, server.act("login", "grace")): "grace" for server in servers}
    one.act("logout", "ada", desk)
    assert [close_code(client) for client in ended] == [4401, 4401]
    assert {client: username_of(client) for client in left} == left
