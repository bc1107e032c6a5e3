"""Libraries that check messages, and a document that describes them."""

import json
from importlib.util import find_spec
from typing import Annotated, Literal

import pytest
from channels.testing import WebsocketCommunicator

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.required_programs import skip_or_fail

ASYNCAPI = PROJECT_DIR / "tests/notes/sample_project/asyncapi.json"
PUT = {"command": "put", "title": "Emma"}
DEEP = "[" * 100_000 + "]" * 100_000
INVALID = {
    "no text": "",
    "no JSON": "{",
    "no object": "[]",
    "no command": "{}",
    "an unknown command": '{"command": "websocket_disconnect"}',
    "a command that is a list": '{"command": []}',
    "a title that is a number": '{"command": "put", "title": 7}',
    "a title that is too long": json.dumps(PUT | {"title": 101 * "x"}),
    "a title that is nested too deep": json.dumps(PUT).replace('"Emma"', DEEP),
    "an unknown key": json.dumps(PUT | {"user": "ada"}),
    "a lone surrogate": json.dumps(PUT | {"title": "\ud800"}),
}


@pytest.fixture(scope="module", autouse=True)
def libraries():
    for name in ("msgspec", "pydantic"):
        if find_spec(name) is None:
            skip_or_fail(f"There is no {name}: pip install --require-hashes -r .ci/extras.txt")


def msgspec_decoder():
    from tests.notes.sample_project import typed_shelf

    return typed_shelf.requests.decode


def pydantic_decoder():
    from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

    class Put(BaseModel, strict=True):
        model_config = ConfigDict(extra="forbid")
        command: Literal["put"]
        title: str = Field(min_length=1, max_length=100)

    class ListTitles(BaseModel):
        command: Literal["list"]

    requests = Annotated[Put | ListTitles, Field(discriminator="command")]
    return TypeAdapter(requests).validate_json


@pytest.fixture(params=[msgspec_decoder, pydantic_decoder])
def decode(request):
    return request.param()


@pytest.fixture
async def shelf():
    from tests.notes.sample_project.typed_shelf import TypedShelf

    client = WebsocketCommunicator(TypedShelf.as_asgi(), "/ws/shelf/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    yield client
    await client.disconnect(timeout=TEST_TIMEOUT)


async def answer_to(client, request):
    await client.send_json_to(request)
    return await client.receive_json_from(TEST_TIMEOUT)


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_both_libraries_raise_value_error_for_every_frame_that_is_not_a_request(decode, text):
    with pytest.raises(ValueError, match=r"^."):
        decode(text)


def test_both_libraries_read_a_request_in_one_call(decode):
    assert decode(json.dumps(PUT)).title == "Emma"


def test_without_a_limit_a_text_of_each_length_is_valid():
    import msgspec

    assert len(msgspec.json.decode(json.dumps(1_000_000 * "x"), type=str)) == 1_000_000


def test_msgspec_raises_type_error_for_the_text_of_a_binary_frame():
    import msgspec

    with pytest.raises(TypeError):
        msgspec.json.decode(None)


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
async def test_an_invalid_frame_gets_an_error_and_the_client_stays(shelf, text):
    await shelf.send_input({"type": "websocket.receive", "text": text})
    assert list(await shelf.receive_json_from(TEST_TIMEOUT)) == ["error"]
    assert await answer_to(shelf, PUT) == {"count": 1}


async def test_a_binary_frame_gets_an_error_and_the_client_stays(shelf):
    await shelf.send_to(bytes_data=b"\x00")
    assert list(await shelf.receive_json_from(TEST_TIMEOUT)) == ["error"]
    assert await answer_to(shelf, {"command": "list"}) == {"titles": []}


async def test_a_full_shelf_takes_no_title(shelf):
    for number in range(1, 101):
        assert await answer_to(shelf, PUT) == {"count": number}
    assert await answer_to(shelf, PUT) == {"error": "The shelf is full."}


def test_the_document_has_the_schemas_of_the_types():
    import msgspec

    from tests.notes.sample_project.typed_shelf import ListTitles, Put

    _, schemas = msgspec.json.schema_components(
        [Put, ListTitles], ref_template="#/components/schemas/{name}"
    )
    assert json.loads(ASYNCAPI.read_text(encoding="utf-8"))["components"]["schemas"] == schemas


async def test_the_consumer_answers_each_example_of_the_document_as_it_says(shelf):
    document = json.loads(ASYNCAPI.read_text(encoding="utf-8"))

    def examples(references):
        names = [reference["$ref"].rpartition("/")[2] for reference in references]
        messages = [document["components"]["messages"][name] for name in names]
        return [example["payload"] for message in messages for example in message["examples"]]

    for operation in document["operations"].values():
        for request in examples(operation["messages"]):
            assert await answer_to(shelf, request) in examples(operation["reply"]["messages"])
