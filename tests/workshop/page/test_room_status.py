"""What a page gets of the class over its socket, and what it sends to it."""

import pytest
from msgspec.structs import replace

from lessons.workshop.member import membership
from lessons.workshop.member.protocol import Hand, Look, Message, Reading, State, Vote
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.member.room_link import RoomLink
from lessons.workshop.page.live import room_status
from lessons.workshop.page.live.room_status import page_state
from lessons.workshop.setup.network_access import Mode
from tests.support.page_client import news_of, socket_of_page


@pytest.fixture(autouse=True)
def joined(state_dir, known):
    membership.save(known)


class FakeClient(RoomClient):
    """A client that is connected to nothing, and remembers what it has to send."""

    def __init__(self, known, changed=lambda: None, **state):
        super().__init__(known, changed)
        self.link, self.state, self.done = "connected", State(**state), []

    async def send(self, frame):
        self.done.append(frame)
        if not isinstance(frame, Reading):
            self.state = replace(self.state, hand=not self.state.hand)
            self.changed()

    async def dismiss(self, number):
        self.done.append(number)
        self.state = State()
        self.changed()


@pytest.fixture
def link(monkeypatch, known):
    made = RoomLink()
    made.client = FakeClient(known, made.notify_pages)
    monkeypatch.setattr(room_status, "room_link", lambda: made)
    return made


async def test_what_a_student_does_reaches_the_room_and_nothing_else_does(link):
    link.client.state = State(messages=[Message(7, "Hi")])
    client = await socket_of_page().open()
    await news_of(client, "class")
    for text in (
        "{", "[]", '"hand"', "[" * 100_000, '{"type": "vote"}', '{"type": "hand", "text": 1}',
        '{"type": "dismiss", "id": "7"}', '{"type": "reading", "lesson": "../etc"}',
        '{"type": "standing", "lesson": "stop"}', '{"type": "vote", "poll": 9, "round": 1}',
    ):  # fmt: skip
        await client.send_input({"type": "websocket.receive", "text": text})
    await client.send_to(bytes_data=b"x")
    await client.send_json_to({"type": "reading", "lesson": "03-stop"})
    await client.send_json_to({"type": "hand", "text": "Why?"})
    assert (await news_of(client, "class"))["hand"]
    await client.send_json_to({"type": "vote", "poll": 9, "round": 1, "answer": "2 0 | 1"})
    await news_of(client, "class")
    await client.send_json_to({"type": "dismiss", "id": 7})
    await news_of(client, "class")
    assert link.client.done == [Reading("stop"), Hand("Why?"), Vote(9, 1, "2 0 | 1"), 7]
    await client.disconnect()


@pytest.mark.parametrize("mode", [Mode.SHARED, Mode.ROOM])
async def test_the_server_of_several_users_says_nothing_of_classes(link, settings, mode):
    settings.MODE = mode
    client = await socket_of_page().open()
    await client.disconnect()
    assert client.output_queue.empty()


def test_look_leads_to_the_place_that_the_instructor_shows(known):
    look = page_state(FakeClient(known, look=Look(4, "stop", "#do", ", Do")))["look"]
    assert look == {"id": 4, "url": "/lessons/03-stop/#do", "text": "lesson 3 stop, Do"}


@pytest.mark.django_db
def test_a_page_has_a_place_for_the_bar_only_where_a_workshop_may_join(client, settings):
    path = "/lessons/03-stop/"
    shown = client.get(path).content.decode()
    assert 'id="class-place"' in shown
    assert "secret" not in shown
    settings.MODE = Mode.SHARED
    assert "class-place" not in client.get(path).content.decode()
