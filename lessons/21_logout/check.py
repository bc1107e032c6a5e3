"""Lesson 21: does a connection close when its user's login ends, and at no other time?"""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

from lessons.workshop.judge import NAMES, Expected, Model

ENDED = {"type": "websocket.close", "code": 4401}
USERS = ("account ada {}", "account grace {}")  # ada's row has the id 1
BEGIN = " | ".join(USERS)
DEACTIVATE = 'account grace {"is_active": false}'
DEACTIVATE_ADA = 'partial row auth.User {"id": 1, "is_active": false}'
SAVE_ALL_FIELDS = 'row auth.User {"id": 1, "is_active": false}'  # without update_fields
LOADED = 'raw row auth.User {"id": 1, "username": "ada", "is_active": false}'
BOTH_CHANGES = 'account grace {"is_active": false, "password": "hopper 1952"}'
NEW_PASSWORD = 'account ada {"password": "byron 1815"}'
RENAMES = [f'partial row auth.User {{"id": 1, "username": {json.dumps(it)}}}' for it in NAMES]
# Changes that end no login: of other fields, of the same fields, and none at all.
HARMLESS = (
    'account grace {"first_name": "Amazing"}',
    'account grace {"email": "grace@b.example"}',
    'account grace {"last_name": "Murray", "permissions": ["auth.add_user"]}',
    'account grace {"first_name": "Grace", "group_permissions": ["auth.add_group"]}',
    'account grace {"is_staff": true}',
    'account grace {"is_superuser": true}',
    'account grace {"last_login": "2026-11-21T12:00:00Z"}',
    'account ada {"is_active": true}',  # grace may be inactive
    "account grace {}",
)
FIRST_BROWSERS = "connect as=ada | 2 connect as=grace"
LOGIN_ENDING = ("is_active", "password")  # fields of `account`
PROMISES = {
    "Desk runs behind AuthMiddlewareStack": "The engine checks the base class.",
    "Other users stay connected": "test_a_new_password_closes_the_connections_of_that_user",
    "All this also holds": "test_a_login_that_ends_during_the_join_is_noticed",
    "However a connection ends": "ends",
    "The receiver below notifies": "This says what the exercise already has.",
    "You need not change it": "No conversation asks for an answer to a logout.",
}


@dataclass(frozen=True)
class User:
    name: str
    is_active: bool = True
    ended: int | None = None  # number of the burst


def overlaps(*timings):
    """Two clients connect, the second one at each of these moments in the handshake of the first.

    Two consumers whose jobs wait for the same thread take turns. So what one of them keeps for less
    than one turn of the other shows only if both begin at the same time (`&`).
    """
    pairs = enumerate(timings)
    return " | ".join(
        f"{2 * n + 1} connect as=ada | {timing} {2 * n + 2} connect as=grace"
        f" | {2 * n + 1} text ? | {2 * n + 2} text ? | {NEW_PASSWORD}"
        for n, timing in pairs
    )


def is_answer(received, wanted):
    """Whether the client received the name, or `nobody`: the login may have ended by then."""
    return received.get("text") in (wanted.get("text"), "nobody")


class Desk(Model):
    database = True
    clients_are_independent = False
    max_clients = 4
    setups = (USERS,)
    promise_of: ClassVar = {
        "logout-during-handshake": "All this also holds if the user changes while a connection is"
        " joining its group.",
        "other-users-closed": "Other users stay connected.",
        "send-after-close": "A frame that arrives after this close is not answered.",
        "group-leak": "However a connection ends, `__call__` already leaves its group.",
    }
    texts = ("?",)
    ends = (*Model.ends, "crash")
    handshakes = (
        *("connect as=ada", "connect as=ada server=2", "connect as=ada/2", "connect as=grace"),
        *("connect", "connect as=grace server=2", "connect as=ada"),
    )
    # A handshake passes about twelve points. Its group shows when the user changes.
    long_conversations = (
        overlaps("&", "at 0", "at 2", "at 4", "at 6"),
        f"seed 1 | {overlaps('&', 'at 8', 'at 10')}",
    )
    others = (DEACTIVATE, NEW_PASSWORD, *HARMLESS[:-1])  # no user is activated again

    def __init__(self):
        super().__init__()
        self.users = {name: User(name) for name in ("ada", "grace")}
        self.ended_browsers = {}  # name of a browser → number of the burst, or None
        self.browsers = set()

    def before(self, burst):
        for step in burst:  # a browser logs in before the burst
            if name := step.arguments.get("as"):
                self.log_in(name)

    def log_in(self, browser):
        if browser not in self.browsers:
            self.browsers.add(browser)
            if not self.users[browser.partition("/")[0]].is_active:
                self.ended_browsers[browser] = None

    def connect(self, client):
        """The desk accepts every client. It answers each frame with the username that the user has
        now, or with `nobody` if no user is logged in."""
        client.accept()
        browser = client.handshake.get("as")
        client.user = None
        client.joined = self.burst
        if browser and browser not in self.ended_browsers:
            client.user = browser.partition("/")[0]

    def receive(self, client, text, data):
        """It answers each frame with the username that the user has now, or with `nobody` if no
        user is logged in."""
        client.send(self.users[client.user].name if client.user else "nobody")

    def receive_after_close(self, client, text, data):
        """A frame that arrives after this close is not answered."""

    def end_logins(self, user):
        """When a user is deactivated or gets a new password, each connection of that user is closed
        with 4401. This happens on every server, after the commit."""
        self.change(user, ended=self.burst)
        for browser in self.browsers:
            if browser.partition("/")[0] == user:
                self.ended_browsers.setdefault(browser, self.burst)
        for client in self.open_clients:
            if client.user == user:
                hurry = client.joined == self.burst  # there may be no time for an answer
                client.expected = [
                    replace(it, matches=is_answer, may_miss=hurry) if "text" in it.message else it
                    for it in client.expected
                ]
                client.close(4401)
                # A consumer that checks at each message may close again for the second one.
                client.expected += [Expected(ENDED, may_miss=True)] * 2

    def committed(self, change):
        saved = next((it for it in self.tables[change.table] if it["id"] == change.row["id"]), {})
        if saved.get("is_active") is False:
            self.change("ada", is_active=False)
            self.end_logins("ada")
        else:
            self.change_otherwise("ada", name=change.row["username"])

    def other(self, step):
        if step.action == "account" and self.burst > len(USERS):
            user, fields = step.arguments["user"], step.arguments["fields"]
            is_active = fields.get("is_active", self.users[user].is_active)
            if "password" in fields or not is_active:
                self.change(user, is_active=is_active)
                self.end_logins(user)
            else:
                self.change_otherwise(user, is_active=is_active)

    def change_otherwise(self, user, **fields):
        """Any other change of a user, such as a new name, closes no connection."""
        self.change(user, **fields)

    def change(self, user, **fields):
        self.users[user] = replace(self.users[user], **fields)

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None:
            return None
        steps = " ".join(str(step) for step in difference.steps_of_burst)
        expected, received = (
            [message["type"] for message in messages]
            for messages in (difference.expected, difference.received)
        )
        is_closed = "websocket.close" in received
        if "websocket.close" in expected and not is_closed:
            return self.of_open(client, difference, steps)
        if is_closed and "websocket.close" not in expected:
            others = (user for name, user in self.users.items() if name != client.user)
            if any(user.ended == self.burst for user in others):
                return "other-users-closed"
            return "closed-without-reason" if client.user else None
        texts = difference.texts(difference.received)
        if is_closed or not texts or texts == difference.texts(difference.expected):
            return None
        ended = self.ended_browsers.get(client.handshake.get("as"))
        if ended == client.joined:
            return "logout-during-handshake"
        if client.user and set(texts) == {self.users[client.user].name}:
            return None  # the right name, but too often
        if set(texts) <= {user.name for user in self.users.values()}:
            return "wrong-connection"
        return "wrong-name" if set(texts) <= {"ada", "grace", "nobody", *NAMES} else None

    def of_open(self, client, difference, steps):
        if client.joined == self.burst:
            return "logout-during-handshake"
        seen = difference.report.clients
        closed = {
            self.clients[number].handshake.get("server", 1)
            for number, one in seen.items()
            if any(message["type"] == "websocket.close" for _, message in one.received)
        }
        if closed and client.handshake.get("server", 1) not in closed:
            return "other-process-not-closed"
        if "commit" in steps:
            before = difference.played.bursts[: difference.burst]
            was_early = any(it.clients[client.number].handled for it in before[-2:])
            return "notified-before-commit" if was_early else None
        has_both = all(name in steps for name in LOGIN_ENDING)
        if has_both or not any(name in steps for name in LOGIN_ENDING):
            return "stale-user"
        return "deactivated-stays" if "is_active" in steps else "password-change-missed"


def test_answers_with_the_name_of_the_user(play):
    """Each frame gets the name that the user has now, or `nobody`."""
    play(f"{BEGIN} | {FIRST_BROWSERS} | 3 connect | text ? | 2 bytes 00 | 3 text")


def test_an_ended_login_closes_each_connection_of_the_user(play):
    """A login that ends closes each connection of its user with 4401, on both servers."""
    every = "connect as=grace | 2 connect as=grace/2 | 3 connect as=grace server=2"
    play(f"{BEGIN} | {every} | {BOTH_CHANGES}")


def test_other_changes_close_no_connection(play):
    """A login in another browser, or another name, closes no connection."""
    play(f"{BEGIN} | connect as=ada | 2 connect as=ada/2 | text ?")
    play(f"{BEGIN} | connect as=ada | {' | text ? | '.join(RENAMES)} | text ?")
    rights = [f'account grace {{"is_staff": {value}}}' for value in ("true", "false")]
    play(f"{BEGIN} | {rights[0]} | connect as=grace | {rights[1]} | text ?")
    for change in HARMLESS:
        play(f"{BEGIN} | connect as=grace | {change} | text ? | {NEW_PASSWORD} | {DEACTIVATE}")


def test_a_deactivation_closes_the_connections_of_that_user(play):
    """A deactivation closes each connection of that user, and no other."""
    every = "connect as=grace | 2 connect as=grace/2 | 3 connect as=grace server=2"
    play(f"{BEGIN} | {every} | 4 connect as=ada | {DEACTIVATE} | 4 text ?")
    for change in (SAVE_ALL_FIELDS, LOADED):
        play(f"{BEGIN} | connect as=ada | {change} | 2 connect as=ada/2 | 2 text ?")


def test_a_new_password_closes_the_connections_of_that_user(play):
    """A new password closes each connection of that user, and no other."""
    every = "connect as=ada | 2 connect as=ada/2 | 3 connect as=ada server=2"
    play(f"{BEGIN} | {every} | 4 connect as=grace | {NEW_PASSWORD} | 4 text ?")
    play(f"{BEGIN} | connect as=ada | {NEW_PASSWORD} | 2 connect as=ada/2 | 2 text ?")
    second = "connect as=ada/2 | text ? | close"
    play(f"{BEGIN} | {second} | {NEW_PASSWORD} | {second}")


def test_a_connection_stays_up_to_date_for_hours(play):
    """A change after an hour or after many others is noticed."""
    hour = f"{BEGIN} | {FIRST_BROWSERS} | wait 3601"
    play(f"{hour} | text ? | {NEW_PASSWORD} | wait 3601 | {DEACTIVATE}")
    play(f"{hour} | {RENAMES[0]} | text ?")
    many = " | ".join(RENAMES * 3)
    play(f"{BEGIN} | connect as=ada | {many} | {DEACTIVATE_ADA}")


def test_answers_no_frame_after_the_end(play):
    """A frame that arrives after the end of the login is not answered."""
    play(f"{BEGIN} | connect as=grace | {DEACTIVATE} | & text ? | & bytes 00 | & text")
    play.at_each_point(f"{BEGIN} | connect as=grace | text ? | at * {DEACTIVATE} | text ?")


def test_closes_after_the_commit(play):
    """A deactivation within a transaction closes the connection after the commit."""
    play(f"{BEGIN} | connect as=ada | begin | {DEACTIVATE_ADA} | commit")
    both = DEACTIVATE_ADA.replace("}", ', "username": "lady"}')
    play(f"{BEGIN} | connect as=ada | 2 connect as=grace | {both}")
    undone = f"begin | {DEACTIVATE_ADA} | rollback"
    play(f"{BEGIN} | connect as=ada | {undone} | text ? | {DEACTIVATE_ADA}")
    play(f'{BEGIN} | connect as=ada | {RENAMES[0]} unsaved {{"is_active": false}} | text ?')


def test_a_login_that_ends_during_the_join_is_noticed(play):
    """A login that ends while its connection joins the group is noticed."""
    play.at_each_point(f"{BEGIN} | connect as=ada | at * {NEW_PASSWORD} | text ?")
    for grace in ("connect as=grace", "connect as=grace answers=9"):
        play.at_each_point(f"{BEGIN} | {grace} | at * {DEACTIVATE} | text ?")


def test_a_new_name_during_the_join_is_noticed(play):
    """A user that gets a new name while its connection joins the group is answered with it."""
    play.at_each_point(f"{BEGIN} | connect as=ada | at * {RENAMES[0]} | text ?")
