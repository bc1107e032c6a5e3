"""Random conversations go the same way in the simulated world and on a real Daphne."""

import random

from tests.support.compared_daphne import STAYS, RealServer, SimulatedServer
from tests.support.scripted_events import ACCEPT, ASK, CLOSE, send

CONVERSATIONS = 150
OFFERED = ["chess", "chat"]
RAISES = {}  # a reply without a type: the application dies of it
OPENINGS = [*[ACCEPT, {**ACCEPT, "subprotocol": "chat"}] * 4, CLOSE, RAISES]
SENDS = [
    *[send(text=text) for text in ("hi", "", "é ☃ 🙂", '{"a": 1}')],
    *[send(bytes=data) for data in (b"\x00\xff", b"")],
    send(text="7", bytes=None),
]
CLOSES = [CLOSE, *({**CLOSE, "code": code, "reason": "enough"} for code in (1000, 3000, 4999))]
FRAMES = ["hello", "", "☃", b"\x00", b""]


def conversation(number):
    """What the application sends, and what its client does.

    A client that sends frames stays until the application, which has received all of them, closes.
    Otherwise it would be chance which frames arrive.
    """
    chance = random.Random(number)
    frames = chance.choices(FRAMES, k=chance.randrange(4))
    replies = [chance.choice(OPENINGS), *chance.choices(SENDS, k=chance.randrange(3))]
    for _ in frames:
        replies += [ASK, *chance.choices(SENDS, k=chance.randrange(3))]
    leaves = chance.choice([None, 1000, 1001, 4001])
    if frames or chance.random() < 0.5:
        replies += [chance.choice([*CLOSES, RAISES]), *chance.choices([*SENDS, *CLOSES], k=2)]
        leaves = STAYS
    return replies, {"frames": frames, "leaves": leaves, "subprotocols": OFFERED}


def outcome(server, replies, client):
    visit = server.visit(*replies, **client)
    code = visit.close_code if client["leaves"] is STAYS and visit.status == 101 else None
    return visit.status, visit.subprotocol, visit.frames, code, visit.events


def test_random_conversations_go_the_same_way_on_a_real_daphne():
    differ = {}
    with RealServer(close=0.2) as real:
        for number in range(CONVERSATIONS):
            replies, client = conversation(number)
            seen = [outcome(server, replies, client) for server in (real, SimulatedServer())]
            if seen[0] != seen[1]:
                differ[number] = replies, client, *seen
    assert differ == {}
