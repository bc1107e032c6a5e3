"""Lesson 3: either side may close Operator's connection, and then the consumer stops."""

import logging

import pytest
from channels.testing import WebsocketCommunicator

from sync_demo.asgi import application

PATH = "/ws/sync/stop/"


async def connect():
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    return client


@pytest.mark.parametrize("text", ["hello", ""])
async def test_answers_until_one_side_closes(text):
    client = await connect()
    await client.send_input({"type": "websocket.receive", "text": text})
    assert await client.receive_from() == f"You said: {text}"
    await client.disconnect()


async def test_bye_closes_with_1000_and_ends_the_consumer():
    client = await connect()
    await client.send_to(text_data="bye")
    assert await client.receive_output() == {"type": "websocket.send", "text": "Goodbye."}
    assert await client.receive_output() == {"type": "websocket.close", "code": 1000}
    await client.disconnect(code=1000)
    # disconnect() cancels a consumer that does not stop, and raises no error.
    assert not client.future.cancelled()


async def test_a_binary_frame_closes_with_an_application_code():
    client = await connect()
    await client.send_to(bytes_data=b"bye")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4003}
    await client.disconnect(code=4003)
    assert not client.future.cancelled()


async def test_frames_that_arrive_after_the_close_get_no_answer():
    client = await connect()
    await client.send_to(bytes_data=b"close, please")
    await client.send_to(text_data="hello")  # sent before the client receives the close
    await client.send_to(text_data="bye")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4003}
    await client.disconnect(code=4003)
    assert client.output_queue.empty()


@pytest.mark.parametrize("code", [1000, 1001, 1006, 4001, None])
async def test_stops_and_logs_the_code_when_the_client_leaves(caplog, code):
    caplog.set_level(logging.INFO, "sync_demo")
    client = await connect()
    await client.disconnect(code)
    assert not client.future.cancelled()
    assert client.output_queue.empty()  # nothing is sent to a client that has left
    assert caplog.messages == [f"Connection closed with code {code}."]


async def test_stops_if_the_server_sends_no_code(caplog):
    caplog.set_level(logging.INFO, "sync_demo")
    client = await connect()
    await client.send_input({"type": "websocket.disconnect"})
    await client.wait()
    assert not client.future.cancelled()
    assert caplog.messages == ["Connection closed with code None."]
