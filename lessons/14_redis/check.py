"""Lesson 14: do texts reach the clients of every server, and do clients learn of an outage?"""

from dataclasses import replace

from lessons.workshop.judge import Expected, Model, parse_step

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close", "code": 4013}
NOT_SENT = "not sent"


def said(text):
    return {"type": "websocket.send", "text": text}


class Hotline(Model):
    handshakes = ("connect", "connect", "connect server=2")
    texts = ("hello", NOT_SENT)
    others = ("redis gone", "redis groups gone", "redis channels gone", *["redis back"] * 4)
    ends = ("close", "close 1001", "vanish", "kill")
    clients_are_independent = False

    def __init__(self):
        super().__init__()
        self.has_groups = self.has_channels = True
        self.outages = 0
        self.killed = set()  # clients whose consumer is cancelled in this burst

    def before(self, burst):
        self.killed = {step.client for step in burst if step.action == "kill"}

    @property
    def is_up(self):
        return self.has_groups and self.has_channels

    def connect(self, client):
        """a client that connects during an outage is accepted first, then closed with 4013."""
        client.accept()
        client.server = client.handshake.get("server")
        client.is_member = self.is_up
        if not self.is_up:
            self.end(client)

    def receive(self, client, text, data):
        """Each text reaches all connected clients unchanged, the sender included"""
        if text is None and self.branch():
            return  # a binary frame is ignored, or counts as an empty text
        if not self.has_groups:
            self.fail(client)
            return
        for one in self.open_clients:
            # An empty frame never leaves Daphne. A membership may have been lost with the group.
            is_sure = text and one.is_member and client.number not in self.killed
            one.expect(Expected(said(text or ""), may_miss=not is_sure))

    def fail(self, client):
        client.send(NOT_SENT)
        self.end(client)

    def end(self, client):
        """its client is closed with 4013"""
        if client.is_open:
            client.close(4013)
            client.expected.append(Expected(CLOSE, may_miss=True))  # Daphne ignores a second close

    def other(self, step):
        """its client is closed with 4013"""
        state = step.arguments["state"]
        if state == "back":
            self.has_groups = self.has_channels = True
            return
        self.outages += 1
        for client in self.open_clients:
            # A text of the same burst may be lost, with or without an answer.
            texts = [item for item in client.expected if item.message != ACCEPT]
            client.expected = [replace(it, may_miss=it.message != ACCEPT) for it in client.expected]
            if state == "groups gone":
                client.is_member = False
                if texts and self.branch():
                    self.fail(client)
            else:
                client.expected += [Expected(said(NOT_SENT), may_miss=True)] if texts else []
                self.end(client)
        self.has_groups = self.has_groups and state == "channels gone"
        self.has_channels = self.has_channels and state == "groups gone"

    def disconnect(self, client):
        """If the server cancels a consumer, the consumer may close with 4013 too"""
        if client.end == "kill":
            client.expected.append(Expected(CLOSE, may_miss=True))

    def fault_in(self, turn, played):
        """It goes only through the layer `encrypted`."""
        if layers := other_layers(turn):
            client = parse_step(turn.steps[-1]).client
            return client, "wrong-layer", f"called: the layer {', '.join(layers)}"
        return None

    def diagnose(self, difference):
        if difference.fault or difference.client is None:
            return None
        if other_layers(difference.report):
            return "wrong-layer"
        expected, received = difference.expected, difference.received
        if CLOSE in expected:
            return self.diagnose_outage(difference, expected, received)
        if difference.step.action == "text" and difference.missing and self.is_up:
            if self.outages:
                return "stays-down"
            sender = self.clients[difference.step.client]
            client = self.clients[difference.client]
            is_local = client.server != sender.server and not received
            return "state-kept-in-process" if is_local else None
        if said(NOT_SENT) in received and self.is_up and self.outages:
            return "stays-down"
        return None

    def explain(self, difference):
        layers = other_layers(difference.report)
        return f"called: the layer {', '.join(layers)}" if layers else None

    def diagnose_outage(self, difference, expected, received):
        if difference.seen.is_busy:
            return "waits-for-redis"
        closes = [message for message in received if message["type"] == "websocket.close"]
        if said(NOT_SENT) in expected and said(NOT_SENT) not in received:
            return "lost-text-not-reported"
        if closes and ACCEPT in expected and ACCEPT not in received:
            return "outage-refused"
        if closes:
            return "wrong-close-code" if closes[0] != CLOSE else None
        return "stays-in-lost-group" if said(NOT_SENT) in expected else "outage-hidden"


def other_layers(turn):
    return sorted({*turn.layers} - {"encrypted"})


def test_a_text_reaches_all_clients(play):
    """All clients receive each text, and it goes only through the layer `encrypted`."""
    play("connect | 2 connect | text hello | 2 text hi | close 1001 | 2 text still here")


def test_a_text_reaches_each_server(play):
    """Clients of two servers receive each other's texts."""
    play("connect | 2 connect server=2 | text from here | 2 text from there")


def test_a_client_is_closed_when_redis_stops(play):
    """When Redis stops, every client of every server is closed with 4013."""
    play("connect | 2 connect | 3 connect server=2 | redis gone")


def test_a_text_that_cannot_be_sent_is_reported(play):
    """If a text cannot be sent, its sender receives `not sent` and is closed with 4013."""
    play("connect | 2 connect | redis groups gone | text hello? | redis back | connect | text hi")


def test_a_client_that_connects_during_an_outage_is_closed(play):
    """A client that connects during an outage is accepted first, then closed with 4013."""
    play("connect | redis gone | 2 connect")
    play("redis groups gone | connect | redis back | 2 connect | 2 text hello")


def test_a_cancelled_consumer_sends_nothing_but_a_close(play):
    """If the server cancels a consumer, its client receives 4013 or nothing more."""
    play.at_each_point("connect | 2 connect | text hello | at * kill")


def test_clients_reach_each_other_when_redis_is_back(play):
    """After each outage, clients that connect again receive each other's texts."""
    again = "connect | 2 connect server=2 | text back | 2 text again"
    play(f"{again} | redis gone | redis back | {again} | redis gone | redis back | {again}")
