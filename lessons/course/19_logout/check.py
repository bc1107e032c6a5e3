"""Lesson 19: is a socket closed when its login ends, wherever that ends, and no other?"""

import base64
import json
import zlib

from lessons.judge import Answer, Model, OneOf

OUT = {"type": "websocket.close", "code": 4401}
NOBODY = {"type": "websocket.send", "text": "nobody"}
PASSWORDS = {"ada": "lovelace 1843 " * 6, "grace": " hopper 1952"}


def credentials(name, password=None):
    return json.dumps({"username": name, "password": password or PASSWORDS[name]})


USERS = tuple(
    f'account {name} {{"password": "{password}"}}' for name, password in PASSWORDS.items()
)
SAME_PASSWORDS = " | ".join(USERS)  # set again: each of a user's sockets is closed
TWO_LOGINS = f"connect | 2 connect | text {credentials('ada')} | at * 2 text {credentials('grace')}"
DEACTIVATE = 'account grace {"is_active": false}'
NEW_PASSWORD = 'account ada {"password": "byron 1815"}'
BEGIN = " | ".join(USERS)
IN_TRANSACTION = 'partial row auth.User {"id": 1, "is_active": false}'
RENAME = 'partial row auth.User {"id": 1, "username": "countess"}'
NO_LOGINS = (
    credentials("ada", "wrong"),
    '{"username": "ada"}',
    '["ada"]',
    r'{"username": "ada", "password": "\ud800"}',
)


def has_login(rows):
    """Whether a row of the session table is that of a user who is logged in."""
    return any(b"_auth_user_id" in content_of(row["session_data"]) for row in rows)


def content_of(signed):
    is_compressed, data = signed.startswith("."), signed.strip(".").partition(":")[0]
    content = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    return zlib.decompress(content) if is_compressed else content


class User:
    def __init__(self, name):
        self.name = name
        self.password = PASSWORDS.get(name)
        self.is_active = True


class Login:
    """A session in which a user has logged in."""

    def __init__(self, user):
        self.user = user
        self.is_over = False
        self.ended = None  # number of the burst


class Desk(Model):
    database = True
    clients_are_independent = False
    max_clients = 4
    setups = (USERS,)
    texts = ("?", "logout", credentials("ada"), credentials("grace"))
    ends = (*Model.ends, "crash", "kill")
    handshakes = (
        *("connect as=ada", "connect as=ada server=2", "connect as=ada/2", "connect as=grace"),
        *("connect", "connect as=grace server=2", "connect as=ada"),
    )
    # A login passes 25 points. Its groups show when the user changes, and when the session ends.
    overlaps = (
        (range(0, 24, 3), f"{TWO_LOGINS} | {SAME_PASSWORDS}"),
        (range(6, 20, 4), f"{TWO_LOGINS} | text logout | 2 text logout"),
    )
    others = ("logout ada", "logout ada/2", "logout grace", DEACTIVATE, NEW_PASSWORD)

    def __init__(self):
        super().__init__()
        self.users = {name: User(name) for name in PASSWORDS}
        self.browsers = {}  # name of a browser → Login

    def browser(self, name):
        user = name.partition("/")[0]
        if name not in self.browsers:
            self.browsers[name] = Login(self.users[user])
            self.browsers[name].is_over = not self.users[user].is_active
        return self.browsers[name]

    def orders_of(self, burst):
        for step in burst:  # its user has logged in before
            if name := step.arguments.get("as"):
                self.browser(name)
        return super().orders_of(burst)

    def connect(self, client):
        """The desk then answers each frame with the name of the user who is logged in, or
        `nobody`."""
        client.accept()
        name = client.handshake.get("as")
        client.login = self.browser(name) if name else None
        if client.login and client.login.is_over:
            client.login = None
        client.joined = self.burst
        client.by_socket = client.has_logged_out = False

    def receive(self, client, text, data):
        """The desk then answers each frame with the name of the user who is logged in, or
        `nobody`."""
        if client.login and text == "logout":
            client.has_logged_out = True
            self.end([client.login])
            return
        if client.login is None and (user := self.user_of(text)):
            client.login = Login(user)
            client.joined, client.by_socket = self.burst, True
        client.send(client.login.user.name if client.login else "nobody")

    def receive_after_close(self, client, text, data):
        if text == "logout" or client.has_logged_out:
            client.expected[-1:] = [OneOf(*([NOBODY] * count + [OUT] for count in range(4)))]

    def user_of(self, text):
        for user in self.users.values():
            if text == credentials(user.name, user.password) and user.is_active:
                return user
        return None

    def end(self, logins):
        """When a session ends, over this socket, over HTTP or at another desk, each socket of that
        session is closed with 4401"""
        for login in logins:
            login.is_over, login.ended = True, self.burst
        for client in self.open_clients:
            if client.login in logins:
                if client.joined == self.burst:  # it may have no time for an answer
                    client.expected = [
                        it if it.message["type"] == "websocket.accept" else OneOf([it], [])
                        for it in client.expected
                    ]
                first = [NOBODY] if client.has_logged_out else []
                client.expect(OneOf([OUT], [OUT] * 2, [OUT] * 3, [*first, OUT], [*first, OUT, OUT]))
                client.state = "closed"

    def end_user(self, user):
        logins = [client.login for client in self.clients.values() if client.login]
        logins += self.browsers.values()
        self.end([login for login in logins if login.user is user])

    def committed(self, change):
        if change.table == "auth.User" and change.row.get("is_active") is False:
            self.users["ada"].is_active = False
            self.end_user(self.users["ada"])
        elif change.table == "auth.User":
            self.users["ada"].name = change.row["username"]

    def other(self, step):
        """When a user is deactivated, or gets a new password, each socket of that user is closed
        with 4401."""
        match step.action, step.arguments:
            case "logout", {"user": name}:
                self.end([self.browser(name)])
            case "account", {"user": name, "fields": fields} if self.burst > len(USERS):
                user = self.users[name]
                user.is_active = user.is_active and fields.get("is_active", True)
                user.password = fields.get("password", user.password)
                self.end_user(user)
            case "rows", _:
                return Answer("a session in which a user is logged in", has_login)
        return None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.step and difference.step.action == "rows" and not difference.fault:
            return "session-not-saved"
        if difference.fault or client is None:
            return None
        steps = [str(step).removeprefix("& ") for step in difference.steps_of_burst]
        expected, received = (
            [message["type"] for message in messages]
            for messages in (difference.expected, difference.received)
        )
        is_closed = "websocket.close" in received
        if "websocket.close" in expected and not is_closed:
            return self.of_open(client, difference, " ".join(steps))
        if is_closed and "websocket.close" not in expected:
            return self.of_closed(client, difference, " ".join(steps))
        texts = difference.texts(difference.received)
        if is_closed or not texts or texts == difference.texts(difference.expected):
            return None
        login = self.browsers.get(client.handshake.get("as"))
        has_ended = client.login is None and login and login.ended == client.joined
        return "logout-during-handshake" if has_ended else "wrong-name"

    def of_open(self, client, difference, steps):
        seen = difference.played.turns[difference.burst].clients
        told = [
            number
            for number, one in seen.items()
            if any(message["type"] == "websocket.close" for _, message in one.received)
        ]
        if client.by_socket:
            begun = [it for it in self.clients.values() if it.joined == client.joined]
            return "wrong-connection" if len(begun) > 1 else "login-not-joined"
        if client.joined == self.burst:
            return "logout-during-handshake"
        servers = [it.handshake.get("server", 1) for it in (client, *map(self.clients.get, told))]
        if told and servers[0] != servers[1]:
            return "other-process-not-closed"
        if "commit" in steps:
            return "notified-before-commit"
        if "is_active" in steps:
            return "deactivated-stays"
        is_password = "password" in steps and "account" in steps
        return "password-change-missed" if is_password else "stale-user"

    def of_closed(self, client, difference, steps):
        if client.by_socket and client.joined == self.burst:
            return "joined-before-saved"
        over = [it.login for it in self.clients.values() if it.login and it.login.is_over]
        over += [login for login in self.browsers.values() if login.is_over]
        if not over:
            return "closed-without-reason"
        same = client.login and any(login.user is client.login.user for login in over)
        return "other-sessions-closed" if same else "other-users-closed"


def test_tells_who_is_logged_in(play):
    """Each frame gets the name of the user who is logged in, or `nobody`."""
    play(
        f"{BEGIN} | connect as=ada | 2 connect as=grace | 3 connect | text ? | 2 bytes 00 | 3 text"
    )


def test_a_logout_ends_the_session_everywhere(play):
    """After a logout over HTTP each socket of that session is closed, on both servers, no other."""
    others = "4 connect as=ada/2 | 5 connect as=grace | 6 connect"
    both = "connect as=ada | 2 connect as=ada | 3 connect as=ada server=2"
    play(f"{BEGIN} | {both} | {others} | logout ada | 4 text ? | 5 text ? | 6 text ?")


def test_a_logout_over_the_socket_does_too(play):
    """After `logout` too, and the socket that said it is closed as well."""
    play(f"{BEGIN} | connect as=ada | 2 connect as=ada | text logout | 3 connect as=ada | 3 text ?")
    play(
        f"{BEGIN} | connect as=ada | 2 connect as=ada server=2 | 3 connect as=ada/2 | "
        "4 connect as=grace | text logout | 3 text ? | 4 text ?"
    )


def test_a_frame_after_the_end_is_not_answered(play):
    """What a client sent before it saw the close is not answered."""
    play(f"{BEGIN} | connect as=ada | logout ada | & text ? | & text ?")


def test_a_login_over_the_socket_is_saved(play):
    """A right password logs in, and the consumer saves that login; a wrong one changes nothing."""
    wrong = " | ".join(f"text {json.dumps(text)}" for text in NO_LOGINS)
    play(f"{BEGIN} | connect | {wrong} | text {credentials('ada')} | text ?")
    play(f"{BEGIN} | connect | text {credentials('ada')} | rows sessions.Session")


def test_a_deactivated_user_is_closed(play):
    """When a user is deactivated each socket of that user is closed, on both servers, no other."""
    both = (
        "connect as=grace | 2 connect as=grace/2 | 3 connect as=grace server=2 | 4 connect as=ada"
    )
    play(f"{BEGIN} | {both} | {DEACTIVATE} | 4 text ?")


def test_a_new_password_closes(play):
    """When a password is changed each socket of that user is closed, on both servers, no other."""
    both = "connect as=ada | 2 connect as=ada/2 | 3 connect as=ada server=2 | 4 connect as=grace"
    play(f"{BEGIN} | {both} | {NEW_PASSWORD} | 4 text ?")


def test_a_login_over_the_socket_ends_as_others_do(play):
    """A login over the socket ends with its session, and with its user."""
    play(f"{BEGIN} | connect | text {credentials('grace')} | {DEACTIVATE}")
    play(f"{BEGIN} | connect | text {credentials('ada')} | text logout")
    play(f"{BEGIN} | connect | text {credentials('ada')} | {NEW_PASSWORD}")


def test_is_told_after_the_commit(play):
    """A deactivation within a transaction closes the socket, once it is committed."""
    play(f"{BEGIN} | connect as=ada | begin | {IN_TRANSACTION} | commit")


def test_other_changes_close_nothing(play):
    """A login elsewhere, or another name, closes no socket."""
    play(f"{BEGIN} | connect as=ada | 2 connect | 2 text {credentials('ada')} | text ?")
    play(f"{BEGIN} | connect as=ada | {RENAME} | text ?")


def test_a_login_that_ends_meanwhile(play):
    """A login that ends while its socket is still joining is closed, too."""
    for change in ("logout ada", NEW_PASSWORD):
        play.at_each_point(f"{BEGIN} | connect as=ada | at * {change} | text ?")
    login = f"connect | text {credentials('grace')}"
    play.at_each_point(f"{BEGIN} | {login} | at * {DEACTIVATE} | text ?")
