"""What users and their browsers do in a conversation: accounts, sessions and tickets.

A ticket is what a client without a cookie shows. The file that is played issues it with its own
issue(user), if it has one, and the client sends it in the header `Authorization: Ticket …`.
Otherwise the lesson's worked middleware issues it, and the client sends it in the query.
"""

import base64
import importlib
import sys
from collections.abc import Callable
from contextlib import suppress

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user, logout
from django.contrib.sessions.backends.db import SessionStore
from django.core.signing import TimestampSigner
from django.http import HttpRequest

from lessons.workshop.course.diagnoses import recognise
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import CheckFailed, Place, make_finding, place_of_error
from lessons.workshop.engine.faults.written_secrets import WrittenSecrets
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.script.steps import HEADERS
from lessons.workshop.engine.world.database import change_account, cookie_of, get_or_create_account

DEFAULT_SALT = "django.core.signing"  # of signing.dumps() and signing.loads()

FIRST_HOLDER = 700_001  # key of an account with a ticket; in the ticket it occurs only once

Headers = list[tuple[bytes, bytes]]


class Accounts:
    """The users of one conversation, their browsers and their tickets."""

    def __init__(self, player, lesson: Lesson, subject):
        self._player = player
        self._lesson = lesson
        module = sys.modules.get(getattr(subject, "__module__", None))
        self._own_file = getattr(module, "__file__", "")
        self._own_issue: Callable | None = getattr(module, "issue", None)
        self._browsers: dict[
            str, Headers
        ] = {}  # browser → headers: `ada`, or `ada/2`, ada's second one
        self._holders: dict[str, int] = {}  # user with a ticket → key of the account
        self._holders_created = 0
        self.tickets: dict[str, str] = {}
        self.secrets = WrittenSecrets(self._own_file)

    async def prepare(self, arguments: dict) -> None:
        """Log in, and issue the tickets, that a handshake with these arguments needs."""
        if user := arguments.get("as"):
            await self.headers_of(user)
        for option in ("ticket", "forged", "spliced"):
            if option in arguments and arguments[option] not in self.tickets:
                await self.issue(arguments[option])

    def headers_for(self, arguments: dict) -> Headers:
        """The headers of a handshake with these arguments."""
        headers = list(self._browsers.get(arguments.get("as"), ()))
        if "ticket" in arguments and self._own_issue:
            scheme = "Bearer" if arguments.get("altered") == "bearer" else "Ticket"
            headers.append((b"authorization", f"{scheme} {self.shown_ticket(arguments)}".encode()))
        for name in HEADERS:
            if name in arguments:
                value = arguments[name].encode(errors="surrogateescape")
                headers.append((name.encode(), value))
        if offered := arguments.get("subprotocols"):
            headers.append((b"sec-websocket-protocol", ", ".join(offered).encode()))
        return headers

    def query_for(self, arguments: dict) -> str | None:
        """The query of a handshake with these arguments."""
        if "ticket" in arguments and not self._own_issue:
            return f"ticket={self.shown_ticket(arguments)}"
        return arguments.get("query")

    # Browsers

    async def headers_of(self, user: str) -> Headers:
        """The headers of the browser in which this user is logged in."""
        if user not in self._browsers:
            self._browsers[user] = await self._player.database.log_in(user.partition("/")[0])
        return self._browsers[user]

    async def start_session(self, user: str, values: dict) -> None:
        self._browsers[user] = await self._player.do(cookie_of, values)

    async def log_out(self, user: str) -> None:
        """The user logs out in a view. Only the session of this user's browser ends."""
        headers = self._browsers[user]

        def act():
            request = HttpRequest()
            request.session = SessionStore(headers[0][1].decode().partition("=")[2])
            request.user = get_user(request)
            logout(request)

        await self._player.do(act)

    def groups_with_a_key(self, groups) -> list[str]:
        """The names of groups that give away the key of a browser's session."""
        cookies = [headers[0][1].decode() for headers in self._browsers.values()]
        keys = [cookie.partition("=")[2].encode() for cookie in cookies]
        forms = {
            form.decode()
            for key in keys
            for form in (key, key[::-1], key.hex().encode(), base64.b64encode(key).rstrip(b"="))
        }
        return [group for group in groups if any(form in group for form in forms)]

    async def change(self, user: str, fields: dict) -> None:
        """Change the account, or create it."""
        await self._player.do(change_account, user, fields)

    # Tickets

    async def issue(self, name: str) -> None:
        """Issue the ticket of that name: `ada/2` is ada's. Raises CheckFailed if issue() fails."""
        user = name.partition("/")[0]
        if not self._own_issue:
            account = await self._player.database.add_account(user)
            module = self._lesson.stack_module or self._lesson.demo.rpartition(".")[0]
            issue = importlib.import_module(module).issue
            self.tickets[name] = await sync_to_async(issue)(account)
            return
        account = await self._holder(user)
        self.tickets[name] = ""  # what a client shows if issue() fails
        try:
            ticket = await self._player.do(self._own_issue, account)
            if not isinstance(ticket, str):
                raise TypeError(f"issue() returned {ticket!r}, which is not a text")
        except Exception as error:
            place = place_of_error(self._own_file, error) or Place(self._own_file)
            detail = error_text(error)
            raise CheckFailed(make_finding(recognise(error), place, "", detail)) from error
        self.tickets[name] = str(ticket)
        self.secrets.add(str(ticket))

    async def _holder(self, user: str):
        """The account of this user. One that was deleted is created again, with another key."""

        key = FIRST_HOLDER + self._holders_created
        self._holders_created += 1
        account = await self._player.do(lambda: get_or_create_account(user, pk=key))
        self._holders[user] = account.pk
        return account

    def shown_ticket(self, arguments: dict) -> str:
        """What the client shows: the ticket, or a changed copy of it."""
        ticket = self.tickets[arguments["ticket"]]
        if other := arguments.get("forged"):
            names = (name.partition("/")[0] for name in (arguments["ticket"], other))
            ticket = _forged(ticket, *(str(self._holders[name]) for name in names))
        if other := arguments.get("spliced"):
            content = self.tickets[other].rpartition(":")[0]
            ticket = f"{content}:{ticket.rpartition(':')[2]}"
        match arguments.get("altered"):
            case "longer":
                return f"{ticket}x"
            case "earlier":
                return f"x{ticket}"
            case "swapped":
                return ticket.swapcase()
            case "unsigned":
                return ticket.rpartition(":")[0] or ticket[:-1]
            case "resigned":
                return TimestampSigner(salt=DEFAULT_SALT).sign(ticket.partition(":")[0])
        return ticket


def _forged(ticket: str, key: str, other_key: str) -> str:
    """The ticket with the other user's key, in plain text or in one of its parts in base64."""
    parts = ticket.split(":")
    for number, part in enumerate(parts):
        plain = b""
        with suppress(ValueError):
            plain = base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
        changed = plain.replace(key.encode(), other_key.encode())
        if changed != plain:
            new = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            return ":".join([*parts[:number], new, *parts[number + 1 :]])
    changed = ticket.replace(key, other_key)
    return f"{ticket}x" if changed == ticket else changed
