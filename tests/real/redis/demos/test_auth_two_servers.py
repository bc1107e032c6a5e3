"""Lessons 18, 21, 20 and 23 on two real servers that share a Redis and a database."""

import http.client
import json
import secrets
from contextlib import ExitStack, suppress
from http.cookies import SimpleCookie
from types import SimpleNamespace
from urllib.parse import urlencode

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
    def ask(self, method, path, cookie="", body=None):
        """The body of the response, and the session cookie that it sets."""
        headers = {"Cookie": cookie} if cookie else {}
        if body:
            body = urlencode(body)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TEST_TIMEOUT)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            cookies = SimpleCookie(", ".join(response.headers.get_all("Set-Cookie", [])))
            session = cookies.get("sessionid")
            return text, f"sessionid={session.value}" if session else ""
        finally:
            connection.close()

    def act(self, what, name, cookie=""):
        return self.ask("GET", f"/act/{what}/{name}/", cookie)[1]

    def ticket(self, name):
        body = {"username": name, "password": PASSWORD}
        return json.loads(self.ask("POST", "/auth/ticket/", body=body)[0])["ticket"]

    def open(self, path, cookie=""):
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"Cookie": cookie} if cookie else {}
        return connect(
            f"ws://127.0.0.1:{self.port}{path}",
            additional_headers=headers,
            origin=origin,
            proxy=None,
            open_timeout=TEST_TIMEOUT,
        )


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
    """The code with which the server closes. Frames before the close are ignored.

    Without a message, a consumer of the chat notices the change at its next heartbeat, after up to
    ten seconds.
    """
    with suppress(ConnectionClosed):
        while True:
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
    with one.lines_changed:
        assert one.lines_changed.wait_for(
            lambda: any("the-last" in line for line in one.lines), TEST_TIMEOUT
        )
    log = "\n".join(one.lines)
    assert "WSCONNECT /ws/auth/ticket/" in log
    assert "WSREJECT /ws/auth/ticket/" in log
    assert ticket not in log
    assert PASSWORD not in log


def test_a_logout_on_one_server_closes_only_the_sessions_sockets_on_both(servers, open_logout):
    one, other = servers
    desk, phone = one.act("login", "ada"), other.act("login", "ada")
    ended = [open_logout(one, desk), open_logout(other, desk)]
    left = {open_logout(server, phone): "ada" for server in servers}
    left |= {open_logout(server, server.act("login", "grace")): "grace" for server in servers}
    one.act("logout", "ada", desk)
    assert [close_code(client) for client in ended] == [4401, 4401]
    assert {client: username_of(client) for client in left} == left


@pytest.fixture
def open_chat():
    """`open_chat(server, cookie, room)`: an open socket of the chat, closed at the end."""
    with ExitStack() as stack:

        def enter(server, cookie, room="cellar"):
            client = stack.enter_context(server.open(f"/ws/chat/{room}/?seen=0", cookie))
            wait_for_frame(client, "here")  # from here on, its channel is in its groups
            return client

        yield enter


def wait_for_frame(client, key, value=None):
    """The next frame with this key and value. Frames before it are ignored."""
    while True:
        frame = json.loads(client.recv(timeout=TEST_TIMEOUT))
        if key in frame and value in (None, frame[key]):
            return frame


@pytest.mark.parametrize(
    "change, code", [("logout", 4401), ("deactivate", 4401), ("password", 4401), ("expel", 4403)]
)
def test_a_member_who_loses_the_right_to_chat_is_closed_on_both_servers(
    servers, open_chat, change, code
):
    one, other = servers
    name = f"ada-{change}"
    for member in (name, "grace"):
        one.act("join", member)
    cookie, of_grace = one.act("login", name), one.act("login", "grace")
    ended = [open_chat(server, cookie) for server in servers]
    in_lobby = open_chat(other, cookie, "lobby")
    left = [open_chat(server, of_grace) for server in servers]
    one.act(change, name, cookie)
    assert [close_code(client) for client in ended] == [code] * 2
    if change == "expel":
        left.append(in_lobby)
    else:
        assert close_code(in_lobby) == code
    for client in left:
        client.send(json.dumps({"message": f"after {name}"}))
        wait_for_frame(client, "message", f"after {name}")
