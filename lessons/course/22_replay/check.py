"""Lesson 22: does each client get each row once, in order, whatever happens, and whenever?"""

import json
from datetime import UTC, datetime, timedelta

from db_demo.models import Entry
from lessons.judge import CheckFailed, diagnose

BELL = "ticker.news"
NO_IDS = (
    *("seven", "-1", "1.5", "1e3", "0x7", "7%20", "%207", "%2B7", "1_0", "%C2%B2", "7%0A", "null"),
    *("7,8", "9" * 19, "9" * 30, "9" * 5000),
)
CLOSE = {"type": "websocket.close", "code": 4400}


class Newsroom:
    """Other writers, each in a process of its own."""

    def __init__(self, database, layer):
        self._database = database
        self._layer = layer
        self.written: list[dict] = []  # what a client is to get of each row, in order

    async def write(self, *texts, **columns) -> None:
        """Save a row for each text, and ring for none."""
        if texts:
            first = await self._database.do_in_other_process(_save, texts, columns)
            self.written += [{"id": first + n, "text": text} for n, text in enumerate(texts)]

    async def ring(self, news) -> None:
        await self._layer.group_send("ticker", {"type": BELL, **news})

    async def publish(self, text="meanwhile") -> None:
        """Save one row, and ring for it."""
        await self.write(text)
        await self.ring(self.written[-1])

    async def look(self) -> None:
        """Know of the rows that clients have written."""
        rows = await self._database.do_in_other_process(list, Entry.objects.order_by("id").values())
        self.written = [{"id": row["id"], "text": row["text"]} for row in rows]

    def after(self, last: int) -> list[dict]:
        return [news for news in self.written if news["id"] > last]

    @property
    def newest(self) -> int:
        return self.written[-1]["id"] if self.written else 0


def _save(texts, columns) -> int:
    rows = [Entry(text=text) for text in texts]
    Entry.objects.bulk_create(rows)
    if columns:
        Entry.objects.filter(id__gte=rows[0].id).update(**columns)
    return rows[0].id


async def enter(communicator, last=None):
    """A client that has seen everything up to the id `last`, and nothing where that is None."""
    path = "/ws/db/replay/" if last is None else f"/ws/db/replay/?after={last}"
    client = communicator(path)
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    if client.close_code is not None:
        diagnose("last-id-refused", client)
    return client


def gets(client, news, *, missing="entry-missed", disorder="wrong-order", again="sent-twice"):
    """These rows came since the last look, each of them once, in this order, and no other."""
    seen = [_row(message) for message in client.unread]
    ids = [row["id"] for row in seen if isinstance(row, dict) and type(row.get("id")) is int]
    wanted = [row["id"] for row in news]
    detail = f"The ids sent: {ids}; those to be sent: {wanted}."
    if len(ids) == len(seen) and ids != wanted:
        if len(set(ids)) < len(ids) or not set(ids) <= set(wanted):
            diagnose(again, client, detail)
        diagnose(missing if len(ids) < len(wanted) else disorder, client, detail)
    if seen != news:
        client.expect(*({"type": "websocket.send", "text": json.dumps(row)} for row in news))
    client.unread.clear()


def _row(message):
    try:
        return json.loads(message.get("text"))
    except (TypeError, ValueError):
        return None


def order_of(client):
    """What the consumer did so far: types of its calls, with the first word of each query."""
    calls = [event.message for event in client.transcript if event.direction == "out"]
    return [call.get("sql", call["type"]).split()[0] for call in calls]


def gap_in_connect(client):
    """Why what another has written during connect was never sent."""
    steps = [step for step in order_of(client) if step in ("SELECT", "group_add")]
    return "history-before-joining" if steps[-1:] == ["group_add"] else "entry-missed"


def gap_at_a_bell(client):
    """Why what was rung for was never sent to one who is there."""
    return "entry-missed" if "group_add" in order_of(client) else "group-not-joined"


def said(speaker):
    """The messages that the consumer has sent to a group."""
    calls = [event.message for event in speaker.transcript]
    return [call["message"] for call in calls if call["type"] == "group_send"]


def gap_in_saying(speaker):
    """Why what a client has said did not come to all."""
    order = order_of(speaker)
    if "group_send" not in order:
        return "member-missed"
    rung_early = "INSERT" not in order[: order.index("group_send")]
    return "sent-inside-transaction" if rung_early else "entry-missed"


async def test_a_new_client_gets_all_there_is(communicator, database, external_sender):
    """Without `after`, or with `after=0`, a client gets every row: oldest id first, 120 of them."""
    for last in (None, 0):
        gets(await enter(communicator, last), [])
    room = Newsroom(database, external_sender)
    await room.write(*(f"news {number}" for number in range(100)))
    await room.write('"quoted" ä ☃', "", written_at=datetime(2001, 1, 1, tzinfo=UTC))
    await room.write(*("old",) * 18, written_at=datetime.now(UTC) - timedelta(days=1))
    for last in (None, 0):
        gets(await enter(communicator, last), room.written, missing="history-cut")


async def test_one_who_comes_back_gets_what_it_has_missed(communicator, database, external_sender):
    """With `after`, a client gets the rows with higher ids alone, be some deleted or not."""
    room = Newsroom(database, external_sender)
    await room.write(*(f"news {number}" for number in range(1, 13)))
    gone = (2, 5, 6, 12)
    await database.do_in_other_process(Entry.objects.filter(id__in=gone).delete)
    room.written = [news for news in room.written if news["id"] not in gone]
    for last in (2, 5, 11, 12, 10**18 - 1, 0):
        client = await enter(communicator, last)
        gets(client, room.after(last))
        if last:
            await client.disconnect()
    await room.publish("new")
    gets(client, room.written[-1:], missing=gap_at_a_bell(client))


async def test_each_who_is_there_gets_what_is_published(communicator, database, external_sender):
    """What is published comes to all once, be they new or back, and what one of them says, too."""
    room = Newsroom(database, external_sender)
    await room.write("one", "two", "three")
    clients = {last: await enter(communicator, last) for last in (3, 0, 2)}
    for last, client in clients.items():
        gets(client, room.after(last), missing="last-id-shared", again="last-id-shared")
    await room.write("four")
    late = await enter(communicator, 2)  # and so it has the row before anybody rings for it
    gets(late, room.after(2))
    await room.ring(room.written[-1])
    gets(late, [])
    for client in clients.values():
        gets(client, room.written[-1:], missing="last-id-shared", again="last-id-shared")
    for number, speaker in enumerate(clients.values()):
        await speaker.send_to(text_data=f"said {number}")
        await room.look()
        if room.written[-1]["text"] != f"said {number}":
            diagnose("text-not-saved", speaker)
        for client in clients.values():
            gets(client, room.written[-1:], missing=gap_in_saying(speaker))
        if not said(speaker)[-1].items() >= {"type": BELL, **room.written[-1]}.items():
            diagnose("message-differs", speaker, f"It was {said(speaker)[-1]}.")


async def test_a_frame_without_text_says_nothing(communicator, database, external_sender):
    """A binary frame, with or without text: None beside it, and an empty one save nothing."""
    room = Newsroom(database, external_sender)
    client = await enter(communicator)
    await client.send_to(bytes_data=b"hello")
    await client.send_to(text_data="")
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
    await room.look()
    if room.written:
        diagnose("empty-frame-saved", client)
    client.expect()


async def test_what_is_published_during_connect_comes_once(
    communicator, database, external_sender, interleaving
):
    """Whenever another publishes, from the connect to the last row: all come, once, in order."""
    room = Newsroom(database, external_sender)
    await room.write("one", "two", "three")
    for _ in interleaving.each_point(room.publish):
        last = room.newest - 2
        client = await enter(communicator, last)
        missing = gap_in_connect(client)
        gets(client, room.after(last), missing=missing, disorder="live-before-history")
        await client.disconnect()


async def test_a_lost_message_loses_no_row(communicator, database, external_sender):
    """Where messages are lost, the next that arrives brings all rows that are new."""
    room = Newsroom(database, external_sender)
    client = await enter(communicator)
    for lost in (["one"], [], ["two", "three"], ["four"] * 60):
        seen = room.newest
        await room.write(*lost)
        await room.publish("heard")
        gets(client, room.after(seen), missing="layer-message-trusted")


async def test_a_message_is_no_row(communicator, database, external_sender):
    """A message that is late, comes again, or is of a row that is not there, changes nothing."""
    room = Newsroom(database, external_sender)
    await room.write("one", "two")
    client = await enter(communicator, 1)
    gets(client, room.after(1))
    for news in (*room.written, {"id": 3, "text": "rolled back"}, {"id": 0, "text": "none"}):
        await room.ring(news)
        gets(client, [], again="layer-message-trusted")
    await room.write("three", "four")
    for news in reversed(room.after(2)):
        await room.ring(news)
    gets(client, room.after(2), missing="layer-message-trusted", disorder="layer-message-trusted")


async def test_what_is_published_during_a_message_comes_once(
    communicator, database, external_sender, interleaving
):
    """So it is when another publishes while the consumer is busy with what was published before."""
    room = Newsroom(database, external_sender)
    client = await enter(communicator)
    for _ in interleaving.each_point(room.publish):
        seen = room.newest
        await room.publish("before")
        gets(client, room.after(seen))


async def test_what_is_published_while_a_client_speaks_comes_once(
    communicator, database, external_sender, interleaving
):
    """So it is when another publishes while a client says something, and one more is there."""
    room = Newsroom(database, external_sender)
    clients = [await enter(communicator) for _ in range(2)]
    for _ in interleaving.each_point(room.publish):
        seen = room.newest
        await clients[0].send_to(text_data="said")
        await room.look()
        missing = gap_in_saying(clients[0])
        for client in clients:
            gets(client, room.after(seen), missing=missing)


async def test_an_id_that_is_none_is_refused_so_that_it_shows(
    communicator, database, external_sender
):
    """An `after` that is no number, or a negative, or a huge one, is closed with 4400."""
    room = Newsroom(database, external_sender)
    await room.write("one")
    for text in NO_IDS:
        client = communicator(f"/ws/db/replay/?after={text}")
        try:
            accepted, _ = await client.connect()
        except CheckFailed as red:
            if red.finding.diagnosis != "exception":
                raise
            diagnose("last-id-unchecked", client, red.finding.detail)
        if not accepted:
            diagnose("refused-without-reason", client)
        if client.close_code is None:
            diagnose("last-id-unchecked", client)
        client.expect(CLOSE, otherwise=None if client.close_code == 4400 else "wrong-close-code")


async def test_one_who_is_refused_says_nothing(communicator, database, external_sender):
    """What a client says before it knows that it is refused is not saved."""
    client = communicator("/ws/db/replay/?after=seven")
    client.input_queue.put_nowait({"type": "websocket.connect"})
    client.input_queue.put_nowait({"type": "websocket.receive", "text": "hello"})
    await client.wait()
    room = Newsroom(database, external_sender)
    await room.look()
    if room.written:
        diagnose("refused-text-saved", client)


async def test_leaves_the_group_whatever_ends_it(communicator, database):
    """When a client leaves, a handler raises, or the server cancels, it is out of the group."""
    for end in ("disconnect", "crash", "kill"):
        client = await enter(communicator)
        await getattr(client, end)()
