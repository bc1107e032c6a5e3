"""Lesson 24: wrong kiosks, each with the diagnosis that it must get."""

import asyncio
import base64
import json
import time

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.core import signing

SALT = "kiosk"
LIFETIME = 60  # seconds for which a token is valid
FIRST_FRAME_TIMEOUT = 5  # seconds
REFRESH_TIMEOUT = 10  # seconds after the end of the token


def issue(user):
    """Make a token for this user, who has just logged in over HTTP."""
    return signing.dumps([user.pk, time.time()], salt=SALT)


def token_in(event):
    """Return the token of a token frame, "" if it cannot be one, or None for another frame."""
    try:
        value = json.loads(event.get("text") or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "token" not in value:
        return None
    token = value["token"]
    return token if isinstance(token, str) and token.isascii() else ""


class RightKiosk(AsyncConsumer):
    """What the mistakes below have right."""

    user = None
    made = 0
    timer = None
    has_expired = False
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.stop_timer()

    def stop_timer(self):
        if self.timer is not None:
            self.timer.cancel()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.timer = asyncio.create_task(self.wait_for_first_frame())

    async def wait_for_first_frame(self):
        await asyncio.sleep(FIRST_FRAME_TIMEOUT)
        await self.close(4401)

    async def wait_for_newer_token(self):
        await asyncio.sleep(self.seconds_left())
        self.has_expired = True
        await self.reply({"error": "expired"})
        await asyncio.sleep(REFRESH_TIMEOUT)
        await self.close(4401)

    def seconds_left(self):
        return self.made + LIFETIME - time.time()

    async def websocket_receive(self, event):
        if self.is_closed:
            return
        token = token_in(event)
        if token is not None or self.user is None:
            self.stop_timer()
            user, made = await self.holder_of(token or "")
            if not await self.is_right(user):
                return
            self.take(user, made)
            self.timer = asyncio.create_task(self.wait_for_newer_token())
        await self.answer()

    async def is_right(self, user):
        if user is None:
            await self.close(4401)
        elif self.user is not None and user != self.user:
            await self.close(4403)
        else:
            return True

    def take(self, user, made):
        self.user, self.made, self.has_expired = user, max(made, self.made), False

    async def answer(self):
        name = self.user.get_username() if self.user else "nobody"
        await self.reply({"error": "expired"} if self.has_expired else {"user": name})

    async def holder_of(self, token):
        try:
            user_id, made = self.read(token)
        except signing.BadSignature:
            return None, 0
        return await self.find(user_id), made

    def read(self, token):
        user_id, made = signing.loads(token, salt=SALT)
        if time.time() - made >= LIFETIME:
            raise signing.SignatureExpired("The token is too old.")
        return user_id, made

    async def find(self, user_id):
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()

    async def reply(self, value):
        await self.send({"type": "websocket.send", "text": json.dumps(value)})

    async def close(self, code):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AnswersWithoutAToken(RightKiosk):
    """Checks the tokens that it gets, and does not ask for one."""

    diagnosis = "token-not-required"

    async def websocket_receive(self, event):
        if self.user is None and token_in(event) is None:
            await self.answer()
        else:
            await super().websocket_receive(event)


class WaitsForever(RightKiosk):
    """Waits for the first frame as long as the client likes."""

    diagnosis = "no-first-frame"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})


class NeverStopsTheFirstTimer(RightKiosk):
    """The timer of the first frame goes on after the first frame."""

    diagnosis = "timer-not-cancelled"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.first = asyncio.create_task(self.wait_for_first_frame())

    async def websocket_disconnect(self, event):
        self.first.cancel()
        raise StopConsumer()


class NeverStopsTheOldTimer(RightKiosk):
    """A newer token starts a second timer. The first one goes on, and closes."""

    diagnosis = "newer-token-ignored"
    timers = ()

    def stop_timer(self):
        if self.user is None:
            super().stop_timer()
        self.timers = (*self.timers, self.timer)

    async def websocket_disconnect(self, event):
        for timer in self.timers:
            timer.cancel()
        self.timer.cancel()
        raise StopConsumer()


class ChecksTheTimerLate(RightKiosk):
    """Stops the timer after the query. While the query waits, the timer closes."""

    diagnosis = "first-frame-late"

    def stop_timer(self):
        if self.user is not None or self.is_closed:
            super().stop_timer()

    def take(self, user, made):
        super().take(user, made)
        self.timer.cancel()

    async def websocket_disconnect(self, event):
        self.timer.cancel()
        raise StopConsumer()


class ChecksTheTokenOnce(RightKiosk):
    """Checks the token at the beginning, as a session is checked at the handshake."""

    diagnosis = "expiry-not-told"

    async def wait_for_newer_token(self):
        pass


class ClosesWithoutAWord(RightKiosk):
    """Closes at the moment of the expiry. The client cannot send a newer token in time."""

    diagnosis = "expiry-not-told"

    async def wait_for_newer_token(self):
        await asyncio.sleep(self.seconds_left())
        await self.close(4401)


class WorksAfterTheExpiry(RightKiosk):
    """Tells that the token has expired, and goes on working until it closes."""

    diagnosis = "expired-token-works"

    async def answer(self):
        await self.reply({"user": self.user.get_username()})


class TellsAndStaysOpen(RightKiosk):
    """Leaves the close to the client."""

    diagnosis = "expired-stays-open"

    async def wait_for_newer_token(self):
        await asyncio.sleep(self.seconds_left())
        self.has_expired = True
        await self.reply({"error": "expired"})


class CountsFromTheArrival(RightKiosk):
    """A token lives 60 seconds from the moment at which it was sent, so almost 120 in all."""

    diagnosis = "expiry-from-arrival"

    def take(self, user, made):
        super().take(user, time.time())


class LetsTheLastTokenCount(RightKiosk):
    """Each valid token replaces the one before, also a newer one."""

    diagnosis = "older-token-counts"

    def take(self, user, made):
        self.made = 0
        super().take(user, made)


class SwitchesTheUser(RightKiosk):
    """Takes each valid token for the user who is there now."""

    diagnosis = "token-switches-user"

    async def is_right(self, user):
        if user is not None:
            return True
        await self.close(4401)


class IgnoresOtherUsers(RightKiosk):
    """Keeps the user and the connection when a token of another user comes."""

    diagnosis = "token-switches-user"

    async def is_right(self, user):
        if user is not None and self.user not in (None, user):
            await self.answer()
            return False
        return await super().is_right(user)


class ChecksOnlyTheFirstToken(RightKiosk):
    """Believes that a client with a user cannot send a wrong token."""

    diagnosis = "token-not-checked-later"

    async def is_right(self, user):
        if user is None and self.user is not None:
            await self.answer()
            return False
        return await super().is_right(user)


class ReadsTheTokenUnsigned(RightKiosk):
    """Decodes the content of the token, which any client can write."""

    diagnosis = "token-unsigned"

    def read(self, token):
        content = token.partition(":")[0]
        try:
            return json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        except ValueError:
            raise signing.BadSignature from None


class NeedsNoAge(RightKiosk):
    """Checks the signature, which is valid for ever."""

    diagnosis = "token-too-old"

    def read(self, token):
        return signing.loads(token, salt=SALT)


class FindsDeactivatedUsers(RightKiosk):
    """Believes that a deactivated user has no token. It was made before."""

    diagnosis = "deactivated-let-in"

    async def find(self, user_id):
        return await get_user_model().objects.filter(pk=user_id).afirst()


class CatchesNoBadSignature(RightKiosk):
    """Believes that loads() returns None for a token that is not valid."""

    diagnosis = "ticket-forged"

    async def holder_of(self, token):
        user_id, made = self.read(token)
        return await self.find(user_id), made


class RejectsTheHandshake(RightKiosk):
    """Looks for the token in the handshake, and closes before the accept."""

    diagnosis = "refuses-everyone"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.close"})


class AnswersAfterTheClose(RightKiosk):
    """Forgets that frames may be on their way when it closes."""

    diagnosis = "send-after-close"

    async def websocket_receive(self, event):
        self.is_closed = False
        await super().websocket_receive(event)


class LeavesTheTimer(RightKiosk):
    """Starts a timer, and does not cancel it when the client leaves."""

    diagnosis = "task-left-behind"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)


class PrintsTheToken(RightKiosk):
    """Prints a token that it does not know, to find out why."""

    diagnosis = "secret-logged"

    def read(self, token):
        try:
            return super().read(token)
        except signing.BadSignature:
            print("bad token", token)
            raise
