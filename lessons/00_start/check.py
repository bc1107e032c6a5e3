"""Lesson 0: does each request and each WebSocket reach what the task says?"""

import re
from typing import ClassVar
from urllib.parse import quote, unquote

from lessons.workshop.judge import NAMES, Model, Source, Stream, complete_response, near

PATH = "/ws/sync/start/"
OTHERS = ("/", "/ws/", "/ws/sync/start", f"{PATH}more/", f"/more{PATH}", "/ws/sync/other/")
WORDS = PATH.strip("/").split("/")
UNLIKE = (
    *("/WS/SYNC/START/", "/ws-sync-start/", "/ws-sync/start/", "/ws/sync-start/"),
    *(f"{PATH}a/", f"{PATH}more/more/", f"{PATH}{'0' * 8}{'-0000' * 3}-{'0' * 12}/"),
    *(f"/{'/'.join(WORDS[:n] + WORDS[n + 1 :])}/" for n in range(3)),  # a word is missing
    *(f"/{'/'.join([*WORDS[:n], more, *WORDS[n:]])}/" for n in range(4) for more in ("x", "7")),
    *("/a" * 9, f"/other/ ?path={PATH}", f"{PATH}../start/", "/ws/./sync/start/"),
)
PROMISES = {
    "`application` is what the server loads": "This says what the exercise has.",
    "`website` stands for Django": "request",
    "`Line` accepts each client": "receive",
    "`Closed` rejects each client": "test_other_paths_are_rejected",
    "A WebSocket to any other path": "test_other_paths_are_rejected",
    "All three are right": "This says what to leave alone.",
    "This works already": "test_each_request_reaches_the_website",
    "`/ws/sync/start` without the last slash": "test_other_paths_are_rejected",
    "No path has two slashes": "This says which paths clients ask for.",
    "`application` keeps its name": "The engine loads this name.",
}


class Switchboard(Model):
    handshakes = (
        *("connect", "connect ?path=/other/", *(f"connect {path}" for path in OTHERS)),
        *("connect subprotocols=a,b cookie=a=b", "connect origin=http://a authorization=b"),
        *("GET /", f"GET {PATH}", "POST /pages/1/", f'POST {PATH} "a body"', "PUT /pages/1/"),
    )
    inputs: ClassVar = {
        "connect …": [*map(Source, UNLIKE)],
        "connect /ws/sync/…/": (*NAMES, *near("start")),
        "connect /…/sync/start/": near("ws"),
        "connect /ws/…/start/": near("sync", "layers", "async"),
        "connect /ws/sync/start/…": near(""),
        "GET /…": (*NAMES, PATH[1:-1], "a/b/c/d.html", "\n", "x" * 300, Source("x/?x=1")),
    }
    silent_after_disconnect = True
    crowd = 60
    given = ("Line", "Closed")

    @classmethod
    def event_of(cls, text):
        """A handshake with a path that a route of the submission names."""
        path = re.sub(r"<[^>]*>", "7", text.lstrip("^").removesuffix("\\Z").rstrip("$"))
        path = f"/{path.removeprefix('/')}"
        return None if "//" in path else f"connect {quote(path)}"

    def connect(self, client):
        """A WebSocket to `/ws/sync/start/` reaches `Line`"""
        client.frames = 0
        path = unquote(client.handshake.get("path", PATH))
        if path == PATH:
            client.accept()
            client.send("open")
        else:
            client.reject(
                promise="`/ws/sync/start` without the last slash and `/ws/sync/start/more/` are "
                "other paths, too."
                if path in (PATH[:-1], f"{PATH}more/")
                else "A WebSocket to any other path is rejected before any accept, without an "
                "exception."
            )

    def receive(self, client, text, data):
        """Each connection has its own instance"""
        client.frames += 1
        client.send(f"frame {client.frames}")

    def diagnose(self, difference):
        kinds = tuple(
            next((message["type"] for message in messages[difference.first :]), "")
            for messages in (difference.expected, difference.received)
        )
        if fault := difference.fault:
            is_last = fault.diagnosis == "no-route" and kinds[0] != "websocket.accept"
            return "no-last-route" if is_last else None
        if kinds == ("websocket.close", "websocket.accept"):
            is_refused = difference.received[-1]["type"] == "websocket.close"
            return None if is_refused else "route-too-wide"
        # A middleware may have rejected the client: then no line of the file has sent the close.
        # A route knows no query string: a client without one was accepted.
        is_rejected = kinds == ("websocket.accept", "websocket.close")
        is_rejected = is_rejected and "query" not in difference.step.arguments
        sent_at = difference.seen.sent_at[difference.first :] if is_rejected else ()
        return "route-not-reached" if any(sent_at[:1]) else None

    def request(self, client, body):
        """Every HTTP request reaches `website`, whatever its path is"""
        start = {"type": "http.response.start", "status": 200}
        body = {"type": "http.response.body", "body": b"the club"}
        client.expect(Stream([(self.now, start), (self.now, body)], complete_response))


def test_a_websocket_reaches_the_consumer(play):
    """A WebSocket to /ws/sync/start/ is accepted, and receives `open`."""
    play("connect | text a | bytes 61")


def test_each_request_reaches_the_website(play):
    """Every HTTP request reaches the website."""
    play("GET / | 2 POST /pages/1/")
    play(f"GET {PATH}")


def test_each_connection_has_its_own_instance(play):
    """Two clients at once count their own frames."""
    for handshake in ("connect", "connect ?a=b"):
        play(f"{handshake} | 2 {handshake} | text a | 2 text b | text c")


def test_other_paths_are_rejected(play):
    """A WebSocket to any other path is rejected."""
    for path in OTHERS:
        play(f"connect {path}")
