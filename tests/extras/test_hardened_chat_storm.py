"""All clients of a hardened chat return at the same moment, to a real Daphne."""

import asyncio
import json

from daphne.endpoints import build_endpoint_description_strings
from django.db import connections
from twisted.internet.endpoints import serverFromString
from websockets.asyncio.client import connect

from lessons.workshop.engine.world.database import fresh_database
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

CLIENTS = 40  # all joins together take 10 s, twice as long as this Daphne gives to a handshake


async def test_no_handshake_is_lost_while_all_clients_join():
    async with fresh_database():
        file = connections.databases["default"]["NAME"]
        with RealDaphne("db_demo_server", file, "slow") as daphne:
            users = await asyncio.gather(*(joined(daphne.port) for _ in range(CLIENTS)))
    assert users == [{"here": [], "guests": CLIENTS}] * CLIENTS


def test_daphne_lets_fifty_new_connections_wait():
    [description] = build_endpoint_description_strings(host="127.0.0.1", port=8000)
    assert serverFromString(None, description)._backlog == 50
    assert serverFromString(None, f"{description}:backlog=1024")._backlog == 1024


async def joined(port):
    """Connect as a guest. Returns the last list of users, when all clients are in it."""
    url, origin = f"ws://127.0.0.1:{port}/ws/chat/lobby/?seen=0", f"http://127.0.0.1:{port}"
    opened = connect(url, origin=origin, proxy=None, open_timeout=TEST_TIMEOUT)
    async with asyncio.timeout(TEST_TIMEOUT), opened as client:
        is_ready, users = False, {}
        while not is_ready or users.get("guests") != CLIENTS:
            frame = json.loads(await client.recv())
            is_ready |= "ready" in frame
            users = frame if "here" in frame else users
        return users
