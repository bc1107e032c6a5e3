"""Lesson 23: does the den ask, at each word, who may say it and who may hear it?"""

from django.contrib.auth.models import User

from db_demo.models import Membership, Room
from lessons.judge import diagnose

OUT = {"type": "websocket.close", "code": 4403}


class Den:
    """A private room, its members, and their clients."""

    def __init__(self, communicator, database, name="den"):
        self.communicator, self.database, self.name = communicator, database, name

    async def open(self, *members):
        """Make the room with these members."""
        for name in members:
            await self.database.add_account(name)
        await self.database.do(_make_room, self.name, members)
        return self

    async def knock(self, name=None):
        headers = await self.database.log_in(name) if name else []
        client = self.communicator(f"/ws/chat/{self.name}/", headers=headers)
        accepted, _ = await client.connect()
        if not accepted:
            diagnose("refused-without-reason", client)
        return client

    async def enter(self, name):
        client = await self.knock(name)
        if client.close_code is not None:
            diagnose("refuses-everyone", client)
        client.expect()
        return client

    async def put_out(self, name):
        rows = Membership.objects.filter(room__name=self.name, user__username=name)
        await self.database.do(rows.delete)

    async def deactivate(self, name):
        await self.database.do(User.objects.filter(username=name).update, is_active=False)

    async def delete_account(self, name):
        await self.database.do(User.objects.filter(username=name).delete)

    async def pull_down(self):
        await self.database.do(Room.objects.filter(name=self.name).delete)


def _make_room(name, members):
    room = Room.objects.create(name=name, is_private=True)
    users = User.objects.filter(username__in=members)
    Membership.objects.bulk_create(Membership(room=room, user=user) for user in users)


def hears(client, *lines, otherwise=None):
    client.expect(
        *({"type": "websocket.send", "text": line} for line in lines), otherwise=otherwise
    )


def shown_out(client, otherwise="removed-member-not-closed"):
    """Closed with 4403, and nothing else came; a second close does nothing."""
    ends = [message for message in client.unread if message["type"] == "websocket.close"]
    client.unread[:] = [one for one in client.unread if not any(one is end for end in ends[1:])]
    if client.close_code is not None:
        otherwise = "removed-member-still-receives" if said_in(client) else None
        otherwise = otherwise if client.close_code == 4403 else "wrong-close-code"
    client.expect(OUT, otherwise=otherwise)


def said_in(client):
    """Whether the client heard what ada said in the room."""
    return any("ada: " in (message.get("text") or "") for message in client.unread)


def goes_on(client, *lines):
    """Heard these, and is still there."""
    if client.close_code is not None:
        diagnose("other-members-closed", client)
    hears(client, *lines, otherwise=None if client.unread else "member-missed")


async def test_members_hear_each_other(communicator, database):
    """What a member says, all members in the room hear, the one who said it too."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    for client, name in ((ada, "ada"), (bob, "bob")):
        await client.send_to(text_data="hello")
        goes_on(ada, f"{name}: hello")
        goes_on(bob, f"{name}: hello")


async def test_a_frame_without_text_says_nothing(communicator, database):
    """A binary frame or an empty one says nothing, and the connection goes on."""
    den = await Den(communicator, database).open("ada")
    ada = await den.enter("ada")
    await ada.send_to(bytes_data=b"hello")
    await ada.send_to(text_data="")
    await ada.send_input({"type": "websocket.receive", "text": None, "bytes": b"x"})
    goes_on(ada)


async def test_nobody_else_is_let_in(communicator, database):
    """A stranger, and a member of another room, is closed with 4403 and hears nothing."""
    await Den(communicator, database, "other").open("bob")
    den = await Den(communicator, database).open("ada")
    ada = await den.enter("ada")
    for name in ("cyd", "bob"):
        stranger = await den.knock(name)
        await ada.send_to(text_data="hello")
        shown_out(stranger, "member-elsewhere" if name == "bob" else "stranger-let-in")
        goes_on(ada, "ada: hello")


async def test_a_guest_is_no_member(communicator, database):
    """One who has not logged in is closed with 4403, in a room that has no members too."""
    for name, members in (("full", ["ada"]), ("empty", [])):
        den = await Den(communicator, database, name).open(*members)
        shown_out(await den.knock(), "guest-is-member")
    shown_out(await Den(communicator, database, "nowhere").knock(), "guest-is-member")


async def test_who_was_put_out_says_nothing_more(communicator, database):
    """A member who was put out and speaks is closed with 4403, and nobody hears it."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await bob.send_to(text_data="hello")
    goes_on(ada, "bob: hello")
    goes_on(bob, "bob: hello")
    await den.put_out("bob")
    await bob.send_to(text_data="still here")
    goes_on_unspoken_to(ada)
    shown_out(bob)
    await ada.send_to(text_data="gone")
    goes_on(ada, "ada: gone")


def goes_on_unspoken_to(client):
    if client.close_code is not None:
        diagnose("other-members-closed", client)
    hears(client, otherwise="removed-member-still-sends")


async def test_who_was_put_out_hears_nothing_more(communicator, database):
    """A member who was put out, and is spoken to, hears nothing, and is closed with 4403."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await den.put_out("bob")
    await ada.send_to(text_data="he is gone")
    shown_out(bob, "removed-member-still-receives" if said_in(bob) else "removed-member-not-closed")
    goes_on(ada, "ada: he is gone")


async def test_what_is_on_its_way_then_is_passed_over(communicator, database):
    """Two messages at once for one who was put out: the first ends it, the second does no harm."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await den.put_out("bob")
    ada.input_queue.put_nowait({"type": "websocket.receive", "text": "one"})
    await ada.send_to(text_data="two")
    shown_out(bob, "removed-member-still-receives" if said_in(bob) else "removed-member-not-closed")
    goes_on(ada, "ada: one", "ada: two")


async def test_two_words_at_once_of_one_who_was_put_out(communicator, database):
    """Two frames at once from one who was put out: neither is heard."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await den.put_out("bob")
    bob.input_queue.put_nowait({"type": "websocket.receive", "text": "one"})
    await bob.send_to(text_data="two")
    goes_on_unspoken_to(ada)
    shown_out(bob)


async def test_an_inactive_account_is_no_members(communicator, database):
    """Who has been made inactive, or whose account is gone, neither says nor hears a word."""
    den = await Den(communicator, database).open("ada", "bob", "cyd", "dan")
    ada = await den.enter("ada")
    for name, end in (("bob", den.deactivate), ("cyd", den.delete_account)):
        client = await den.enter(name)
        await end(name)
        await client.send_to(text_data="still here")
        hears(ada, otherwise="inactive-stays")
        shown_out(client, "inactive-stays")
    dan = await den.enter("dan")
    await den.deactivate("dan")
    await ada.send_to(text_data="hello")
    shown_out(dan, "inactive-stays")
    goes_on(ada, "ada: hello")


async def test_a_room_that_is_gone_has_no_members(communicator, database):
    """When the room is deleted, all who speak or are spoken to there are closed with 4403."""
    den = await Den(communicator, database).open("ada", "bob")
    ada = await den.enter("ada")
    await den.pull_down()
    await ada.send_to(text_data="hello?")
    shown_out(ada)


async def test_each_den_is_a_room_of_its_own(communicator, database):
    """One who is in two rooms and is put out of one stays in the other."""
    den = await Den(communicator, database).open("ada", "bob")
    other = await Den(communicator, database, "other").open("ada", "bob")
    here, there = await den.enter("bob"), await other.enter("bob")
    await den.put_out("bob")
    await here.send_to(text_data="hello")
    shown_out(here)
    await there.send_to(text_data="hello")
    goes_on(there, "bob: hello")


async def test_one_who_is_let_back_needs_a_new_connection(communicator, database):
    """Shown out and let back at once, the old connection says and hears nothing more."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await den.put_out("bob")
    await ada.send_to(text_data="one")  # bob's client has yet to hear that it was shown out
    await database.do(_let_in, den.name, "bob")
    await ada.send_to(text_data="two")
    goes_on(ada, "ada: one", "ada: two")
    bob.input_queue.put_nowait({"type": "websocket.receive", "text": "me again"})
    await bob.wait()
    shown_out(bob)
    goes_on_unspoken_to(ada)


async def test_one_who_is_let_back_comes_in(communicator, database):
    """Who was put out, and is a member again, comes in, says and hears as before."""
    den = await Den(communicator, database).open("ada", "bob")
    ada, bob = await den.enter("ada"), await den.enter("bob")
    await den.put_out("bob")
    await bob.send_to(text_data="still here")
    await database.do(_let_in, den.name, "bob")
    bob = await den.enter("bob")
    await bob.send_to(text_data="again")
    goes_on(bob, "bob: again")
    goes_on(ada, "bob: again")


def _let_in(room, name):
    Room.objects.get(name=room).members.add(User.objects.get(username=name))


async def test_leaves_the_group_whatever_ends_it(communicator, database, external_sender):
    """Shown out, left, crashed or cancelled: no group has it any more."""
    den = await Den(communicator, database).open("ada")
    for end in ("disconnect", "crash", "kill"):
        await getattr(await den.enter("ada"), end)()
        if external_sender.groups:
            diagnose("group-leak")
    ada = await den.enter("ada")
    await den.put_out("ada")
    await ada.send_to(text_data="still here")
    if external_sender.groups:
        diagnose("group-leak", ada)
