"""Users and their browsers: accounts, sessions and tickets, and the actions that change them.

A ticket is what a client without a cookie shows. The file that is played issues it with its own
issue(user), if it has one, and the client sends it in the header `Authorization: Ticket …`.
Otherwise the subject's issuer issues it, and the client sends it in the query.
"""

import base64
import importlib
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user, logout
from django.contrib.sessions.backends.db import SessionStore
from django.core.signing import TimestampSigner
from django.http import HttpRequest

from ..faults.finding import SourceFile
from ..faults.written_secrets import WrittenSecrets
from ..recording.events import error_text
from ..subject import Subject
from ..world.accounts import change_account, cookie_of, get_or_create_account, log_in
from .action import NAME, OBJECT, Action
from .client_actions import HEADERS

DEFAULT_SALT = "django.core.signing"  # of signing.dumps() and signing.loads()
FIRST_HOLDER = 700_001  # key of an account with a ticket; in the ticket it occurs only once
Headers = list[tuple[bytes, bytes]]


class Accounts:
    """The users of one conversation, their browsers and their tickets."""

    def __init__(self, player, subject: Subject, loaded):
        self._player = player
        self._issuer = subject.issuer
        module = sys.modules.get(getattr(loaded, "__module__", None))
        self._own_file = getattr(module, "__file__", "")
        self._own_issue: Callable | None = getattr(module, "issue", None)
        self.browsers: dict[str, Headers] = {}  # by user; `ada/2` is ada's second browser
        self._keys: dict[str, int] = {}  # user with a ticket of the own file → key of the account
        self._issued = 0
        self.tickets: dict[str, str] = {}
        self.secrets = WrittenSecrets(self._own_file)

    async def prepare(self, options: dict) -> None:
        """Log in, and issue the tickets, that a handshake with these options needs."""
        if (user := options.get("as")) and user not in self.browsers:
            self.browsers[user] = await sync_to_async(log_in)(user.partition("/")[0])
        for option in ("ticket", "forged", "spliced"):
            if option in options and options[option] not in self.tickets:
                await self.issue(options[option])

    def headers_for(self, options: dict) -> Headers:
        """The headers of a handshake with these options."""
        headers = list(self.browsers.get(options.get("as"), ()))
        if "ticket" in options and self._own_issue:
            schemes = {"bearer": "Bearer", "lower": "ticket"}
            scheme = schemes.get(options.get("altered"), "Ticket")
            headers.append((b"authorization", f"{scheme} {self.shown_ticket(options)}".encode()))
        for name in HEADERS:
            if name in options:
                headers.append((name.encode(), options[name].encode(errors="surrogateescape")))
        if offered := options.get("subprotocols"):
            headers.append((b"sec-websocket-protocol", ", ".join(offered).encode()))
        return headers

    def query_for(self, options: dict) -> str | None:
        """The query of a handshake with these options."""
        if "ticket" in options and not self._own_issue:
            return f"ticket={self.shown_ticket(options)}"
        return options.get("query")

    async def issue(self, name: str) -> None:
        """Issue the ticket of that name: `ada/2` is ada's. Raises CheckFailed if issue() fails."""
        user = name.partition("/")[0]
        if not self._own_issue:
            account = await self._player.do(get_or_create_account, user)
            issue = importlib.import_module(self._issuer).issue
            self.tickets[name] = await sync_to_async(issue)(account)
            return
        # An account that was deleted is created again, with another key.
        key = FIRST_HOLDER + self._issued
        self._issued += 1
        account = await self._player.do(partial(get_or_create_account, user, pk=key))
        self._keys[user] = account.pk
        self.tickets[name] = ""  # what a client shows if issue() fails
        try:
            ticket = await self._player.do(self._own_issue, account)
            if not isinstance(ticket, str):
                raise TypeError(f"issue() returned {ticket!r}, which is not a text")
        except Exception as error:
            own = SourceFile(self._own_file)
            raise own.failure("exception", error, raised=error_text(error)) from error
        self.tickets[name] = str(ticket)
        self.secrets.add(str(ticket))

    def shown_ticket(self, options: dict) -> str:
        """What the client shows: the ticket, or a changed copy of it."""
        name = options["ticket"]
        ticket = self.tickets[name]
        if other := options.get("forged"):
            keys = (str(self._keys[name.partition("/")[0]]) for name in (name, other))
            ticket = _forged(ticket, *keys)
        if other := options.get("spliced"):
            content = self.tickets[other].rpartition(":")[0]
            ticket = f"{content}:{ticket.rpartition(':')[2]}"
        salt = options.get("salt", DEFAULT_SALT)
        altered = {
            "longer": f"{ticket}x",
            "listed": f"{ticket},x",
            "followed": f"{ticket} x",
            "earlier": f"x{ticket}",
            "padded": f"{ticket}=",
            "quoted": f'"{ticket}"',
            "halved": f"{ticket[: len(ticket) // 2]} {ticket[len(ticket) // 2 :]}",
            "swapped": ticket.swapcase(),
            "encoded": quote(ticket, safe=""),
            "unsigned": ticket.rpartition(":")[0] or ticket[:-1],
            "resigned": TimestampSigner(salt=salt).sign(ticket.partition(":")[0]),
        }
        return altered.get(options.get("altered"), ticket)


def _forged(ticket: str, key: str, other_key: str) -> str:
    """The ticket with the other user's key, in plain text or in one of its parts in base64."""
    parts = ticket.split(":")
    for number, part in enumerate(parts):
        plain = b""
        with suppress(ValueError):
            plain = base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
        changed = plain.replace(key.encode(), other_key.encode())
        if changed != plain:
            parts[number] = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            return ":".join(parts)
    changed = ticket.replace(key, other_key)
    return f"{ticket}x" if changed == ticket else changed


class Account(Action, usage='account ada {"is_active": false}', user=NAME, fields=OBJECT):
    """Changes ada's account, or creates it.

    It has `password`, and as lists such as ["auth.add_user"] `permissions`, `group_permissions`.
    """

    async def act(self, player, user, fields):
        await player.do(change_account, user, fields)


class Session(Action, usage='session ada {"theme": "dark"}', user=NAME, fields=OBJECT):
    """Ada's browser has a session, and ada is not logged in."""

    async def act(self, player, user, fields):
        player.accounts.browsers[user] = await player.do(cookie_of, fields)


class Logout(Action, usage="logout ada", user=NAME):
    """Ada logs out in a view. Only the session of this browser ends."""

    def logins(self, arguments):
        return {"as": arguments["user"]}

    async def act(self, player, user):
        await player.do(_log_out, player.accounts.browsers[user])


def _log_out(headers: Headers) -> None:
    request = HttpRequest()
    request.session = SessionStore(headers[0][1].decode().partition("=")[2])
    request.user = get_user(request)
    logout(request)


class Issue(Action, usage="issue ada", name=NAME):
    """The exercise's issue() makes the ticket `ada/2` for ada."""

    async def act(self, player, name):
        await player.accounts.issue(name)
