"""Tells a story to a worked consumer, and looks after each step at what it must not have done."""

import asyncio
from contextlib import suppress
from urllib.parse import quote

from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session

from auth_demo.tickets import issue
from db_demo.models import Entry, Post
from layers_demo.consumers import Primes
from lessons.core.catalogue import find
from lessons.judge import StrictCommunicator
from lessons.simulator.channel_layer import (
    current_layer,
    current_layers,
    fake_redis,
    is_simulated_outage,
)
from lessons.simulator.check_context import CheckContext
from lessons.simulator.communicator import StrictHttpCommunicator
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed
from lessons.simulator.worker import Workers
from tests.support.strategies import ACCOUNTS

ROOM_FOR = 5  # messages in a channel: few, so that it is full at times

# The exceptions that a lesson names: after which step, how they begin, and which lesson.
NAMED = {
    ("hear", "ValueError: No handler for message type "): 11,
    ("hear", "ValueError: Incoming message has no 'type' attribute"): 11,
    ("hear", "ValueError: Malformed type in message (leading underscore)"): 11,
    ("hear", "KeyError: "): 11,  # the sender left out a key that the handler reads
    # Neither text nor bytes: what no server sends, two echoes send back, and Daphne drops.
    ("say_nothing", "send-without-payload"): 2,
    ("say_nothing", "KeyError: 'bytes'"): 9,  # raised by the generic consumer itself
}
# The strict communicator's own way to let a handler raise; it may wait behind a slow handler.
BUG = "No handler for message type bug.in.a.handler"


class Story:
    """Some clients of one demo; the others of a project; what each client was sent."""

    def __init__(self, demo, database, redis):
        self.demo, self.database, self.redis = demo, database, redis
        self.here, self.gone = {}, []
        self.sent = {}  # by client: the transcripts of all its connections
        self.workers = Workers(CheckContext(find("worker"), Primes))
        self.loop = asyncio.get_running_loop()

    async def tell(self, steps):
        for step in steps:
            name, who, *details = step
            before, began = self._outgoing(), self.loop.time()
            may_be_told = self._companions(who)
            try:
                await getattr(self, name)(who, *details)
            except CheckFailed as red:
                self._judge(red, "hear" if name == "wait" else name)
                await self._end_of_the_named(who)
            self._judge_the_ended()
            if who is not None and self.loop.time() == began:
                self._judge_the_others(before, {who} | may_be_told | self._companions(who))
        await self.redis_back()
        for who in list(self.here):
            await self.go(who, ("disconnect", 1001))
        await self._judge_what_is_left()

    # What happens

    async def come(self, who, handshake):
        if who in self.here:
            await self.go(who, ("disconnect", 1001))
        client = await self._client(handshake)
        self.here[who] = client
        self.sent.setdefault(who, []).append(client)
        if self.demo.kind == "websocket":
            await client.connect()
        else:
            client.is_open = True

    async def say_nothing(self, who):
        await self._put(who, [{"type": "websocket.receive"}])

    async def say(self, who, frames):
        await self._put(who, [{"type": "websocket.receive", **_plain(frame)} for frame in frames])
        if self.demo.name == "async_demo.Sleeper":
            await self.wait(None, 3 * len(frames) + 1)  # its ways to wait take three seconds

    async def upload(self, who, pieces, is_all):
        if who in self.here and self.here[who].is_open:
            self.here[who].is_open = not is_all
            event = {"type": "http.request", "more_body": True}
            events = [{**event, "body": bytes(piece)} for piece in pieces]
            events[-1]["more_body"] = not is_all
            await self._put(who, events)

    async def _put(self, who, events):
        client = self.here.get(who)
        if client is None or client.server.client_left or client.finished:
            return
        for event in events[:-1]:
            client.server.deliver(event)
        await client.send_input(events[-1])

    async def go(self, who, how):
        name, *details = how
        client = self.here.pop(who, None)
        if client is None:
            return
        self.gone.append(client)
        if self.demo.kind == "http":
            details = []
        if not client.finished:
            await getattr(client, name)(*details)

    async def hear(self, who, message):
        client = self.here.get(who)
        if client is not None and not client.finished:
            layer = current_layer()
            channel = layer.channel_of(client.server.connection_id)
            if channel is not None and self.redis.has_channels:
                await layer.send(channel, message)
                await self._look(client)

    async def wait(self, _, seconds):
        await asyncio.sleep(seconds)
        await self._look_around()

    async def redis_away(self):
        await self.redis.stop()
        await self._look_around()

    async def redis_back(self):
        self.redis.start()

    async def outage(self, _, is_over):
        await (self.redis_back() if is_over else self.redis_away())

    async def work(self, _, begins):
        self._judge_the_workers()
        await (self.workers.start("primes") if begins else self.workers.kill())

    async def save(self, _, what):
        await self.database.do(getattr(ExternalSender, what))
        await self._look_around()

    async def _look_around(self):
        for client in list(self.here.values()):
            await self._look(client)

    async def _look(self, client):
        if client.server.started and not client.server.is_judged:
            try:
                await client.receive_nothing(timeout=0)
            except CheckFailed as red:
                self._judge(red, "hear")

    # Who they are

    async def _client(self, handshake):
        path = self.demo.path.replace("<str:room_name>", "<str:room>")
        path = path.replace("<str:room>", quote(handshake["room"]))
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

    # What must not be

    def _judge(self, red, after):
        """Pass over what a lesson names; raise all else."""
        error = red.__cause__
        text = f"{type(error).__name__}: {error}" if error else red.finding.diagnosis
        if is_simulated_outage(error) or str(error) == BUG:
            return
        if not any(after == step and text.startswith(begins) for step, begins in NAMED):
            raise red

    async def _end_of_the_named(self, who):
        """What a lesson names may not have ended the consumer; but no more is asked of it."""
        client = self.here.pop(who, None)
        if client is not None:
            self.gone.append(client)
            if not client.finished:
                await client.kill()

    def _judge_the_workers(self):
        for worker in self.workers._processes:
            for error in worker.errors:
                if not is_simulated_outage(error):
                    raise error

    def _judge_the_ended(self):
        """Whoever has ended, however, has left no task and no group."""
        for who, client in list(self.here.items()):
            if client.finished:
                self.gone.append(self.here.pop(who))
        for client in self.gone:
            client.server.judge_leftovers("task-left-behind")
        self.gone.clear()

    def _outgoing(self):
        return {who: len(_sent_by(clients)) for who, clients in self.sent.items()}

    def _companions(self, who):
        """The clients that are in one group with this one."""
        if who not in self.here:
            return set()
        layer = current_layer()
        channels = {
            one: layer.channel_of(client.server.connection_id) for one, client in self.here.items()
        }
        groups = [members for members in layer.groups.values() if channels[who] in members]
        return {one for one in channels for members in groups if channels[one] in members}

    def _judge_the_others(self, before, may_be_told):
        for who, number in before.items():
            if who not in may_be_told:
                assert len(_sent_by(self.sent[who])) == number, f"client {who} was told, too"

    async def _judge_what_is_left(self):
        self._judge_the_workers()
        await self.workers.kill()
        self._judge_the_ended()
        await self.loop.wait_until_idle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for layer in current_layers().values():
            assert not {group for group, members in layer.groups.items() if members}
        if self.database:
            assert await self.database.unmanaged_connections() == []

    async def end(self):
        await self.workers.kill()
        for clients in self.sent.values():
            for client in clients:
                await client.cancel_application()

    def heard(self, who):
        """All that this client was sent, on all its connections; its own channel has no number."""
        return [_without_channel(client) for client in self.sent.get(who, [])]


def _plain(frame):
    """A frame whose values are str and bytes, and no classes of the strategies'."""
    kinds = {"text": str, "bytes": bytes}
    return {key: value if value is None else kinds[key](value) for key, value in frame.items()}


def _sent_by(clients):
    return [event for client in clients for event in _outgoing_of(client)]


def _outgoing_of(client):
    events = client.transcript
    return [it.message for it in events if (it.lane, it.direction) == ("client", "out")]


def _without_channel(client):
    channel = current_layer().channel_of(client.server.connection_id)
    return [str(it).replace(f"'{channel}'", "'own channel'") for it in _outgoing_of(client)]


def _make_accounts():
    for name in ACCOUNTS:
        User.objects.create_user(name, password="secret")


def _ticket_of(name):
    return issue(User.objects.get(username=name))


class ExternalSender:
    """What others save."""

    def post():
        Post.objects.create(title="<b>", text="\x00\n")

    def edit():
        for post in Post.objects.all()[:1]:
            post.save()

    def delete():
        for post in Post.objects.all()[:1]:
            post.delete()

    def entry():
        Entry.objects.create(text="said by no client")

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


async def told(demo, steps):
    """What each client was sent in the story; AssertionError or CheckFailed where it went wrong."""
    if demo.needs_database:
        async with fresh_database() as database:
            await database.do(_make_accounts)
            return await _told(demo, database, steps)
    return await _told(demo, None, steps)


async def _told(demo, database, steps):
    with fake_redis(capacity=ROOM_FOR) as redis:
        story = Story(demo, database, redis)
        try:
            await story.tell(steps)
            return {who: story.heard(who) for who in story.sent}
        finally:
            with suppress(CheckFailed):
                await story.end()
