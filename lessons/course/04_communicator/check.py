"""Lesson 4: is the test green for a right lamp, and red for each wrong one?

The lamps stand here: mistakes.py holds what students get wrong, and here that is a test.
"""

import warnings

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

from lessons.judge import CheckFailed, run_student_test


class Lamp(SyncConsumer):
    """The right one."""

    def websocket_connect(self, event):
        if self.scope["query_string"] != b"key=brass":
            self.send({"type": "websocket.close"})
            return
        self.lit = self.broken = False
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if self.broken:
            return
        if event.get("text") == "switch":
            self.lit = not self.lit
            self.send({"type": "websocket.send", "text": "on" if self.lit else "off"})
        else:
            self.broken = True
            self.send({"type": "websocket.close", "code": 4000})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class OpenToAll(Lamp):
    """It accepts every client, whatever its key."""

    diagnosis = "test-passes-open-door"

    def websocket_connect(self, event):
        self.lit = self.broken = False
        self.send({"type": "websocket.accept"})


class FallsOverTheRefused(Lamp):
    """Its websocket_disconnect dies for a client that was refused, whose `lit` was never set."""

    diagnosis = "test-passes-crash"

    def websocket_disconnect(self, event):
        if self.lit:
            self.lit = False
        raise StopConsumer()


class AnswersInBytes(Lamp):
    """Its replies are binary frames."""

    diagnosis = "test-passes-bytes"

    def send(self, message):
        if message["type"] == "websocket.send":
            message = {"type": "websocket.send", "bytes": message["text"].encode()}
        super().send(message)


class StaysOn(Lamp):
    """It goes on, and says `on` from then on."""

    diagnosis = "test-passes-stuck-lamp"

    def websocket_receive(self, event):
        self.lit = False
        super().websocket_receive(event)


class AnswersTwice(Lamp):
    """It sends each reply twice."""

    diagnosis = "test-passes-second-reply"

    def send(self, message):
        super().send(message)
        if message["type"] == "websocket.send":
            super().send(message)


class SpeaksAfterTheClose(Lamp):
    """It closes with 4000, and then sends one more frame."""

    diagnosis = "test-passes-late-frame"

    def send(self, message):
        super().send(message)
        if message.get("code"):
            super().send({"type": "websocket.send", "text": "broken"})


class OneLampForAll(Lamp):
    """All its clients switch the same lamp."""

    diagnosis = "test-passes-shared-lamp"
    shared = False

    def websocket_receive(self, event):
        self.lit = self.shared
        super().websocket_receive(event)
        type(self).shared = self.lit


class ClosesWithAnotherCode(Lamp):
    """It closes with 1000."""

    diagnosis = "test-passes-wrong-code"

    def send(self, message):
        super().send({**message, "code": 1000} if message.get("code") else message)


class NeverStops(Lamp):
    """Its websocket_disconnect does not raise StopConsumer."""

    diagnosis = "test-passes-endless"

    def websocket_disconnect(self, event):
        self.broken = True


async def test_is_green_for_the_right_lamp(target):
    """The test is green for a lamp that does all that the task says."""
    await must_pass(target)


async def test_notices_an_open_door(target):
    """It is red for a lamp that accepts every client."""
    await must_notice(target, OpenToAll)


async def test_notices_a_crash_after_a_refusal(target):
    """It is red for a lamp that dies when a client that it refused has left."""
    await must_notice(target, FallsOverTheRefused)


async def test_notices_wrong_replies(target):
    """It is red for a lamp whose replies are wrong: binary, or always `on`."""
    await must_notice(target, AnswersInBytes, StaysOn)


async def test_notices_frames_too_many(target):
    """It is red for a lamp that sends more than it should: twice, or after the close."""
    await must_notice(target, AnswersTwice, SpeaksAfterTheClose)


async def test_notices_shared_state(target):
    """It is red for a lamp that all clients share."""
    await must_notice(target, OneLampForAll)


async def test_notices_another_close_code(target):
    """It is red for a lamp that closes with another code."""
    await must_notice(target, ClosesWithAnotherCode)


async def test_notices_a_consumer_that_never_stops(target):
    """It is red for a lamp that does not stop when its client has left."""
    await must_notice(target, NeverStops)


tried = {}  # by the id of a test: the test, and the CheckFailed that the right lamp got, or None


async def must_pass(test):
    """What a test says of other lamps counts when it runs the right one and is green."""
    if id(test) not in tried:
        tried[id(test)] = test, await red_for_the_right_lamp(test)
    _, red = tried[id(test)]
    if red:
        raise CheckFailed(red.finding, red.transcript)


async def red_for_the_right_lamp(test):
    trial = await run_student_test(test, Lamp)
    if trial.error is not None:
        return trial.failure("test-fails-the-right-one")
    return None if trial.transcript else trial.failure("test-runs-nothing")


async def must_notice(test, *wrong_lamps):
    await must_pass(test)
    for lamp in wrong_lamps:
        # What a test has yet to await when it fails is not forgotten: here no warning counts.
        with warnings.catch_warnings(action="ignore"):
            trial = await run_student_test(test, lamp)
            if trial.error is None:
                raise trial.failure(lamp.diagnosis, f"The lamp that got through: {lamp.__doc__}")
            del trial
