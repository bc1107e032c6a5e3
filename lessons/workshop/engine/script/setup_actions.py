"""Actions that stand first in a conversation, and say how to play it."""

from .action import NUMBER, Action, one_of


class SetupAction(Action):
    is_setup = True


class Capacity(SetupAction, usage="capacity 3", messages=NUMBER):
    """A channel holds so many messages."""


class Keys(SetupAction, usage="keys both, or keys fewer", frames=one_of("both", "fewer")):
    """`both`: frames hold the unused key as None. `fewer`: requests leave out what is empty."""


class Seed(SetupAction, usage="seed 7", number=NUMBER):
    """The number decides what the outside world decides, such as which of two tasks goes first."""
