"""Lesson 0: does each request and each WebSocket reach what the task says?"""

from lessons.workshop.judge import Model, Stream, complete_response

PATH = "/ws/sync/start/"
OTHERS = ("/", "/ws/", "/ws/sync/start", f"{PATH}more/", f"/more{PATH}", "/ws/sync/other/")


class Switchboard(Model):
    handshakes = ("connect", *(f"connect {path}" for path in OTHERS), "GET /", "POST /pages/1/")
    silent_after_disconnect = True

    def connect(self, client):
        """A WebSocket to `/ws/sync/start/` reaches `Line`"""
        client.frames = 0
        if client.handshake.get("path", PATH) == PATH:
            client.accept()
            client.send("open")
        else:
            self.refuse(client)

    def refuse(self, client):
        """A WebSocket to any other path is rejected before any accept"""
        client.reject()

    def receive(self, client, text, data):
        """Each connection has its own instance"""
        client.frames += 1
        client.send(f"frame {client.frames}")

    def request(self, client, body):
        """Every HTTP request reaches `website`, whatever its path is"""
        start = {"type": "http.response.start", "status": 200, "headers": []}
        body = {"type": "http.response.body", "body": b"the club"}
        client.expect(Stream([(self.now, start), (self.now, body)], complete_response))
        client.state = "closed"


def test_a_websocket_reaches_the_consumer(play):
    """A WebSocket to /ws/sync/start/ is accepted, and receives `open`."""
    play("connect | text a | bytes 61")


def test_each_request_reaches_the_website(play):
    """Every HTTP request reaches the website."""
    play("GET / | 2 POST /pages/1/")
    play(f"GET {PATH} | 2 connect")


def test_each_connection_has_its_own_instance(play):
    """Two clients at once count their own frames."""
    play("connect | 2 connect | text a | 2 text b | text c")


def test_other_paths_are_rejected(play):
    """A WebSocket to any other path is rejected."""
    for path in OTHERS:
        play(f"connect {path}")
