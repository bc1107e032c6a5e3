"""On Daphne and on uvicorn, a real client receives what the lessons' transcripts show."""

import ast
import re

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.course.lesson_index import lessons
from tests.support.programs.real_daphne import RealDaphne, leave, stay
from tests.support.programs.running_program import TEST_TIMEOUT

BLOCK = re.compile(r"^```transcript (?P<what>.+)\n(?P<body>(?:.*\n)*?)```$", re.MULTILINE)
SENT = re.compile(r"← websocket\.send  (?:text: \"(?P<text>.*)\"|bytes: (?P<bytes>b\S+))   ")
# Steps of one client, without a user and without Redis.
PLAIN = re.compile(r"connect( /\S+)?( \?\S+)?( subprotocols=\S+)?|(text|bytes|close) \S.*")
APPS = ("sync_demo", "async_demo", "layers_demo")


def conversations():
    """Yield each lesson's transcripts that need only a server: lesson, steps, transcript."""
    for lesson in lessons():
        for block in BLOCK.finditer(lesson.text):
            name, *steps = block["what"].split(" | ")
            is_plain_demo = name.partition(".")[0] in APPS and "  database" not in block["body"]
            if is_plain_demo and all(map(PLAIN.fullmatch, steps)):
                yield lesson, steps, block["body"]


def replies(body):
    """Return the frames that the transcript shows."""
    return [
        ast.literal_eval(found["bytes"]) if found["bytes"] else found["text"]
        for found in SENT.finditer(body)
    ]


def run_client(port, path, steps, awaited):
    """Play the steps. Return the frames, the close code or HTTP status, and the subprotocol.

    The client leaves after `awaited` frames. With None, it waits until the server closes.
    """
    words = steps[0].split()[1:]
    path = next((word for word in words if word.startswith("/")), path)
    query = "".join(word for word in words if word.startswith("?"))
    lists = [word.partition("=")[2] for word in words if word.startswith("subprotocols")]
    offered = [name for names in lists for name in names.split(",")]
    url = f"ws://127.0.0.1:{port}{path}{query}"
    headers = {"origin": f"http://127.0.0.1:{port}", "user_agent_header": None}
    try:
        with connect(url, subprotocols=offered or None, proxy=None, **headers) as client:
            for step in steps[1:]:
                kind, _, what = step.partition(" ")
                if kind != "close":
                    client.send(what if kind == "text" else bytes.fromhex(what))
            if awaited is None:
                frames = stay(client)
            else:
                frames = [client.recv(TEST_TIMEOUT) for _ in range(awaited)] + leave(client)
        return frames, client.close_code, client.subprotocol
    except InvalidStatus as refused:
        return [], refused.response.status_code, None


@pytest.mark.parametrize("server", ["Daphne", "uvicorn"])
def test_a_real_client_receives_what_the_transcripts_show(server):
    played = set()
    with RealDaphne("project", "project", server=server) as running:
        for lesson, steps, body in conversations():
            closes = re.search(r"← websocket\.close  code: (\d+)", body)
            accepts = re.search(r'← websocket\.accept(?:  subprotocol: "(\S+)")?', body)
            frames = replies(body)
            actual = run_client(running.port, lesson.path, steps, None if closes else len(frames))
            code = 403 if not accepts else int(closes[1]) if closes else 1000
            expected = (frames, code, accepts and accepts[1])
            assert actual == expected, (lesson.key, steps)
            played.add(lesson.number)
    assert played >= {1, 2, 3, 4, 5, 9}
