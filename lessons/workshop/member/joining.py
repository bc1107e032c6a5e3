"""Joins and leaves a class. Joining is one request; for each failure the text says what to do."""

import re
import urllib.error
import urllib.request
from typing import NamedTuple
from urllib.parse import urlsplit

from lessons.workshop.member import membership, protocol
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.protocol import Refused
from lessons.workshop.setup.network_access import is_loopback
from lessons.workshop.student import progress

TIMEOUT = 10.0  # seconds for the room's answer
MAX_ANSWER = 16_384  # bytes
_URL = re.compile(r"(?:(https?)://)?([\w.-]{1,253}|\[[\da-f:.]+\])(:\d{1,5})?(?:/.*)?", re.A)
FIELDS = ("url", "code", "name")  # of a wish; Refused may be about one of them


class Wish(NamedTuple):
    """Which class a student wants to join, and how."""

    url: str
    code: str
    name: str = ""
    shares_code: bool = False


def join_class(wish: Wish) -> Membership:
    """Join the class. In a class, only decide again whether to share code.

    Raises Refused and OSError.
    """
    with progress.state_lock("room-join"):  # a second click must not join as a second student
        known = membership.read()
        if known is None:
            known = _join(wish)
            membership.save(known)
        return membership.change(known, shares_code=wish.shares_code)


def _join(wish: Wish) -> Membership:
    """Ask the room for a place in the class. Raises Refused."""
    url = normal_url(wish.url)
    status, body = _ask(url, protocol.encode(protocol.Join(wish.code, wish.name)).encode())
    try:
        answer = protocol.decode(body, protocol.Joined if status == 200 else protocol.NotJoined)
    except Refused:
        text = f"At {url}, no room answers (HTTP {status}). Check the address, or try again later."
        raise Refused(text, "url") from None
    if isinstance(answer, protocol.NotJoined):
        raise Refused(" ".join(answer.error.split())[: protocol.MAX_LABEL], answer.field)
    today = [*filter(protocol.is_lesson, answer.today or ())]
    return Membership(url, answer.token, answer.name, answer.school_class, today=today)


def normal_url(url: str) -> str:
    """`https://HOST[:PORT]`. Without a scheme HTTPS, on this machine HTTP. Raises Refused."""
    found = _URL.fullmatch(url.strip().lower())
    if not found:
        raise Refused(
            f"{url.strip()[:300]!r} is not the address of a room. "
            "It looks like https://room.example:9000",
            "url",
        )
    scheme, host, port = found.groups()
    usual = "http" if is_loopback(host.strip("[]")) else "https"
    return f"{scheme or usual}://{host}{port or ''}"


def is_readable(url: str) -> bool:
    """Whether others in the network can read what is sent to this room."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname)


def _ask(url: str, body: bytes) -> tuple[int, bytes]:
    """The room's status and answer. Raises Refused if it does not answer."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/room/join/", body, headers)
    try:
        # A redirect is followed with GET: the code does not travel to another address.
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.read(MAX_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MAX_ANSWER)
    except Exception as error:  # of the network, of TLS, or of an answer that is not HTTP
        reason = getattr(error, "reason", None) or error
        raise Refused(
            f"The room at {url} does not answer: {reason}. Check the address, also whether it "
            "begins with http:// or https://, and the network. Then join again.",
            "url",
        ) from None
