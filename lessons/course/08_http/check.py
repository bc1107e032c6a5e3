"""Lesson 8: do the seconds come as a stream of events, and does it end with its client?"""

import asyncio

from lessons.judge import diagnose


def events(body):
    """What an EventSource would say of these bytes: the data of each event that has ended."""
    found, data = [], []
    for line in body.decode().replace("\r\n", "\n").split("\n")[:-1]:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            found.append("\n".join(data))
            data = []
    return found


def expect_events(client, body, *expected, otherwise=None):
    """These bytes are those events, and no others."""
    found, wanted = events(body), list(map(str, expected))
    if found == wanted:
        return
    if len(found) < len(wanted) == body.count(b"data:"):
        otherwise = "event-not-ended"
    detail = f"expected the events {', '.join(wanted) or '(none)'}\ngot {body!r}"
    diagnose(otherwise or "reply-differs", client, detail)


async def expect_countdown(client, *expected, otherwise=None):
    """The whole response is that of a countdown."""
    response = await client.get_response()
    headers = {name.lower(): value for name, value in response["headers"]}
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if response["status"] != 200 or kind != b"text/event-stream":
        diagnose("not-an-event-stream", client)
    begun, wanted = events(response["body"]), list(map(str, expected))
    if begun != wanted and begun == wanted[: len(begun) or None]:
        otherwise = "response-cut-short"
    expect_events(client, response["body"], *expected, otherwise=otherwise)


async def expect_now(client, *expected):
    """These events have come since the last look."""
    body = await client.read_so_far()
    otherwise = "event-early" if len(events(body)) > len(expected) else "event-late"
    expect_events(client, body, *expected, otherwise=otherwise)


async def test_counts_down_to_zero(http):
    """A request for 3 seconds gets the events 3, 2, 1, 0, and then the response ends."""
    await expect_countdown(http("POST", body=b"3"), 3, 2, 1, 0)
    another = http("POST", body=b"1")
    await expect_countdown(another, 1, 0, otherwise="wrong-connection")
    await expect_countdown(http("POST", body=b"0"), 0)


async def test_a_second_lies_between_two_events(http):
    """The first event comes at once, and each of the others a second after the one before."""
    client = http("POST", body=b"2")
    await client.send_request()
    await expect_now(client, 2)
    await asyncio.sleep(0.1)
    for left in (1, 0):
        await asyncio.sleep(0.8)
        await expect_now(client)
        await asyncio.sleep(0.2)
        await expect_now(client, left)


async def test_the_pieces_are_one_number(http):
    """A body in pieces is one number: "1" and "2" are twelve seconds, an empty piece is nothing."""
    for pieces in ([b"1", b"2"], [b"", b"12"], [b"1", b"2", b""]):
        client = http("POST", body=pieces)
        try:
            await expect_countdown(client, *range(12, -1, -1), otherwise="body-read-once")
        except AssertionError as failure:
            diagnose("body-read-once", client, str(failure))


async def test_each_client_has_its_own_countdown(http):
    """Of two clients at once, each has a countdown of its own."""
    first, second = http("POST", body=[b"1", b"0"]), http("POST", body=[b"0", b"2"])
    await first.send_request()
    await second.send_request()
    for client, seconds in ((first, 10), (second, 2)):
        expected = range(seconds, -1, -1)
        await expect_countdown(client, *expected, otherwise="wrong-connection")


async def test_what_is_left_out_is_empty(http):
    """An event without "body" brings none, and one without "more_body" is the last."""
    client = http("POST")
    await client.send_input({"type": "http.request", "body": b"1", "more_body": True})
    await client.send_input({"type": "http.request"})
    await expect_countdown(client, 1, 0, otherwise="body-read-once")
    client = http("POST")
    await client.send_input({"type": "http.request", "more_body": True})
    await client.send_input({"type": "http.request", "body": b"1"})
    await expect_countdown(client, 1, 0, otherwise="body-read-once")


async def test_ends_where_the_client_leaves(http):
    """When the client leaves, the countdown ends there, and the consumer stops."""
    client = http("POST", body=b"100")
    await client.send_request()
    await asyncio.sleep(1.5)
    await client.disconnect()


async def test_stops_where_the_client_leaves_before_it_has_asked(http):
    """When the client leaves in the middle of its request, the consumer stops as well."""
    client = http("POST")
    await client.send_input({"type": "http.request", "body": b"1", "more_body": True})
    client.expect(otherwise="body-read-once")
    await client.disconnect()


async def test_a_countdown_goes_on_when_another_client_leaves(http):
    """When one of two clients leaves, the other's countdown goes on."""
    leaves, stays = http("POST", body=b"100"), http("POST", body=b"100")
    for client in (leaves, stays):
        await client.send_request()
        await expect_now(client, 100)
    try:
        await leaves.disconnect()
    finally:
        await asyncio.sleep(1.1)
        if not await stays.read_so_far():
            diagnose("wrong-connection", stays)
