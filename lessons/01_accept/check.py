"""Lesson 1: does the station answer each handshake as the task says?"""

from typing import ClassVar
from urllib.parse import quote

from django.http import QueryDict

from lessons.workshop.judge import PARAMETERS, Model, Source, near

READINGS = {"celsius": "21", "fahrenheit": "70"}
UNITS = tuple(f"connect ?unit={unit}" for unit in READINGS)
OTHERS = ("", "kelvin", "Celsius", "celsiu", "21", "%20celsius")
# What stands between two parameters is `&` alone.
NO_PARAMETERS = tuple(Source(f"x{mark}unit") for mark in (*";?-./,:|+", "%26", "=1;"))
PROMISES = {
    "A client names its unit": "handshakes",
    "There may be other parameters": "handshakes",
    "Weather stays a SyncConsumer": "The engine checks the base class.",
}


class Station(Model):
    closes_once = True
    silent_after_disconnect = True  # the task says when a reading is sent
    # Many that are refused take no place from the next one.
    long_conversations = (" | ".join(["connect"] * 60 + [UNITS[0]]),)
    handshakes = (
        *(*UNITS, "connect", "connect ?unit=", "connect ?unit=kelvin"),
        *("connect ?lang=de&unit=celsius", "connect ?unit=fahrenheit&x=&units=kelvin"),
        "connect /celsius/ cookie=unit=celsius",
        "connect /kelvin/ ?unit=celsius cookie=unit=fahrenheit",
    )
    inputs: ClassVar = {
        "connect ?unit=…": ("", "kelvin", "21", "celsius2", *near("celsius", "fahrenheit")),
        "connect ?…&unit=celsius": PARAMETERS,
        "connect ?…=celsius": ("name", "u", "celsius", *near("unit"), *NO_PARAMETERS),
    }

    @classmethod
    def event_of(cls, text):
        """A handshake with a unit that the submission mentions."""
        return f"connect ?unit={quote(text, safe='')}"

    def connect(self, client):
        unit = QueryDict(client.handshake.get("query", "")).get("unit")
        client.reading = READINGS.get(unit)
        if client.reading is None:
            self.refuse(client)
        else:
            self.let_in(client)

    def let_in(self, client):
        """The station accepts this client, and sends the reading in that unit as a text frame"""
        client.accept()
        client.send(client.reading)

    def refuse(self, client):
        """The station rejects a client with another unit (such as `kelvin` or `Celsius`), with an
        empty unit, or without a unit. It sends a `websocket.close` without a code or reason."""
        client.reject(bare=True)

    def receive(self, client, text, data):
        """The station accepts this client, and sends the reading in that unit as a text frame. It
        sends this frame once right after the accept, and once for each frame of the client, text or
        binary, empty or not."""
        client.send(client.reading)


def test_accepts_and_sends_the_reading(play):
    """A client that names celsius is accepted, and receives 21. Fahrenheit is 70."""
    for handshake in UNITS:
        play(handshake)


def test_sends_the_reading_for_each_frame(play):
    """For each frame, text or binary, empty or not, the client receives the reading again."""
    for handshake in UNITS:
        play(f"{handshake} | text again | bytes 616761696e | text | bytes")


def test_rejects_a_client_without_a_unit(play):
    """A client that names no unit is rejected, and receives nothing else."""
    play("connect")
    play("connect ?name=celsius")


def test_rejects_a_client_with_another_unit(play):
    """A client that names another unit, or an empty one, is rejected."""
    for unit in OTHERS:
        play(f"connect ?unit={unit}")


def test_sends_each_client_its_own_unit(play):
    """Of several clients, each receives its own unit, even after others were rejected or left."""
    c, f = UNITS
    play(f"{c} | 2 {f} | text a | 2 text b | bytes 61 | 2 bytes 62")
    play(f"{c} | 2 connect | 3 {f} | close 1001 | 3 text a | {c}")
