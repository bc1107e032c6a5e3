"""Plays a story on a demo's consumer, and checks after each step what must never happen.

A story is a list of steps, such as `("connect", 0, {...})` or `("wait", None, 12)`: the name of a
method of `StoryPlayer`, the number of the client or None, and the arguments.
"""

import asyncio
from contextlib import suppress
from urllib.parse import quote

from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session

from auth_demo.tickets import issue
from db_demo.models import Entry, Post
from layers_demo.consumers import Primes
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.channel_layer import (
    current_layer,
    current_layers,
    fake_redis,
    is_simulated_outage,
)
from lessons.workshop.engine.world.communicator import StrictHttpCommunicator
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.worker import Workers
from lessons.workshop.judge import StrictCommunicator
from tests.support.strategies import ACCOUNTS

CHANNEL_CAPACITY = 5  # messages; so few that channels are sometimes full

# Exceptions that a lesson explains: the step, how the text begins, and the lesson.
EXPLAINED_BY_LESSON = {
    ("send_layer_message", "ValueError: No handler for message type "): 11,
    ("send_layer_message", "ValueError: Incoming message has no 'type' attribute"): 11,
    ("send_layer_message", "ValueError: Malformed type in message (leading underscore)"): 11,
    ("send_layer_message", "KeyError: "): 11,  # the sender left out a key that the handler reads
    # Neither text nor bytes. No server sends this; two echoes send it back, and Daphne drops it.
    ("send_empty_frame", "send-without-payload"): 2,
    ("send_empty_frame", "KeyError: 'bytes'"): 9,  # raised by the generic consumer of Channels
}
# crash() of the strict communicator sends this type. A slow handler may delay the exception.
CRASH_ERROR = "No handler for message type bug.in.a.handler"


class StoryPlayer:
    """Plays the clients of one demo, and all other parts of a project around it."""

    def __init__(self, demo, database, redis):
        self.demo, self.database, self.redis = demo, database, redis
        self.connected, self.ended = {}, []
        self.connections = {}  # by client: all its communicators, with their transcripts
        self.workers = Workers(Primes)
        self.loop = asyncio.get_running_loop()

    async def play(self, steps):
        for step in steps:
            name, who, *details = step
            before, began = self._frame_counts(), self.loop.time()
            receivers = self._group_companions(who)
            try:
                await getattr(self, name)(who, *details)
            except CheckFailed as failure:
                self._check_failure(failure, "send_layer_message" if name == "wait" else name)
                await self._cancel(who)
            self._check_ended()
            if who is not None and self.loop.time() == began:
                receivers |= {who} | self._group_companions(who)
                self._check_other_clients(before, receivers)
        await self.set_outage(None, is_over=True)
        for who in list(self.connected):
            await self.leave(who, ("disconnect", 1001))
        await self._check_leftovers()

    # Steps

    async def connect(self, who, handshake):
        if who in self.connected:
            await self.leave(who, ("disconnect", 1001))
        client = await self._new_client(handshake)
        self.connected[who] = client
        self.connections.setdefault(who, []).append(client)
        if self.demo.kind == "websocket":
            await client.connect()
        else:
            client.is_open = True

    async def send_empty_frame(self, who):
        await self._send_events(who, [{"type": "websocket.receive"}])
        await self._wait_for_slow_demo(1)

    async def send_frames(self, who, frames):
        events = [{"type": "websocket.receive", **_plain(frame)} for frame in frames]
        await self._send_events(who, events)
        await self._wait_for_slow_demo(len(frames))

    async def _wait_for_slow_demo(self, frames):
        slow = ("async_demo.Sleeper", "async_demo.Printer", "async_demo.SlowEcho")
        if self.demo.name in slow:
            await self.wait(None, 3 * frames + 1)  # these sleep up to three seconds per frame

    async def send_body(self, who, pieces, is_complete):
        if who in self.connected and self.connected[who].is_open:
            self.connected[who].is_open = not is_complete
            event = {"type": "http.request", "more_body": True}
            events = [{**event, "body": bytes(piece)} for piece in pieces]
            events[-1]["more_body"] = not is_complete
            await self._send_events(who, events)

    async def leave(self, who, how):
        name, *details = how
        client = self.connected.pop(who, None)
        if client is None:
            return
        self.ended.append(client)
        if self.demo.kind == "http":
            details = []
        if not client.finished:
            await getattr(client, name)(*details)

    async def send_layer_message(self, who, message):
        client = self.connected.get(who)
        if client is not None and not client.finished:
            layer = current_layer()
            channel = layer.channel_of(client.server.connection_id)
            if channel is not None and self.redis.has_channels:
                await layer.send(channel, message)
                await self._check_client(client)

    async def wait(self, _, seconds):
        await asyncio.sleep(seconds)
        await self._check_clients()

    async def set_outage(self, _, is_over):
        if is_over:
            self.redis.start()
        else:
            await self.redis.stop()
            await self._check_clients()

    async def set_worker(self, _, is_running):
        self._check_workers()
        await (self.workers.start("primes") if is_running else self.workers.kill())

    async def change_database(self, _, change):
        await self.database.do(getattr(DatabaseChanges, change))
        await self._check_clients()

    async def _send_events(self, who, events):
        client = self.connected.get(who)
        if client is None or client.server.client_left or client.finished:
            return
        for event in events[:-1]:
            client.server.deliver(event)
        await client.send_input(events[-1])

    # Clients

    async def _new_client(self, handshake):
        path = self.demo.path.replace("<str:room_name>", "<str:room>")
        path = path.replace("<str:room>", quote(handshake["room"])).replace("<int:number>", "1")
        headers, query = [(b"host", handshake["host"])], handshake["query"]
        if handshake["login"] and self.database and self.demo.name == "auth_demo.Welcome":
            query = f"ticket={await self._ticket(handshake['login'])}"
        elif handshake["login"] and self.database:
            headers += await self._cookie(handshake["login"])
        if self.demo.kind == "http":
            return StrictHttpCommunicator(self.demo.application, handshake["method"], path)
        path = f"{path}?{query}" if query else path
        return StrictCommunicator(self.demo.application, path, headers, handshake["subprotocols"])

    async def _cookie(self, name):
        if name == "no such session":
            return [(b"cookie", b"sessionid=nosuchsessionnosuchsession1234")]
        return await self.database.log_in(name)

    async def _ticket(self, name):
        if name == "no such session":
            return "1:2:3"
        return await self.database.do(_ticket_of, name)

    async def _check_clients(self):
        for client in list(self.connected.values()):
            await self._check_client(client)

    async def _check_client(self, client):
        if client.server.started and not client.server.is_judged:
            try:
                await client.receive_nothing(timeout=0)
            except CheckFailed as failure:
                self._check_failure(failure, "send_layer_message")

    # Checks

    def _check_failure(self, failure, step):
        """Raise the failure, unless a lesson explains it."""
        error = failure.__cause__
        text = f"{type(error).__name__}: {error}" if error else failure.finding.diagnosis
        if is_simulated_outage(error) or str(error) == CRASH_ERROR:
            return
        explained = EXPLAINED_BY_LESSON
        if not any(step == known and text.startswith(begin) for known, begin in explained):
            raise failure

    async def _cancel(self, who):
        """End a client after a failure that a lesson explains; check nothing more about it."""
        client = self.connected.pop(who, None)
        if client is not None:
            self.ended.append(client)
            if not client.finished:
                await client.kill()

    def _check_workers(self):
        for worker in self.workers._processes:
            for error in worker.errors:
                if not is_simulated_outage(error):
                    raise error

    def _check_ended(self):
        """Check that ended connections have left no task and no group."""
        for who, client in list(self.connected.items()):
            if client.finished:
                self.ended.append(self.connected.pop(who))
        for client in self.ended:
            client.server.judge_leftovers("task-left-behind")
        self.ended.clear()

    def _frame_counts(self):
        return {who: len(_sent_by(clients)) for who, clients in self.connections.items()}

    def _group_companions(self, who):
        """Return the clients that share a group with this one."""
        if who not in self.connected:
            return set()
        layer = current_layer()
        channels = {
            each: layer.channel_of(client.server.connection_id)
            for each, client in self.connected.items()
        }
        groups = [members for members in layer.groups.values() if channels[who] in members]
        return {each for each in channels for members in groups if channels[each] in members}

    def _check_other_clients(self, before, receivers):
        for who, count in before.items():
            if who not in receivers:
                after = len(_sent_by(self.connections[who]))
                assert after == count, f"client {who} received a frame too"

    async def _check_leftovers(self):
        self._check_workers()
        await self.workers.kill()
        self._check_ended()
        await self.loop.wait_until_idle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for layer in current_layers().values():
            assert not {group for group, members in layer.groups.items() if members}
        if self.database:
            assert await self.database.unmanaged_connections() == []

    async def end(self):
        await self.workers.kill()
        for clients in self.connections.values():
            for client in clients:
                await client.cancel_application()

    def received_by(self, who):
        """Return what each connection of this client received, without its channel names."""
        return [_without_channel(client) for client in self.connections.get(who, [])]


def _plain(frame):
    """Return the frame with values of the exact types str and bytes, not of their subclasses."""
    kinds = {"text": str, "bytes": bytes}
    return {key: value if value is None else kinds[key](value) for key, value in frame.items()}


def _sent_by(clients):
    return [event for client in clients for event in _frames_to(client)]


def _frames_to(client):
    events = client.transcript
    return [it.message for it in events if (it.lane, it.direction) == ("client", "out")]


def _without_channel(client):
    channel = current_layer().channel_of(client.server.connection_id)
    return [str(it).replace(f"'{channel}'", "'own channel'") for it in _frames_to(client)]


def _make_accounts():
    for name in ACCOUNTS:
        User.objects.create_user(name, password="secret")


def _ticket_of(name):
    return issue(User.objects.get(username=name))


class DatabaseChanges:
    """Changes by other code than the consumer."""

    def post():
        Post.objects.create(title="<b>", text="\x00\n")

    def edit():
        for post in Post.objects.all()[:1]:
            post.save()

    def delete():
        for post in Post.objects.all()[:1]:
            post.delete()

    def entry():
        Entry.objects.create(text="written by other code")

    def logout():
        Session.objects.all().delete()

    def password():
        for user in User.objects.all():
            user.set_password("secret")
            user.save()

    def inactive():
        for user in User.objects.all()[:1]:
            user.is_active = False
            user.save()

    def group():
        Group.objects.get_or_create(name="editors")


async def play_story(demo, steps):
    """Return what each client received. Raises AssertionError or CheckFailed for a fault."""
    if demo.needs_database:
        async with fresh_database() as database:
            await database.do(_make_accounts)
            return await _play(demo, database, steps)
    return await _play(demo, None, steps)


async def _play(demo, database, steps):
    with fake_redis(capacity=CHANNEL_CAPACITY) as redis:
        player = StoryPlayer(demo, database, redis)
        try:
            await player.play(steps)
            return {who: player.received_by(who) for who in player.connections}
        finally:
            with suppress(CheckFailed):
                await player.end()
