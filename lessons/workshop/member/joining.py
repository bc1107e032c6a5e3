"""Joins and leaves a class. Joining is one request; for each failure the text says what to do."""

import ipaddress
import json
import secrets
import ssl
import urllib.error
import urllib.request
from typing import NamedTuple
from urllib.parse import urlsplit

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.member import membership, outbox
from lessons.workshop.member.class_codes import normal_code
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.protocol import InvalidFrame, clean_name
from lessons.workshop.student import progress

TIMEOUT = 10.0  # seconds for the room's answer
MAX_ANSWER = 16_384  # bytes
MAX_TEXT = 200  # characters of an error's text from the room
MAX_URL = 300  # characters
FIELDS = ("url", "code", "name", "place")  # of a wish; a failure may be about one of them


class Wish(NamedTuple):
    """Which class a student wants to join, and how."""

    url: str
    code: str
    name: str = ""
    place: str = ""
    shares_code: bool = False


class JoinFailed(Exception):
    """The workshop has not joined. The text says why, and what to do.

    `field` is the one of FIELDS that the text is about, or "". `can_retry` says that the room did
    not answer: the same request may succeed later.
    """

    def __init__(self, text: str, field: str = "", can_retry: bool = False):
        super().__init__(text)
        self.field, self.can_retry = field, can_retry


class NameTaken(JoinFailed):
    """Another student of the class has this name. With the place code, it may be the same one."""


class InOtherClass(JoinFailed):
    """The workshop is in another class, or has another name there."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None  # the code must not travel to another address


def join_class(wish: Wish) -> Membership:
    """Join the class, unless this workshop is in it. Raises JoinFailed and OSError.

    If only `shares_code` differs, join again as the same student and the same device.
    """
    with progress.state_lock("room-join"):  # a second click must not join as a second student
        known = membership.read()
        if known is None:
            known = join(*wish)
            membership.save(known)
        elif not _is_in(known, wish):
            raise InOtherClass(
                f"This workshop is in the class {known.school_class} as {known.name}. "
                "Leave that class first."
            )
        elif known.shares_code != wish.shares_code:
            known = _join_again(known, wish.shares_code)
        return known


def _is_in(known: Membership, wish: Wish) -> bool:
    is_same_room = known.url == normal_url(wish.url)
    is_same_class = is_same_room and normal_code(known.code) == normal_code(wish.code)
    return is_same_class and wish.name in ("", known.name, known.asked_name)


def _join_again(known: Membership, shares_code: bool) -> Membership:
    again = join(known.url, known.code, known.name, known.place, shares_code)
    new = {"token": again.token, "shares_code": shares_code}
    if shares_code:  # what was reported without the code is reported again
        new["reported"] = {}
    return membership.change(known.device, lambda _: new)


def leave_class() -> tuple[Membership, int] | None:
    """Leave the class. Returns it with the number of reports that are lost; None without one.

    Raises OSError.
    """
    known = membership.read()
    if known is None:
        return None
    lost = outbox.count(known.device)
    membership.forget()
    outbox.delete(known.device)
    return known, lost


def join(url: str, code: str, name: str, place: str = "", shares_code: bool = False) -> Membership:
    """Ask the room for a place in the class. Raises JoinFailed."""
    url = normal_url(url)
    if not code.strip():
        raise JoinFailed("The class code is missing. Your instructor has it.", "code")
    try:
        clean_name(name)
    except InvalidFrame as error:
        raise JoinFailed(str(error), "name") from None
    wish = {"code": code, "name": name, "place": place or None, "shares_code": shares_code}
    answer = _request(url, json.dumps(wish).encode())
    texts = [answer.get(one) for one in ("token", "place", "name", "class")]
    token, place, given_name, school_class = texts
    is_room = all(isinstance(one, str) and 0 < len(one) <= MAX_TEXT for one in texts)
    # The token becomes part of a header.
    if not is_room or not token.isascii() or not token.isprintable():
        raise JoinFailed(f"What answers at {url} is not a room. Check the address.", "url")
    device = secrets.token_hex(16)
    return Membership(
        url, code, token, place, given_name, school_class, device, shares_code, asked_name=name
    )


def normal_url(url: str) -> str:
    """`https://HOST[:PORT]`. Without a scheme HTTPS, on this machine HTTP. Raises JoinFailed."""
    text = url.strip()
    try:
        if len(text) > MAX_URL:
            raise ValueError
        if "://" not in text:
            host = urlsplit(f"//{text}").hostname
            text = f"{'http' if _is_loopback(host) else 'https'}://{text}"
        parts = urlsplit(text)
        scheme, host, _ = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host = "", ""
    plain = host and host.isascii() and not set(host) & set(" \\\"'<>")
    if scheme not in ("http", "https") or not plain or parts.username is not None:
        raise JoinFailed(
            f"{url.strip()[:MAX_URL]!r} is not the address of a room. "
            "It looks like https://room.example:9000",
            "url",
        )
    return f"{scheme}://{parts.netloc.lower()}"


def is_readable(url: str) -> bool:
    """Whether others in the network can read what is sent to this room."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _request(url: str, body: bytes) -> dict:
    request = urllib.request.Request(
        f"{url}/room/join/", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as response:
            return _decoded(response.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error.code, error.headers, error.read(MAX_ANSWER)) from None
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from None
    except (OSError, ValueError) as error:  # http.client raises ValueError and OSError too
        raise _unreachable(url, error) from None
    except Exception as error:  # http.client.HTTPException: what answers is not HTTP
        raise _unreachable(url, error) from None


def _decoded(body: bytes) -> dict:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(url: str, status: int, headers, body: bytes) -> JoinFailed:
    answer = _decoded(body)
    said, field = answer.get("error"), answer.get("field")
    said = " ".join(said.split())[:MAX_TEXT] if isinstance(said, str) else ""
    if status == 429:
        wait = headers.get("Retry-After", "")
        wait = f"{wait} seconds" if wait.isdecimal() else "a minute"
        return JoinFailed(f"Too many attempts to join. Try again in {wait}.", can_retry=True)
    if status in (400, 403, 409) and said:
        kind = NameTaken if (status, field) == (409, "name") else JoinFailed
        return kind(said, field if field in FIELDS else "")
    if status >= 500:
        text = f"The room at {url} has an error ({status}). Try again later."
        return JoinFailed(text, "url", can_retry=True)
    text = f"What answers at {url} is not a room (HTTP {status}). Check address and port."
    return JoinFailed(text, "url")


def _unreachable(url: str, reason) -> JoinFailed:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return JoinFailed(
            f"This machine does not trust the certificate of {url}: {reason.verify_message}. "
            "Ask your instructor for the file of its authority, then start the workshop with "
            "SSL_CERT_FILE=FILE.",
            "url",
        )
    if isinstance(reason, ssl.SSLError):
        return JoinFailed(
            f"{url} does not speak HTTPS. If your instructor has started the room with "
            f"--plain-http, write http://{urlsplit(url).netloc}",
            "url",
        )
    is_https = urlsplit(url).scheme == "http" and "RemoteDisconnected" in type(reason).__name__
    hint = " Perhaps the room needs https:// in its address." if is_https else ""
    return JoinFailed(
        f"The room at {url} does not answer: {reason}. Check the address and the network.{hint} "
        f"Then join again, in the browser or with {MANAGE} workshop --join",
        "url",
        can_retry=True,
    )
