"""Lesson 1: does the station answer each handshake as the task says?"""

from lessons.workshop.judge import Model

READINGS = {"weather.celsius": "21", "weather.fahrenheit": "70"}
C, F = "subprotocols=weather.celsius", "subprotocols=weather.fahrenheit"
OTHERS = "subprotocols=Weather.Celsius,weather,celsius,weather.,weather.celsius2,xweather.celsius"


class Station(Model):
    silent_after_disconnect = True  # the task says when a reading is sent
    handshakes = (
        *(C, F, f"{C},weather.fahrenheit", f"{F},weather.celsius", ""),
        *(OTHERS, f"{OTHERS},WEATHER.FAHRENHEIT,weather.fahrenheit,weather.celsius"),
        "subprotocols=" + ",".join(f"v{number}" for number in range(30)) + ",weather.celsius",
        *(f"subprotocols={name}" for name in ("weather.kelvin", "Weather.Fahrenheit", "chat")),
        *("subprotocols=weather", "subprotocols=eather.celsiu", "subprotocols=weather.celsius.v2"),
    )
    handshakes = tuple(f"connect {handshake}".strip() for handshake in handshakes)

    def connect(self, client):
        """The station accepts the client with the first name on this list that is in READINGS"""
        offered = client.handshake.get("subprotocols", ())
        client.chosen = next((name for name in offered if name in READINGS), None)
        if client.chosen is None:
            client.reject()
            client.may_have_code = False
        else:
            client.accept(client.chosen)
            client.send(READINGS[client.chosen])

    def receive(self, client, text, data):
        """once right after the accept, and once for each frame of the client, text or binary, empty
        or not"""
        client.send(READINGS[client.chosen])

    def diagnose(self, difference):
        wanted, got = difference.pair or ({}, {})
        if difference.fault:
            return None
        if wanted.get("type") == got.get("type") == "websocket.accept":
            return "wrong-subprotocol" if got.get("subprotocol") else "subprotocol-not-echoed"
        return None


def test_accepts_and_echoes(play):
    """A client that offers weather.celsius is accepted, and the accept names it."""
    play(f"connect {C}")


def test_sends_the_reading(play):
    """Right after the accept and for each frame, the client receives 21 or 70, by its unit."""
    for unit in (C, F):
        play(f"connect {unit} | text again | bytes 616761696e | text | bytes")


def test_keeps_the_order_of_the_client(play):
    """Of several subprotocols, the first on the client's list that is in READINGS is chosen."""
    for offered in (f"{C},weather.fahrenheit", f"{F},weather.celsius"):
        play(f"connect {offered} | text again")
    play("connect subprotocols=weather.kelvin,weather.fahrenheit,weather.celsius")


def test_rejects_a_client_without_a_subprotocol(play):
    """A client that offers no subprotocol is rejected, and receives nothing else."""
    play("connect")


def test_rejects_a_client_with_other_subprotocols(play):
    """A client is rejected if none of its subprotocols is in READINGS."""
    play("connect subprotocols=weather.kelvin,weather,chat")
    play("connect subprotocols=WEATHER.CELSIUS")


def test_sends_each_client_its_own_unit(play):
    """Of several clients, each receives its own unit, even after others were rejected or left."""
    play(f"connect {C} | 2 connect {F} | text a | 2 text b | bytes 61 | 2 bytes 62")
    play(f"connect {C} | 2 connect | 3 connect {F} | close 1001 | 3 text a | connect {C}")
