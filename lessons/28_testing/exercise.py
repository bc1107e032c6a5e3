"""Lesson 28: a suite of tests for a suggestion box.

`application` is the box: an ASGI application that is ready for communicators. Over a WebSocket, a
right box does this, at any path:

- It accepts every client.
- A text frame of 1 to 100 characters is saved as it is: one new row, `Entry(text=...)`. Then each
  connected client, the sender too, gets one text frame with a JSON object: `id`, the id of the row,
  and `text`. Ids grow, but the first one need not be 1.
- Any other frame is not saved. Its sender gets the JSON object `{"error": "invalid"}`, the other
  clients get nothing, and the connection stays open. `send_to()` refuses to send an empty text:
  send the event yourself, with `send_input({"type": "websocket.receive", "text": ""})`.
- When the client has left, the consumer stops.

Over HTTP, at any path:

- `GET` gets status 200 and a JSON object: `entries`, the number of rows.
- `POST` gets status 405, and nothing is saved.
- Each response has the header `content-type: application/json`, and ends.

The box may write its JSON with or without spaces and in any order of the keys, and the body of a
response in one or more parts.

Your suite is the class `TestBox`. Each `async def test_...(self, application)` is one test. Before
each test, the tables are emptied for you, and there are no clients. Write as many tests as you
like, without fixtures and marks of pytest.

Your suite is judged: all its tests must be green for every right box, and at least one must be red
for every box with one of these faults. It need not notice other faults.

- It rejects a client.
- It does not save a text, saves it twice, or saves another text.
- It saves a frame that it must not save: an empty text, bytes, or 101 characters. It does not save
  a text of 1 or 100 characters.
- A client gets nothing, gets a frame twice, or gets another id or text than the row has.
- The sender of an invalid frame gets no `{"error": "invalid"}`, gets it twice, or is closed. Or
  every client gets it.
- The number of entries is wrong after no, one, two or three suggestions, or counts refused frames.
- A status, the content type or the body of an HTTP response is wrong, or the response does not end.
- `POST` saves a row.
- The consumer does not stop, or raises an error, when its client leaves.
"""

from channels.testing import HttpCommunicator, WebsocketCommunicator

from db_demo.models import Entry


class TestBox:
    async def test_saves_a_suggestion(self, application):
        client = WebsocketCommunicator(application, "/box/")
        await client.connect()
        await client.send_to(text_data="more light")
        await client.receive_from()
        assert await Entry.objects.acount() == 1
        # TODO 1: compare the row and the frame. Add the other clients, and the frames that must not
        #         be saved. Check that each consumer stops.
        await client.disconnect()

    async def test_counts_the_entries(self, application):
        response = await HttpCommunicator(application, "GET", "/box/").get_response()
        assert response["status"] == 200
        # TODO 2: compare the whole response, with and without entries, also that of a POST.
