"""Lesson 28: the classic wrong suites. Most of them leave out one comparison."""

import json

from channels.testing import HttpCommunicator, WebsocketCommunicator

from db_demo.models import Entry

INVALID = {"error": "invalid"}
WRONG_FRAMES = ({"text": ""}, {"text": "x" * 101}, {"bytes": b"light"})


async def texts():
    return [entry.text async for entry in Entry.objects.order_by("id")]


async def enter(application):
    client = WebsocketCommunicator(application, "/box/")
    assert await client.connect() == (True, None)
    return client


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        assert not client.future.cancelled()


async def request(application):
    response = await HttpCommunicator(application, "GET", "/box/").get_response()
    return response["status"], json.loads(response["body"])


class Whole:
    """A right suite. Each mistake below replaces one of its tests."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in ("x", " Light ", "x" * 100):
            await sender.send_to(text_data=text)
            row = {"text": text}
            for client in (sender, other):
                frame = await client.receive_json_from()
                row["id"] = (await Entry.objects.order_by("id").alast()).id
                assert frame == row
        assert await texts() == ["x", " Light ", "x" * 100]
        assert await sender.receive_nothing()
        assert await other.receive_nothing()
        await leave(sender, other)

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            assert await sender.receive_nothing()
        assert await other.receive_nothing()
        assert await request(application) == (200, {"entries": 0})
        assert await texts() == []
        await leave(sender, other)

    async def test_counts(self, application):
        client = await enter(application)
        for count in range(4):
            assert await request(application) == (200, {"entries": count})
            await client.send_to(text_data="light")
            await client.receive_from()
        await leave(client)


class OnlyTalks(Whole):
    """Reads what the box sends, and never what it saves."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in ("x", "x" * 100):
            await sender.send_to(text_data=text)
            for client in (sender, other):
                assert (await client.receive_json_from())["text"] == text
        await leave(sender, other)

    async def test_refuses(self, application):
        sender = await enter(application)
        await sender.send_input({"type": "websocket.receive", "text": ""})
        assert await sender.receive_json_from() == INVALID
        await leave(sender)

    test_counts = None


OnlyTalks.diagnosis = "suite-passes-wrong-row"


class CountsRowsOnly(Whole):
    """Counts the rows, so their texts may be anything."""

    async def test_saves_and_sends(self, application):
        sender = await enter(application)
        await sender.send_to(text_data=" Light ")
        await sender.receive_from()
        assert await Entry.objects.acount() == 1
        await leave(sender)


CountsRowsOnly.diagnosis = "suite-passes-wrong-row"


class TestsTheMiddle(Whole):
    """Uses a text of ten characters, and one of a thousand: not the limits."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in (" Light! ", "More light"):
            await sender.send_to(text_data=text)
            frames = [await one.receive_json_from() for one in (sender, other)]
            row = await Entry.objects.order_by("id").alast()
            assert frames == [{"id": row.id, "text": text}] * 2
        assert await texts() == [" Light! ", "More light"]
        assert await sender.receive_nothing()
        await leave(sender, other)


TestsTheMiddle.diagnosis = "suite-passes-one-limit"


class HasOneClient(Whole):
    """The sender is alone, so a box without a group is right."""

    async def test_saves_and_sends(self, application):
        sender = await enter(application)
        for text in ("x", " Light ", "x" * 100):
            await sender.send_to(text_data=text)
            frame = await sender.receive_json_from()
            row = await Entry.objects.order_by("id").alast()
            assert frame == {"id": row.id, "text": text}
        assert await texts() == ["x", " Light ", "x" * 100]
        assert await sender.receive_nothing()
        await leave(sender)


HasOneClient.diagnosis = "suite-passes-lonely-sender"


class ReadsTooLittle(Whole):
    """Ends before it has read all frames."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in ("x", " Light ", "x" * 100):
            await sender.send_to(text_data=text)
            while (frame := await sender.receive_json_from()).get("text") != text:
                pass
            await other.receive_json_from()
            row = await Entry.objects.order_by("id").alast()
            assert frame == {"id": row.id, "text": text}
        assert await texts() == ["x", " Light ", "x" * 100]
        await leave(sender, other)

    async def test_refuses(self, application):
        sender = await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            while await sender.receive_json_from() != INVALID:
                pass
            assert await texts() == []
        await leave(sender)


ReadsTooLittle.diagnosis = "suite-passes-second-frame"


class ComparesThePart(Whole):
    """Compares the text of the frame, and not its id."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in ("x", " Light ", "x" * 100):
            await sender.send_to(text_data=text)
            for client in (sender, other):
                assert (await client.receive_json_from())["text"] == text
        assert await texts() == ["x", " Light ", "x" * 100]
        assert await sender.receive_nothing()
        assert await other.receive_nothing()
        await leave(sender, other)


ComparesThePart.diagnosis = "suite-passes-wrong-frame"


class WritesIds(Whole):
    """Believes that the first row has the id 1. The table was used before."""

    async def test_saves_and_sends(self, application):
        sender = await enter(application)
        await sender.send_to(text_data="x")
        assert await sender.receive_json_from() == {"id": 1, "text": "x"}
        await leave(sender)


WritesIds.diagnosis = "suite-fails-the-right-one"


class ComparesTexts(Whole):
    """Compares the JSON as text, so another right box is red."""

    async def test_counts(self, application):
        response = await HttpCommunicator(application, "GET", "/box/").get_response()
        assert response["body"] == b'{"entries": 0}'


ComparesTexts.diagnosis = "suite-fails-another-right-one"


class RefusesInSilence(Whole):
    """After an invalid frame, it looks at the rows only."""

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            await sender.receive_nothing()
            assert await texts() == []
        assert await other.receive_nothing()
        await leave(sender, other)


RefusesInSilence.diagnosis = "suite-passes-silence"


class LeavesAfterAnError(Whole):
    """Does not look whether the connection stays open after the error."""

    async def test_refuses(self, application):
        other = await enter(application)
        for frame in WRONG_FRAMES:
            sender = await enter(application)
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            event = {"type": "websocket.close"}
            if not await sender.receive_nothing():
                assert await sender.receive_output() == event
            await leave(sender)
            assert await texts() == []
        assert await other.receive_nothing()
        await leave(other)


LeavesAfterAnError.diagnosis = "suite-passes-close"


class CountsOnce(Whole):
    """Asks for the number once, with one entry."""

    async def test_counts(self, application):
        client = await enter(application)
        await client.send_to(text_data="light")
        await client.receive_from()
        assert await request(application) == (200, {"entries": 1})
        await leave(client)

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            assert await sender.receive_nothing()
            assert await texts() == []
        assert await other.receive_nothing()
        await leave(sender, other)


CountsOnce.diagnosis = "suite-passes-wrong-count"


class ReadsTheStart(Whole):
    """Reads the body of the response without its start: the status may be anything."""

    async def test_counts(self, application):
        client = await enter(application)
        for count in range(4):
            response = await HttpCommunicator(application, "GET", "/box/").get_response()
            assert json.loads(response["body"]) == {"entries": count}
            await client.send_to(text_data="light")
            await client.receive_from()
        await leave(client)

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            assert await sender.receive_nothing()
            response = await HttpCommunicator(application, "GET", "/box/").get_response()
            assert json.loads(response["body"]) == {"entries": 0}
            assert await texts() == []
        assert await other.receive_nothing()
        await leave(sender, other)


ReadsTheStart.diagnosis = "suite-passes-wrong-response"


class ReadsOneBody(Whole):
    """Reads events itself, and does not wait for the end of the response."""

    async def test_counts(self, application):
        client = await enter(application)
        for count in range(4):
            assert await self.start_of_response(application) == {"entries": count}
            await client.send_to(text_data="light")
            await client.receive_from()
        await leave(client)

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            assert await sender.receive_nothing()
            assert await self.start_of_response(application) == {"entries": 0}
            assert await texts() == []
        assert await other.receive_nothing()
        await leave(sender, other)

    async def start_of_response(self, application):
        page = HttpCommunicator(application, "GET", "/box/")
        await page.send_input({"type": "http.request", "body": b""})
        start = await page.receive_output()
        assert start["status"] == 200
        body = b""
        while not body.strip():
            body += (await page.receive_output())["body"]
        return json.loads(body)


ReadsOneBody.diagnosis = "suite-passes-open-response"


class TrustsDisconnect(Whole):
    """disconnect() cancels a consumer that does not stop, and raises no error."""

    async def test_saves_and_sends(self, application):
        sender, other = await enter(application), await enter(application)
        for text in ("x", " Light ", "x" * 100):
            await sender.send_to(text_data=text)
            frames = [await one.receive_json_from() for one in (sender, other)]
            row = await Entry.objects.order_by("id").alast()
            assert frames == [{"id": row.id, "text": text}] * 2
        assert await texts() == ["x", " Light ", "x" * 100]
        for client in (sender, other):
            assert await client.receive_nothing()
            await client.disconnect()

    async def test_refuses(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in WRONG_FRAMES:
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == INVALID
            assert await sender.receive_nothing()
            assert await texts() == []
            assert await request(application) == (200, {"entries": 0})
        assert await other.receive_nothing()
        await sender.disconnect()
        await other.disconnect()

    async def test_counts(self, application):
        client = await enter(application)
        for count in range(4):
            assert await request(application) == (200, {"entries": count})
            await client.send_to(text_data="light")
            await client.receive_from()
        await client.disconnect()


TrustsDisconnect.diagnosis = "suite-passes-endless"


class HasNoTest:
    """Its methods have names that pytest does not collect."""

    async def check_saves(self, application):
        await enter(application)


HasNoTest.diagnosis = "suite-runs-nothing"
