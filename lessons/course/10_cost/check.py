"""Lesson 10: is each event spared the database's thread, but the one that needs it?"""

import json

from lessons.judge import Model

CHANGED = 'layer {"type": "accounts.changed"}'
UNKNOWN = ("no.such.event", "websocket.recieve", "accounts.changed.", ".changed")
UNDERSCORED = ("__eq__", "_hidden", "__init__")


def account(number, **flags):
    fields = {"id": number, "username": f"user {number}", "is_active": True, **flags}
    return f"row auth.User {json.dumps(fields)}"


class Lobby(Model):
    database = True
    texts = ("ping", "pong", "accounts.changed")
    actions = (CHANGED, CHANGED, 'layer {"type": "no.such.event"}')
    others = (
        *(account(1), account(2, is_active=False), account(12, is_staff=True, is_superuser=True)),
        'delete auth.User {"id": 12}',
        "database restarted",
    )
    without_threads = ("connect", "text", "bytes", "close", "vanish")

    def receive(self, client, text, data):
        """Every frame gets `pong`."""
        client.send("pong")

    def layer(self, client, message):
        """gets the number of accounts that there are now: `2 accounts`"""
        if message["type"] == "accounts.changed":
            client.send(f"{len(self.tables['auth.User'])} accounts")
        else:
            client.must_fail("ValueError")

    def refused(self):
        """An event without a handler, and an event whose type begins with an underscore, raise
        ValueError as before."""

    def promise_of(self, step):
        if step.action == "layer" and step.arguments["message"]["type"] != "accounts.changed":
            return " ".join(self.refused.__doc__.split())
        return super().promise_of(step)

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
    """Each frame gets "pong", and accounts.changed gets the number of accounts."""
    play(f"connect | text ping | text pong | {CHANGED} | bytes | bytes 00ff | text")
    inactive, staff = account(2, is_active=False), account(3, is_staff=True, is_superuser=True)
    play(f"connect | {account(1)} | {CHANGED} | {inactive} | {CHANGED} | {staff} | {CHANGED}")
    more = " | ".join(map(account, range(1, 13)))
    play(f'connect | {more} | {CHANGED} | delete auth.User {{"id": 5}} | {CHANGED}')


def test_handlers_that_ask_no_database_are_spared(play):
    """For connect, frames and disconnect, no job is handed to a thread."""
    play(f"connect | 2 connect | text ping | & 2 bytes 00 | 2 close | {CHANGED} | text | vanish")


def test_the_database_is_found_again(play):
    """When the database's server was restarted, accounts.changed gets its answer."""
    play(f"connect | {account(1)} | {CHANGED} | database restarted | {CHANGED} | text ping")
    play(f"connect | database restarted | {CHANGED} | database restarted | {CHANGED}")


def test_a_type_without_a_handler_is_refused(play):
    """An event that has no handler ends the consumer with ValueError, as before."""
    for kind in UNKNOWN:
        play(f'connect | layer {{"type": "{kind}"}}')


def test_a_type_with_an_underscore_in_front_is_refused(play):
    """So does an event of type __eq__, although each object has a method of that name."""
    for kind in UNDERSCORED:
        play(f'connect | layer {{"type": "{kind}"}}')
