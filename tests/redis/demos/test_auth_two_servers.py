"""Lessons 18, 19, 21 and 23 on two real servers, one Redis and one database between them."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lessons.core.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne
from tests.support.servers.auth_actions import PASSWORD


class RealProject(RealDaphne):
    def __init__(self, redis_url, database):
        super().__init__("auth_server", redis_url, str(database))

    def ask(self, method, path, cookie="", body=None):
        """Body of the answer, and the session's cookie that came with it."""
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
        url = stack.enter_context(RedisServer()).url
        yield [stack.enter_context(RealProject(url, database)) for _ in range(2)]


@pytest.fixture
def desks():
    """`desks(server, cookie)`: an open socket of lesson 19, closed at the end."""
    with ExitStack() as stack:

        def enter(server, cookie):
            client = stack.enter_context(server.open("/ws/auth/logout/", cookie))
            assert says(client) != "nobody"  # from here on it is in its groups
            return client

        yield enter


def says(client):
    client.send("?")
    return client.recv(timeout=TEST_TIMEOUT)


def closed_with(client):
    """The code that the server closed with; what it said before is passed over."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(timeout=TEST_TIMEOUT)
    return client.close_code


def gets_in(server, ticket):
    """What the client hears, or the status of the answer to its handshake."""
    try:
        with server.open(f"/ws/auth/ticket/?ticket={ticket}") as client:
            return client.recv(timeout=TEST_TIMEOUT)
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_ticket_of_one_server_is_valid_once_on_the_other(servers):
    one, other = servers
    one.act("make", "ada")
    ticket = one.ticket("ada")
    assert gets_in(other, ticket) == "Welcome, ada."
    assert gets_in(one, ticket) == 403
    assert gets_in(other, ticket) == 403


def test_only_one_of_eight_clients_with_the_same_ticket_is_accepted(servers):
    servers[0].act("make", "ada")
    ticket = servers[0].ticket("ada")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda server: gets_in(server, ticket), [*servers] * 4))
    assert sorted(answers, key=str) == [403] * 7 + ["Welcome, ada."]


def test_daphnes_log_contains_neither_ticket_nor_password(servers):
    one, _ = servers
    one.act("make", "ada")
    ticket = one.ticket("ada")
    assert gets_in(one, ticket) == "Welcome, ada."
    assert gets_in(one, ticket) == 403
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


def test_a_logout_on_one_server_closes_only_the_sessions_sockets_on_both(servers, desks):
    one, other = servers
    quickest, rounds = TEST_TIMEOUT, 0
    while quickest >= 1 and rounds < 3:  # another time where the machine was busy
        rounds += 1
        desk, phone = one.act("login", "ada"), other.act("login", "ada")
        ended = [desks(one, desk), desks(other, desk)]
        left = {desks(server, phone): "ada" for server in servers}
        left |= {desks(server, server.act("login", "grace")): "grace" for server in servers}
        began = time.monotonic()
        one.act("logout", "ada", desk)
        assert [closed_with(client) for client in ended] == [4401, 4401]
        quickest = min(quickest, time.monotonic() - began)
        assert {client: says(client) for client in left} == left
    assert quickest < 1


def test_a_logout_over_a_socket_reaches_the_other_server(servers, desks):
    one, other = servers
    desk, phone = one.act("login", "ada"), one.act("login", "ada")
    here, there, left = desks(one, desk), desks(other, desk), desks(other, phone)
    here.send("logout")
    assert [closed_with(client) for client in (here, there)] == [4401, 4401]
    assert says(left) == "ada"
    with one.open("/ws/auth/logout/", desk) as again:
        assert says(again) == "nobody"


@pytest.mark.parametrize("change, name", [("deactivate", "joan"), ("password", "mary")])
def test_a_change_of_the_user_closes_all_their_sockets(servers, desks, change, name):
    one, other = servers
    one.act("make", name)
    cookies = [one.act("login", name), other.act("login", name)]
    ended = [desks(server, cookie) for server in servers for cookie in cookies]
    left = desks(other, one.act("login", "grace"))
    one.act(change, name)
    assert [closed_with(client) for client in ended] == [4401] * 4
    assert says(left) == "grace"


@pytest.fixture
def chats():
    """`chats(server, cookie, room)`: an open socket of the chat, closed at the end."""
    with ExitStack() as stack:

        def enter(server, cookie, room="cellar"):
            client = stack.enter_context(server.open(f"/ws/chat/{room}/?seen=0", cookie))
            hears(client, "ready")  # from here on it is in its groups
            return client

        yield enter


def hears(client, key, value=None):
    """The next frame that has this key, and the value; those before it are passed over."""
    while True:
        frame = json.loads(client.recv(timeout=TEST_TIMEOUT))
        if key in frame and value in (None, frame[key]):
            return frame


@pytest.mark.parametrize(
    "change, code", [("logout", 4401), ("deactivate", 4401), ("password", 4401), ("expel", 4403)]
)
def test_a_member_who_loses_the_right_to_chat_is_closed_on_both_servers(
    servers, chats, change, code
):
    one, other = servers
    quickest, rounds = TEST_TIMEOUT, 0
    while quickest >= 1 and rounds < 3:  # the beat, at which each looks by itself, is ten seconds
        rounds += 1
        name = f"ada-{change}-{rounds}"
        for member in (name, "grace"):
            one.act("join", member)
        cookie, of_grace = one.act("login", name), one.act("login", "grace")
        ended = [chats(server, cookie) for server in servers]
        in_lobby = chats(other, cookie, "lobby")
        left = [chats(server, of_grace) for server in servers]
        began = time.monotonic()
        one.act(change, name, cookie)
        assert [closed_with(client) for client in ended] == [code] * 2
        quickest = min(quickest, time.monotonic() - began)
        if change == "expel":
            left.append(in_lobby)
        else:
            assert closed_with(in_lobby) == code
        for client in left:
            client.send(json.dumps({"message": f"after {name}"}))
            hears(client, "message", f"after {name}")
    assert quickest < 1


def test_a_post_saved_on_one_server_reaches_a_page_of_the_other(servers):
    one, other = servers
    with other.open("/ws/db/liveblog/") as page:
        assert hears(page, "type")["type"] == "posts.all"
        one.act("post", "joan")
        news = hears(page, "type", "post.saved")
    assert news["title"] == "Rain"
