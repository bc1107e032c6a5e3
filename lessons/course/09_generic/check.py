"""Lesson 9: does the desk do what is on its list, refuse all else, and live through anything?"""

import json

from lessons.judge import diagnose

NOT_JSON = ["hello", "", "{", "{'command': 'count'}", '{"command": "count"} {}', '{"command"}']
NO_OBJECT = ["[]", '["command", "count"]', '"count"', "5", "0", "null", "true"]
NO_COMMAND = [{}, {"cmd": "count"}, {"command": None}, {"command": 5}, {"command": True}]
UNHASHABLE = [{"command": []}, {"command": ["count"]}, {"command": {"count": 1}}]
UNSPEAKABLE = ["NaN", "-Infinity", "1e999"]
DEEP = 100_000


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


async def ask(client, otherwise, **frame):
    """The one answer to a frame, decoded; `otherwise` is for a connection that the frame ended."""
    try:
        await client.send_to(**frame)
    except AssertionError as failure:
        name = failure.finding.diagnosis
        diagnose(otherwise if name in ("exception", "zombie") else name, client, str(failure))
    if client.close_code is not None:
        diagnose("closed-early", client)
    if not client.unread:
        diagnose("unanswered", client)
    if len(client.unread) > 1:
        client.expect({"type": "websocket.send", "text": "one answer"})
    return decoded(client, client.unread.pop())


def decoded(client, reply):
    if reply.get("text") is None:
        diagnose("text-became-bytes", client)
    try:
        answer = json.loads(reply["text"], parse_constant=float.fromhex)
        json.dumps(answer, allow_nan=False)
    except ValueError as error:
        diagnose("answer-not-json", client, str(error))
    if isinstance(answer, str):
        diagnose("json-confusion", client, "The answer is a str that holds JSON, not an object.")
    return answer


async def carried_out(client, request, answer, otherwise="reply-differs"):
    """The request is answered so."""
    got = await ask(client, otherwise, text_data=json.dumps(request))
    if got != answer or json.dumps(got) != json.dumps(answer):  # True == 1, and 1 is no true
        diagnose(otherwise, client, f"expected  {json.dumps(answer)}\ngot       {json.dumps(got)}")


async def refused(client, otherwise, **frame):
    """The frame is answered with an error, and the connection stands."""
    answer = await ask(client, otherwise, **frame)
    if not isinstance(answer, dict) or set(answer) != {"error"} or not answer["error"]:
        diagnose(otherwise, client, f"expected  an error\ngot       {json.dumps(answer)}")


async def test_echo_answers_with_the_value(communicator):
    """echo is answered with the value it was given, whatever JSON that is, and null for none."""
    client = await enter(communicator)
    for value in ("hello", "", "ä ☃", 5, 0, 2.5, True, False, None, [], [1, [2]], {"a": {"b": 1}}):
        await carried_out(client, {"command": "echo", "value": value}, {"value": value})
    await carried_out(client, {"command": "echo"}, {"value": None})


async def test_count_counts_what_was_carried_out(communicator):
    """count is answered with how many commands this connection has had carried out before."""
    first, second = await enter(communicator), await enter(communicator)
    await carried_out(first, {"command": "count"}, {"count": 0})
    await carried_out(first, {"command": "echo", "value": 1}, {"value": 1})
    await carried_out(first, {"command": "count"}, {"count": 2})
    await carried_out(second, {"command": "count"}, {"count": 0}, otherwise="wrong-connection")


async def test_what_is_not_json_gets_an_error(communicator):
    """Text that is not JSON gets an error, and the connection goes on; it is not counted."""
    client = await enter(communicator)
    for text in NOT_JSON:
        await refused(client, "bad-json", text_data=text)
    await carried_out(client, {"command": "count"}, {"count": 0})


async def test_json_that_is_no_object_gets_an_error(communicator):
    """A list, a string, a number, null or true gets an error, and the connection goes on."""
    client = await enter(communicator)
    for text in NO_OBJECT:
        await refused(client, "not-an-object", text_data=text)
    await carried_out(client, {"command": "count"}, {"count": 0})


async def test_a_binary_frame_gets_an_error(communicator):
    """A binary frame gets an error, JSON or not, and whether or not the server sends text: None."""
    client = await enter(communicator)
    for data in (b'{"command": "count"}', b"\xff\x00", b""):
        await refused(client, "binary-not-refused", bytes_data=data)
    client.input_queue.put_nowait({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
    await carried_out_after_an_error(client)


async def carried_out_after_an_error(client):
    """Two frames were sent at once: the first is refused, the second one is not."""
    try:
        await client.send_to(text_data='{"command": "count"}')
    except AssertionError as failure:
        diagnose(failure.finding.diagnosis, client, str(failure))
    answers = [decoded(client, client.unread.pop(0)) for _ in list(client.unread)]
    if len(answers) != 2 or set(answers[0]) != {"error"} or answers[1] != {"count": 0}:
        diagnose("binary-not-refused", client)


async def test_an_unknown_command_gets_an_error(communicator):
    """A command that is not on the list, or none, gets an error, and the connection goes on."""
    client = await enter(communicator)
    for request in (*({"command": name} for name in ("dance", "", "Echo", "count ")), *NO_COMMAND):
        await refused(client, "unknown-command", text_data=json.dumps(request))
    for request in UNHASHABLE:
        await refused(client, "unhashable-command", text_data=json.dumps(request))
    await carried_out(client, {"command": "count"}, {"count": 0})


async def test_the_client_reaches_no_other_method(communicator, target):
    """No name of a method or an event is a command, and a `type` in the request does nothing."""
    client = await enter(communicator)
    methods = [name for name in dir(target) if name not in ("echo", "count")]
    for name in (*methods, "websocket.receive", "websocket.disconnect", "http.request"):
        await refused(client, "client-picks-handler", text_data=json.dumps({"command": name}))
        typed = {"type": name, "command": "echo", "value": name}
        await carried_out(client, typed, {"value": name}, otherwise="client-picks-handler")


async def test_what_json_cannot_say_is_not_said(communicator):
    """A value of NaN or -Infinity gets an error; a number too large is never echoed as Infinity."""
    client = await enter(communicator)
    for word in UNSPEAKABLE:
        frame = f'{{"command": "echo", "value": {word}}}'
        if word == "1e999":
            await ask(client, "answer-not-json", text_data=frame)
        else:
            await refused(client, "answer-not-json", text_data=frame)
    await carried_out(client, {"command": "echo", "value": 1}, {"value": 1})


async def test_deep_nesting_gets_an_error(communicator):
    """A hundred thousand brackets get an error, and the connection goes on."""
    client = await enter(communicator)
    for opening in ("[", '{"command":', '{"command": "echo", "value": ' + "["):
        await refused(client, "nested-too-deep", text_data=opening * DEEP)
    await carried_out(client, {"command": "count"}, {"count": 0})
