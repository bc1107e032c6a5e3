"""Lesson 30: does only the event that queries the database use the sync thread?"""

import json
from typing import ClassVar

from lessons.workshop.judge import Model, near, parse_step

CHANGED = 'layer {"type": "accounts.changed"}'
NUMBERS = '"count": 7, "number": 7, "accounts": 7, "users": 7, "text": "7 accounts"'
CHANGED_MORE = f'layer {{"type": "accounts.changed", {NUMBERS}}}'
UNKNOWN = (
    "no.such.event",
    "websocket.recieve",
    "accounts.changed.",
    ".changed",
    "Accounts.Changed",
    "websocket",
    "receive",
    "websocket-receive",
    *(".accounts.changed", ".websocket.receive"),
    *near("accounts.changed", "websocket.receive")[2:],
)
WITHOUT_THREADS = {"connect", "text", "bytes", "close", "vanish"}
UNDERSCORED = (
    "__eq__",
    "_hidden",
    "_sync",
    "__init__",
    "__module__",
    "_websocket.receive",
    "..eq..",
)
RIGHTS = {"is_staff": True, "is_superuser": True, "last_name": "Family", "email": "a@b.test"}
PROMISES = {
    "which other code sends through the channel layer": "actions",
    "All of that works already": "test_answers_as_before",
    "But for each event": "This says what the exercise is about.",
    "Override `dispatch`": "test_handlers_that_ask_no_database_are_spared",
    "After a restart of the database server": "test_the_database_is_found_again",
    "An event without a type": "No conversation has such an event.",
}


def account(number, **flags):
    fields = {"id": number, "username": f"user {number}", "is_active": True, **flags}
    return f"row auth.User {json.dumps(fields)}"


class Lobby(Model):
    database = True
    texts = ("ping", "pong", "accounts.changed")
    actions = (CHANGED, CHANGED_MORE, 'layer {"type": "no.such.event"}')
    others = (
        *(account(1), account(2, is_active=False), account(12, **RIGHTS)),
        'delete auth.User {"id": 12}',
        "database restarted",
    )
    promise_of: ClassVar = {
        "lean-dispatch-database": "After a restart of the database server, `accounts.changed` is"
        " still answered."
    }

    @classmethod
    def event_of(cls, text):
        return f'layer {{"type": "{text}"}}' if text.startswith("_") else None

    def receive(self, client, text, data):
        """The client receives `pong` for every frame, even an empty one."""
        client.send("pong")

    def layer(self, client, message):
        if message["type"] == "accounts.changed":
            self.count_accounts(client)
        else:
            self.refuse(client)

    def count_accounts(self, client):
        """For a message `accounts.changed`, which other code sends through the channel layer
        (lesson 11), the client receives the number of accounts that exist now: `2 accounts`, and
        also `1 accounts`."""
        client.send(f"{len(self.tables['auth.User'])} accounts")

    def refuse(self, client):
        """An event without a handler, and an event whose type begins with an underscore, raise
        ValueError as before."""
        client.fail("ValueError")

    def fault_at_end(self, turn):
        """While `websocket.connect`, `websocket.receive` and `websocket.disconnect` are handled, no
        job is given to a thread."""
        actions = {step.action for step in map(parse_step, turn.steps)}
        if turn.thread_jobs and actions <= WITHOUT_THREADS:
            after = f"After `{' | '.join(turn.steps)}`"
            # No client: the handler of the event is not what handed over the job.
            return None, "needless-thread-hop", f"{after}, a thread got jobs: {turn.thread_jobs}."
        return None

    def diagnose(self, difference):
        step, fault = difference.step, difference.fault
        if step is None or step.action != "layer":
            return None
        kind = step.arguments["message"]["type"]
        if kind == "accounts.changed":
            return None
        if kind.startswith("_"):
            return "any-method"
        if fault:
            return "wrong-error-for-event" if fault.diagnosis == "exception" else None
        return "missing-handler-ignored" if not difference.received else None


def test_answers_as_before(play):
    """Each frame is answered with "pong", and accounts.changed with the number of accounts."""
    play(f"connect | text ping | text pong | {CHANGED} | bytes | bytes 00ff | text")
    inactive, staff = account(2, is_active=False), account(3, is_staff=True, is_superuser=True)
    play(f"connect | {account(1)} | {CHANGED} | {inactive} | {CHANGED} | {staff} | {CHANGED}")
    play(f"connect | {account(1)} | {CHANGED_MORE}")
    more = " | ".join(map(account, range(1, 13)))
    play(f'connect | {more} | {CHANGED} | delete auth.User {{"id": 5}} | {CHANGED}')
    play(f'connect | silent row auth.User {{"username": "#"}} * 1100 | {CHANGED}')


def test_handlers_that_ask_no_database_are_spared(play):
    """For connect, frames and disconnect, no job is given to a thread."""
    play(f"connect | 2 connect | text ping | & 2 bytes 00 | 2 close | {CHANGED} | text | vanish")


def test_the_database_is_found_again(play):
    """After a restart of the database server, accounts.changed is still answered."""
    play(f"connect | {account(1)} | {CHANGED} | database restarted | {CHANGED} | text ping")
    play(f"connect | database restarted | {CHANGED} | database restarted | {CHANGED}")


def test_a_type_without_a_handler_is_refused(play):
    """An event without a handler raises ValueError, as before."""
    play.in_turn([f"connect | layer {json.dumps({'type': kind})}" for kind in UNKNOWN])


def test_a_type_with_an_underscore_in_front_is_refused(play):
    """An event of type __eq__ raises ValueError, although each object has such a method."""
    for kind in UNDERSCORED:
        play(f'connect | layer {{"type": "{kind}"}}')
