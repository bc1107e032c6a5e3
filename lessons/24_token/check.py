"""Lesson 24: does the kiosk know its client by the token alone, and only as long as it is valid?"""

import json
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from lessons.workshop.judge import Model

LIFETIME, FIRST_FRAME_TIMEOUT, REFRESH_TIMEOUT = 60, 5, 10  # seconds
NAMED = 'account ada {"first_name": "Ada", "last_name": "Byron", "is_superuser": true}'
GONE = 'account ada {"is_active": false}', 'delete auth.User {"username": "bob"}'
# Diagnoses that say that a frame was answered.
ANSWERED = {"expired-token-works", "token-not-required", "token-switches-user"}
_TOKEN = re.compile(r"\{token=(?P<name>[\w/]+)(?P<changes>[^{}]*)\}")
TOKEN_BYTES = b'{"token": "a:b:c"}'  # a binary frame is not a token frame
OTHER_FRAMES = ("text hello", "text", "bytes 00ff", 'text {"user": "bob", "tokens": 1}', "text []")
OTHER_FRAMES += (f"bytes {TOKEN_BYTES.hex()}",)
INVALID = (
    *("text", "text hello", "bytes 00ff", "text {}", 'text "{token=ada}"', 'text ["{token=ada}"]'),
    *('text {"token": null}', 'text {"token": 1}', 'text {"token": ["{token=ada}"]}'),
    *('text {"token": ""}', 'text {"token": "a:b:c"}', 'text {"token": "☃:a:b"}'),
)
PROMISES = {
    "A token frame is a text frame": "texts",
    "A frame that came in time counts": "test_a_token_in_time_counts_while_it_is_checked",
    "Of two valid tokens": "test_an_older_token_changes_nothing",
    "After your close": "receive_after_close",
    "Do not log tokens": "The engine looks for each token in what is printed and logged.",
}


def frame(name):
    """The text of a token frame: the name is as behind `token=`."""
    return f'{{"token": "{{token={name}}}"}}'


def send(name):
    return f"text {frame(name)}"


# A client that sends a newer token each 55 seconds stays for as long as it likes: over an hour.
REFRESHED = (
    f"connect | {send('ada')}",
    *(f"wait 55 | issue ada/{it} | {send(f'ada/{it}')}" for it in range(70)),
    "wait 59 | text ? | wait 2 | text ? | wait 7 | text ? | wait 3",
)
# It lets each token expire, and asks often while it has none.
TOO_LATE = f"wait 63{' | text ?' * 25}"
EXPIRED = (
    f"connect | {send('ada')}",
    *(f"{TOO_LATE} | issue ada/{it} | {send(f'ada/{it}')}" for it in range(6)),
    f"close | issue ada | connect | {send('ada')} | {TOO_LATE} | wait 6 | wait 2",
)
CROWD = (
    *(
        f"{it} connect | {it} {send(f'ada/{it}' if it % 2 else 'bob')} | wait 3"
        for it in range(1, 9)
    ),
    "text ? | 2 text ? | wait 27 | wait 28 | 7 text ? | 2 text ? | wait 7 | 8 text ?",
)


# One client refreshes with a token that is older than that of another client.
RIVALS = (
    *("issue ada", "wait 10", "issue ada/2", "wait 10", "connect", "2 connect"),
    *(send("ada"), f"2 {send('ada/3')}", send("ada/2"), "wait 43", "text ?", "2 text ?"),
)


@dataclass(frozen=True)
class Token:
    made: float
    is_deleted: bool = False  # whether its user was


class Kiosk(Model):
    database = True
    texts = (
        *(frame("ada"), frame("bob"), frame("ada/2")),
        *(frame("ada&altered=longer"), frame("ada&altered=unsigned"), '{"token": 7}'),
    )
    setups = ((), ("issue ada", "wait 21", "issue bob"), ("issue ada", GONE[0]))
    # No sum of these waits is a limit: at the very moment of an expiry, both answers are right.
    others = ("wait 3.05", "wait 27.05", "wait 7.05", "issue ada/2", *GONE)
    ends = (*Model.ends, "crash")
    closes_once = True
    slow = 1
    promise_of: ClassVar = {
        "first-frame-late": "A frame that came in time counts, even if holder_of() takes long.",
        "older-token-counts": "Of two valid tokens, the one that was made later counts.",
        **dict.fromkeys(
            ("expiry-too-early", "newer-token-ignored", "expiry-from-arrival"),
            "Of two valid tokens, the one that was made later counts. When that token is 60 "
            'seconds old, send {"error": "expired"}.',
        ),
        "closed-before-refresh": "10 seconds later, close with 4401, unless a newer valid token has"
        " come.",
        **dict.fromkeys(("send-after-close", "closed-twice"), "After your close, send nothing."),
        "secret-logged": "Do not log tokens.",
    }
    long_conversations = tuple(map(" | ".join, (REFRESHED, EXPIRED, CROWD, RIVALS)))

    def __init__(self):
        super().__init__()
        self.tokens = {}  # name → Token
        self.deactivated = set()
        self.new_names = {}

    def before(self, burst):
        for step in burst:  # a token is made before the burst in which it is sent
            for found in _TOKEN.finditer(step.arguments.get("text", "")):
                self.tokens.setdefault(found["name"], Token(self.now))

    def other(self, step):
        match step.action, step.arguments:
            case "issue", {"name": name}:
                self.tokens[name] = Token(self.now)
            case "account", {"user": user, "fields": {"is_active": False}}:
                self.deactivated.add(user)
            case "account", {"user": user, "fields": {"username": name}}:
                self.new_names[user] = (name,)
            case "delete", {"fields": {"username": user}}:
                for name, token in self.tokens.items():
                    if _user(name) == user:
                        self.tokens[name] = replace(token, is_deleted=True)

    def connect(self, client):
        client.accept()
        client.user = client.expires = None
        client.accepted = self.now
        client.sent = client.sent_in = 0  # valid tokens
        client.is_delayed = False  # whether a token came later than it was made
        client.fault = "", 0  # the diagnosis if what must follow is missing, and the burst
        self.after(FIRST_FRAME_TIMEOUT, self.pass_deadline, client, None)

    def pass_deadline(self, client, expires):
        if client.is_open and client.expires == expires:
            client.fault = "expired-stays-open" if expires else "no-first-frame", self.burst
            close = self.close_expired if expires else self.refuse_first
            close(client)

    def close_expired(self, client):
        """When that token is 60 seconds old, send {"error": "expired"}. 10 seconds later, close
        with 4401, unless a newer valid token has come."""
        client.close(4401)

    def expire(self, client, expires):
        """Of two valid tokens, the one that was made later counts. When that token is 60 seconds
        old, send {"error": "expired"}."""
        if client.is_open and client.expires == expires:
            client.has_expired = True
            client.fault = "expiry-not-told", self.burst
            # While the token is checked, neither its answer nor the error can come.
            is_checked = client.sent_in == self.burst
            client.send_json({"error": "expired"}, at=None if is_checked else self.now)
            self.after(REFRESH_TIMEOUT, self.pass_deadline, client, expires)

    def receive(self, client, text, data):
        is_first = client.user is None
        found, is_token_frame = self.token_in(text)
        if is_first or is_token_frame:
            if fault := self.fault_of(found, is_first):
                client.fault = fault, self.burst
                refuse = self.refuse_first if is_first else self.refuse_later
                refuse(client)
                return
            if not is_first and client.user != _user(found["name"]):
                client.fault = "token-switches-user", self.burst
                self.refuse_later(client, 4403)
                return
            self.take_token(client, found["name"])
        if client.has_expired:
            self.repeat_error(client)
        else:
            self.answer(client)

    def refuse_first(self, client):
        """The first frame must have a valid token, and come within 5 seconds. Otherwise, close with
        4401."""
        client.close(4401)

    def refuse_later(self, client, code=4401):
        """A later token frame without a valid token closes with 4401, and one of another user with
        4403."""
        client.close(code)

    def repeat_error(self, client):
        """When that token is 60 seconds old, send {"error": "expired"}. From then on, frames
        without a token get this answer, too."""
        client.fault = "expired-token-works", self.burst
        client.send_json({"error": "expired"})

    def answer(self, client):
        """Answer this and each later frame of any kind with {"user": "ada"}: the user's name."""
        names = [client.user, *self.new_names.get(client.user, ())]  # it may read it once only
        client.send_json({"user": self.branch(names)})

    def take_token(self, client, name):
        client.user = _user(name)
        made = self.tokens[name].made
        expires = made + LIFETIME
        client.sent += 1
        client.sent_in = self.burst
        client.sent_newest = client.expires is None or expires >= client.expires
        client.is_delayed |= self.now > made
        if client.expires is None or expires > client.expires:
            client.expires, client.has_expired = expires, False
            self.after(expires - self.now, self.expire, client, expires)

    def token_in(self, text):
        # The match of a token that a token frame has, or None; and whether it is a token frame.
        try:
            value = json.loads(text or "")
        except (ValueError, RecursionError):
            return None, False
        if not isinstance(value, dict) or "token" not in value:
            return None, False
        token = value["token"]
        return _TOKEN.fullmatch(token) if isinstance(token, str) else None, True

    def fault_of(self, found, is_first):
        # The diagnosis if this token, which must not be accepted, is accepted; else "".
        fault = "token-not-required"
        if found is not None:
            token, user = self.tokens[found["name"]], _user(found["name"])
            is_old = self.now - token.made >= LIFETIME
            is_gone = token.is_deleted or user in self.deactivated
            faults = {"token-unsigned": found["changes"], "token-too-old": is_old}
            faults |= {"deactivated-let-in": is_gone}
            fault = next((name for name, is_so in faults.items() if is_so), "")
        return fault if is_first or not fault else "token-not-checked-later"

    def fault_in(self, turn, played):
        """After your close, send nothing."""
        for number, seen in turn.clients.items():
            if seen.failed_task and seen.failed_task.diagnosis == "send-after-close":
                return number, "send-after-close", seen.failed_task.detail
        return None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if client is None or difference.step.action == "connect":
            return None
        is_raced = any(step.action == "wait" for step in difference.steps_of_burst[1:])
        is_raced &= client.sent < 2  # by the first frame
        if difference.fault:
            is_late = is_raced and difference.fault.diagnosis == "send-after-close"
            return "first-frame-late" if is_late else None
        expected, received = (
            {it["type"] for it in messages}
            for messages in (difference.expected, difference.received)
        )
        is_told = any("expired" in text for text in difference.texts(difference.received))
        fault, burst = client.fault
        has_error = client.user and client.has_expired and (is_told or burst != self.burst)
        is_closed = "websocket.close" in received - expected
        if has_error and is_closed and difference.step.action == "wait":
            return "closed-before-refresh"
        if burst == self.burst:
            is_from_arrival = client.is_delayed and client.sent_in < self.burst
            if fault == "expiry-not-told" and is_from_arrival:
                fault = "expiry-from-arrival"
            is_right_kind = "websocket.close" in received & expected
            is_right_kind |= is_told and "websocket.close" not in expected
            is_right_kind |= fault in ANSWERED and not received
            return None if is_right_kind else fault
        if "websocket.close" in received:
            return "first-frame-late" if is_raced else self.of_early_close(client, difference)
        return self.of_early_expiry(client) if is_told else None

    def of_early_close(self, client, difference):
        if client.user is None:
            return None
        if abs(difference.times[-1] - client.accepted - FIRST_FRAME_TIMEOUT) < 0.1:
            return "timer-not-cancelled"
        if difference.step.action == "wait":
            return self.of_early_expiry(client)
        return "token-refused" if client.sent_in == self.burst else None

    def of_early_expiry(self, client):
        if client.user is None or client.has_expired:
            return None
        if client.sent == 1:
            return "expiry-too-early"
        return "newer-token-ignored" if client.sent_newest else "older-token-counts"


def _user(name):
    return name.partition("/")[0]


def test_answers_with_the_user_of_the_token(play):
    """A valid token in the first frame, then any frame, gets the name of the user."""
    play(f"connect | {send('ada')} | " + " | ".join(OTHER_FRAMES))
    play(f"connect | 2 connect | 2 {send('bob')} | {send('ada')} | text ? | 2 text ?")
    play(f"connect | {send('zoë')} | text ?")
    play(f"{NAMED} | connect | {send('ada')} | text ?")
    renamed = 'account ada {"username": "lady"}'
    play(f"issue ada/2 | connect | {send('ada')} | {renamed} | {send('ada/2')} | text ?")
    play(f"connect | {send('Ada')} | text ?")
    play('connect | text {"hello": 1, "token": "{token=ada}"} | text ?')


def test_closes_without_a_valid_first_frame(play):
    """A first frame without a valid token closes with 4401, and no frame behind it is answered."""
    for first in INVALID:
        play(f"connect | {first} | & {send('ada')} | & text ?")


def test_rejects_what_issue_did_not_make(play):
    """A changed token, and the token of a deactivated or deleted user, closes with 4401."""
    for change in ("unsigned", "longer", "encoded", "listed", "followed", "earlier", "resigned"):
        play(f"connect | {send(f'ada&altered={change}')} | 2 connect | 2 {send('ada')}")
    for change in ("forged=bob", "spliced=bob"):
        play(f"connect | {send(f'ada&{change}')}")
    play(f"issue ada | {GONE[0]} | connect | {send('ada')}")
    play(f"issue bob | {GONE[1]} | connect | {send('bob')}")


def test_closes_a_client_that_sends_nothing(play):
    """A client that sends nothing for 5 seconds is closed, and no other client is."""
    play(f"connect | wait 4.9 | wait 0.2 | 2 connect | 2 wait 4.9 | 2 {send('ada')} | 2 wait 3")
    play(f"connect answers=9 | wait 5.1 | {send('ada')} | text ?")  # sent before it has the close


def test_an_old_token_opens_nothing(play):
    """A token opens a connection for 60 seconds, as often as its client likes, and not later."""
    play(f"issue ada | wait 58 | connect | {send('ada')} | 2 connect | 2 {send('ada')}")
    play(f"wait 0.9 | issue ada | wait 59.5 | connect | {send('ada')}")
    play(f"issue ada | wait 60.2 | connect | {send('ada')}")


def test_tells_that_the_token_has_expired(play):
    """60 seconds after the token was made, the client gets the error, then again for each frame."""
    play(f"connect | {send('ada')} | wait 59 | text ? | wait 2 | text ? | bytes 00 | wait 7")
    play(f"wait 0.3 | issue ada | wait 0.5 | connect | {send('ada')} | wait 59.4 | wait 0.2")
    play(f"issue ada | wait 40 | connect | {send('ada')} | wait 19 | text ? | wait 2 | text ?")
    play(f"connect | {send('ada')} | wait 30 | 2 connect | 2 {send('bob')} | wait 31 | 2 text ?")
    play.at_each_point(f"connect | {send('ada')} | wait 61 | at * text ?")
    slow = f"2 connect | 2 {send('bob')} | at * wait 2"
    play.at_each_point(f"connect | {send('ada')} | wait 59 | {slow}")


def test_closes_ten_seconds_after_the_expiry(play):
    """If no newer token comes within 10 seconds, the kiosk closes with 4401."""
    play(f"connect | {send('ada')} | wait 61 | wait 8.9 | wait 0.2")
    play.at_each_point(f"connect | {send('ada')} | wait 61 | wait 10 | at * text ?")


def test_a_newer_token_keeps_the_connection(play):
    """A newer token of the same user keeps the connection, before and after the expiry."""
    newer = f"issue ada/2 | {send('ada/2')}"
    play(f"connect | {send('ada')} | wait 50 | {newer} | wait 15 | text ? | wait 44 | wait 2")
    play(f"connect | {send('ada')} | wait 65 | {newer} | wait 15 | text ? | wait 44 | wait 2")
    slow = f"issue ada/2 | {send('ada/2')} | at * wait 2 | text ? | wait 2"
    play.at_each_point(f"connect | {send('ada')} | wait 61 | wait 8 | {slow}")
    late = f"issue ada/2 | wait 20 | {send('ada/2')} | wait 39 | text ? | wait 2"
    play(f"connect | {send('ada')} | wait 5 | {late}")
    soon = f"wait 4 | issue ada/2 | wait 57 | {send('ada/2')} | wait 2.9 | wait 0.2 | text ?"
    play(f"connect | {send('ada')} | {soon}")  # it expires while the first one would still wait


def test_an_older_token_changes_nothing(play):
    """The same token or an older one changes nothing, and one that is 0.4 s newer counts."""
    play(f"connect | {send('ada')} | wait 50 | {send('ada')} | wait 9 | text ? | wait 2 | wait 9")
    older = f"issue ada | wait 20 | connect | {send('ada/2')} | {send('ada')}"
    play(f"{older} | wait 45 | text ? | wait 14 | wait 2")
    newer = f"issue ada | wait 0.4 | issue ada/2 | connect | {send('ada')} | {send('ada/2')}"
    play(f"{newer} | wait 59.8 | text ? | wait 1")


def test_a_later_token_is_checked_too(play):
    """A later token that is not valid, or has expired, closes with 4401."""
    for later in (
        send("ada&altered=longer"),
        send("bob&altered=unsigned"),
        *(it for it in INVALID if '"token":' in it),
        f"wait 62 | {send('ada')}",
        f"issue ada/2 | {GONE[0]} | {send('ada/2')}",
    ):
        play(f"connect | {send('ada')} | {later} | & text ?")
    play(f"connect answers=80 | {send('ada')} | wait 62 | {send('ada&altered=longer')} | wait 20")


def test_no_token_changes_the_user(play):
    """A valid token of another user closes with 4403, also after the expiry."""
    for other in ("bob", "Ada"):
        play(f"connect | {send('ada')} | {send(other)} | & text ?")
    play(f"{NAMED} | connect | {send('bob')} | {send('ada')} | & text ?")  # ada is a superuser
    play(f"connect answers=80 | {send('ada')} | {send('bob')} | wait 62 | wait 10")  # a slow client
    play(f"connect | {send('ada')} | wait 62 | {send('bob')}")


def test_a_token_in_time_counts_while_it_is_checked(play):
    """A first frame that comes in time is not late because the database is slow."""
    play.at_each_point(f"issue ada | connect | {send('ada')} | at * wait 6 | text ?")
    play.at_each_point(f"issue ada | wait 57 | connect | {send('ada')} | at * wait 6 | text ?")


def test_ends_with_its_client(play):
    """After the end of a connection, however it ends, nothing is sent and no task is left."""
    for end in ("close", "vanish", "crash", "kill"):
        play(["connect", "wait 1", end, "2 connect", f"2 {send('ada')}", "2 wait 11"])
        play(["connect", send("ada"), end, "2 connect", f"2 {send('bob')}", "2 wait 65"])
    play.at_each_point(f"connect | {send('ada')} | at * kill | 2 connect | 2 {send('ada')}")
