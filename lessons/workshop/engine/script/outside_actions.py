"""What other processes do with the channel layer, as workers, and by calls of the exercise."""

from contextlib import suppress

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from ..recording.events import error_text
from ..world.channel_layer import current_layer
from .action import LIST, NAME, OBJECT, WORDS, Action, one_of

MAX_FILL = 1000  # messages; more would mean that the channel has no capacity
# State → what happens.
_REDIS = {"gone": "stop", "outside gone": "cut_off", "outside full": "fill_up", "back": "start"}


class Send(Action, usage='send name {"type": "a.message"}', name=NAME, message=OBJECT):
    """Another process sends this to a channel."""

    async def act(self, player, name, message):
        await get_channel_layer().send(name, message)


class Group(Action, usage='group name {"type": "a.message"}', name=NAME, message=OBJECT):
    """Another process sends this to a group."""

    async def act(self, player, name, message):
        await get_channel_layer().group_send(name, message)


class Join(Action, usage="join group name", group=NAME, name=NAME):
    """Another process adds a channel to a group."""

    async def act(self, player, group, name):
        await get_channel_layer().group_add(group, name)


class Take(Action, usage="take name", name=NAME):
    """Another process receives from a channel.

    The answer is the message, None if none waits, or a text if the message is unreadable.
    """

    async def act(self, player, name):
        try:
            return await current_layer().receive_waiting(name)
        except ValueError as error:
            return error_text(error)


class Fill(Action, usage="fill name", name=NAME):
    """Other processes send to a channel until it is full."""

    async def act(self, player, name):
        with suppress(ChannelFull):
            for _ in range(MAX_FILL):
                await get_channel_layer().send(name, {"type": "filler"})


class Redis(Action, usage=f"redis {', or redis '.join(_REDIS)}", state=one_of(*_REDIS)):
    """Redis, which every channel layer uses, stops, or returns. After a stop it is empty.

    `outside gone`: code without a connection does not reach Redis. `outside full`: Redis has no
    memory left for what that code sends.
    """

    async def act(self, player, state):
        getattr(current_layer().redis, _REDIS[state])()


class Worker(Action, usage="worker channel", channels=WORDS):
    """Starts `runworker` with these channels."""

    async def act(self, player, channels):
        await player.workers.start(*channels)


class KillWorkers(Action, usage="kill-workers"):
    """Kills every worker."""

    kills = True

    async def act(self, player):
        await player.workers.kill()


class Call(Action, usage="call report [1, 40]", name=NAME, arguments=LIST):
    """Another process calls this function of the exercise.

    The answer is {"returned": …}, {"raised": …} or {"running": true}.
    """

    def read(self, text):
        arguments = super().read(text)
        if not arguments["name"].isidentifier():
            raise ValueError("no name of a function")
        return arguments

    async def act(self, player, name, arguments):
        return await player.calls.start(player, name, arguments)
