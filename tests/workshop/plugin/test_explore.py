"""The mark `explore`, `--seed`, and what a red test reports: pytest runs within pytest."""

import re

import pytest

from lessons.workshop.engine.pytest_plugin.choices import Choices, Decisions, shortest

# A seat that two clients may take: between the question and the answer, another one may act.
MODULE = """
import asyncio

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer

class Seat(AsyncWebsocketConsumer):
    taken = 0

    async def receive(self, text_data):
        if Seat.taken == 0:
            await self.channel_layer.send("audit", {"type": "asked"})
            Seat.taken += 1
            await self.send("yours")
        else:
            await self.send("full")

@pytest.fixture
def asgi_application():
    return Seat.as_asgi()
"""


@pytest.fixture
def run(pytester):
    """Run a test of the module with these options. Returns the result of the inner pytest."""

    def run(test: str, *options: str):
        pytester.makepyfile(test_seat=MODULE + test)
        unused = [f"-pno:{name}" for name in ("django", "randomly", "asyncio", "cacheprovider")]
        plugins = ["-plessons.workshop.engine.pytest_plugin", *unused]
        return pytester.runpytest_inprocess(*plugins, "--tb=short", *options)

    return run


TOGETHER = """
@pytest.mark.explore(conversations=50)
def test_one_seat(world):
    ada, ben = world.connect("/"), world.connect("/")
    with world.together():
        ada.send("please")
        ben.send("please")
    assert ada.received + ben.received in (["yours", "full"], ["full", "yours"])
"""

MOVES = """
@pytest.mark.explore(conversations=50)
def test_one_seat(world):
    clients = [world.connect("/") for _ in range(3)]
    world.moves(*(lambda it=it: it.send("please") for it in clients), clients[2].vanish)
    assert sum(it.received.count("yours") for it in clients) <= 1
"""


def conversation_in(result) -> str:
    found = re.search(r"-+ shortest conversation of --seed \d+ -+\n(.*)", result.stdout.str())
    return found[1]


def test_finds_the_order_in_which_a_test_fails(run):
    result = run(TOGETHER)
    result.assert_outcomes(failed=1)
    assert conversation_in(result) == "connect / | 2 connect / | text please | & 2 text please"


def test_is_green_if_every_order_is_right(run):
    """In each conversation the class begins with a free seat."""
    apart = TOGETHER.replace("with world.together():", "if True:")
    run(apart).assert_outcomes(passed=1)


def test_replays_the_conversation_of_a_seed(run):
    found = run(MOVES)
    seed = re.search(r"--seed (\d+)", found.stdout.str())[1]
    again = run(MOVES, "--seed", seed)
    again.assert_outcomes(failed=1)
    assert conversation_in(again) == conversation_in(found)


def test_the_transcript_stands_below_the_conversation(run):
    run(TOGETHER).stdout.fnmatch_lines(
        [
            "*- transcript -*",
            "  1  client 1   → scope  /*",
            '*client 1   → websocket.receive  text: "please"*',
            '*client *   ← websocket.send  text: "yours"*',
            '*client *   ← websocket.send  text: "yours"*',
        ]
    )


def test_says_that_a_failure_was_not_repeated(run):
    result = run(
        """
played = []

@pytest.mark.explore(conversations=5)
def test_once(world, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "outlives a test"
    if not folder.exists():
        folder.mkdir()
        raise ValueError("only once")
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- played again -*", "*Something outlives a test*"])


def test_refuses_an_async_test(run):
    result = run("async def test_async(world):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The world has its own event loop: write `def`*"])


def test_an_order_keeps_that_of_each_lane():
    items = ["a1", "b1", "a2", "b2", "c1"]
    for seed in range(1, 30):
        merged = Choices(Decisions(seed)).merged(items, lambda item: item[0])
        assert sorted(merged) == sorted(items)
        assert merged.index("a1") < merged.index("a2")
        assert merged.index("b1") < merged.index("b2")


# Decisions


def test_the_shortest_decisions_keep_only_what_fails():
    def fails(decisions):
        return {3, 7} <= {*decisions.given}

    best = shortest(Decisions(9), [1, 3, 5, 5, 7, 2, 0], fails)
    assert best == Decisions(0, (3, 7))
