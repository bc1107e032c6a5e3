"""Lesson 23: does the room ask, at each word, who may say it and who may hear it?"""

import json

from lessons.judge import Model, OneOf

LONG = "a-room-with-a-very-long-name-of-50-characters-in-"
# The members of each room; bob is on the staff, eve is not active, and root is a superuser.
MEMBERS = {"den": (1, 2, 3, 4, 5), "annex": (1, 2), "empty": ()}
MEMBERS |= dict.fromkeys(("Den", "a-b", "a_b", f"{LONG}x", f"{LONG}y"), (1,))
USERS = [{"username": it, "first_name": it.title()} for it in ("ada", "bob", "cyd", "dan")]
USERS[1]["is_staff"] = True
USERS += [{"username": "eve", "is_active": False}, {"username": "root", "is_superuser": True}]
PAIRS = [(room, user) for room, users in enumerate(MEMBERS.values(), 1) for user in users]
TABLES = {
    "auth.User": USERS,
    "db_demo.Room": [{"name": name, "is_private": True} for name in MEMBERS],
    "db_demo.Membership": [{"room_id": room, "user_id": user} for room, user in PAIRS],
}
ROWS = f"load {json.dumps(TABLES)}"
PUT_OUT = 'delete db_demo.Membership {"room_id": 1, "user_id": 2}'  # bob, of the den
LET_IN = 'row db_demo.Membership {"id": 20, "room_id": 1, "user_id": 2}'
MAKE_MEMBER = 'row db_demo.Membership {"id": 21, "room_id": 1, "user_id": 6}'  # root
DEACTIVATE = 'partial row auth.User {"id": 3, "is_active": false}'  # cyd
DELETE_ACCOUNT = 'delete auth.User {"username": "dan"}'
DELETE_ROOM = 'delete db_demo.Room {"name": "annex"}'


OUT = {"type": "websocket.close", "code": 4403}


def enter(name, room="den"):
    return f"connect /ws/chat/{room}/ as={name}"


BOTH = f"{ROWS} | {enter('ada')} | 2 {enter('bob')}"


class Den(Model):
    database = True
    clients_are_independent = False
    max_clients = 4
    points = (*range(10), 12)
    ends = (*Model.ends, "crash", "kill")
    setups = ((ROWS,),)
    texts = ("hello", "bob: hello")
    handshakes = (
        *(enter("ada"), enter("bob"), enter("ada"), enter("cyd"), enter("bob"), enter("dan")),
        *(
            enter("ada", "annex"),
            enter("bob", "annex"),
            enter("ada", "Den"),
            enter("root"),
            "connect /ws/chat/den/",
        ),
    )
    others = (PUT_OUT, PUT_OUT, DEACTIVATE, DELETE_ACCOUNT, DELETE_ROOM, MAKE_MEMBER)

    @property
    def has_choices(self):
        return any(map(self.is_former, self.open_clients))

    def connect(self, client):
        """The connection of any other user is accepted, closed with code 4403, and receives
        nothing."""
        client.name = client.handshake.get("as")
        client.room = client.handshake["path"].split("/")[3]
        client.accept()
        client.was_member = self.asks_about(client)
        if not client.was_member:
            self.put_out(client)

    def receive(self, client, text, data):
        """When a member sends a text frame, every member of the room, including the sender,
        receives `ada: hello`."""
        if not text:
            if not self.asks_about(client) and self.either_way():
                self.put_out(client)
        elif not self.asks_about(client):
            self.put_out(client)
        else:
            for other in self.open_clients:
                if other.room == client.room and self.asks_about(other):
                    other.send(f"{client.name}: {text}")
                elif other.room == client.room:
                    self.put_out(other)

    def put_out(self, client):
        """The client is closed with 4403. Of several such messages, Daphne sends the first."""
        client.expect(OneOf([OUT], [OUT] * 2, [OUT] * 3))
        client.state = "closed"

    def asks_about(self, client):
        """Whether the client's user is a member, while rows may change."""
        answers = {self.is_member(client, tables) for tables in self.recent_tables}
        return self.either_way() if len(answers) == 2 else answers.pop()

    def is_member(self, client, tables, activities=(True,)):
        """Whether the client's user, whose activity is one of these, is a member of the room."""
        rooms = [row["id"] for row in tables["db_demo.Room"] if row["name"] == client.room]
        users = [row for row in tables["auth.User"] if row["username"] == client.name]
        users = [row["id"] for row in users if row.get("is_active", True) in activities]
        rows = tables["db_demo.Membership"]
        return any(row["room_id"] in rooms and row["user_id"] in users for row in rows)

    def promise_of(self, step):
        if step.action == "text" and any(map(self.is_former, self.clients.values())):
            return "From then on that user neither says nor hears a word."
        return super().promise_of(step)

    def is_former(self, client):
        return client.was_member and not self.is_member(client, self.tables)

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None:
            return None
        received = [message["type"] for message in difference.received]
        if not client.was_member:
            if received == ["websocket.close"]:
                return "refused-without-reason"
            return self.of_stranger(client) if received == ["websocket.accept"] else None
        heard = difference.received[difference.first :][:1]
        for step in difference.steps_of_burst:
            if step.action == "text" and difference.texts(heard):
                writer = self.clients[step.client]
                if heard[0]["text"] == f"{writer.name}: {step.arguments['text']}":
                    return self.of_text(writer, client)
        is_closed = "websocket.close" in received
        if not is_closed and (found := self.of_former(client, "removed-member-not-closed")):
            return found
        if is_closed and not self.is_former(client):
            others = map(self.is_former, self.clients.values())
            return "other-members-closed" if any(others) else None
        wanted = difference.missing and difference.texts([difference.missing])
        seen = difference.played.turns[difference.burst].clients.values()
        told = [text for one in seen for text in difference.texts([it for _, it in one.received])]
        return "member-missed" if wanted and wanted[0] in told else None

    def of_stranger(self, client):
        if client.name is None:
            return "guest-is-member"
        users, rows = self.tables["auth.User"], self.tables["db_demo.Membership"]
        own = [row["id"] for row in users if row["username"] == client.name]
        is_elsewhere = any(row["user_id"] in own for row in rows)
        return "member-elsewhere" if is_elsewhere else "stranger-let-in"

    def of_text(self, writer, reader):
        """What is wrong if the reader's client receives a text of the writer."""
        if writer.room != reader.room:
            return "wrong-room"
        if not writer.was_member:
            return self.of_stranger(writer)
        return self.of_former(writer, "removed-member-still-sends") or self.of_former(
            reader, "removed-member-still-receives"
        )

    def of_former(self, client, name):
        """`name` or "inactive-stays" for a client that was a member."""
        if not self.is_former(client):
            return None
        is_inactive = self.is_member(client, self.tables, (False,))
        return "inactive-stays" if is_inactive else name


def test_members_hear_each_other(play):
    """What a member says, all members in the room hear, and the sender does too."""
    play(f"{BOTH} | text hello | 2 text hello | text hello | 3 {enter('ada')} | 3 text again")
    play(f"{BOTH} | text one | & 2 text two | & text three")


def test_a_member_hears_what_is_said_from_the_accept_on(play):
    """A member who was accepted misses nothing that is said from then on."""
    play.at_each_point(f"{ROWS} | {enter('ada')} | 2 {enter('bob')} | at * text hello | 2 text hi")


def test_a_frame_without_text_says_nothing(play):
    """A binary frame, or an empty one, says nothing, and a member stays connected."""
    play(f"keys both | {BOTH} | bytes 68656c6c6f | text | bytes | text hello")
    play(f"{BOTH} | bytes 68656c6c6f | text | text hello")


def test_nobody_else_is_let_in(play):
    """A user who is no member, and a member of another room, is closed with 4403."""
    play(f"{ROWS} | {enter('ada')} | 2 {enter('root')} | & 2 text hello | text hello")
    play(f"{ROWS} | {enter('ada')} | 2 {enter('cyd', 'annex')} | text hello")
    play(f"{ROWS} | {enter('ada', 'DEN')} | 2 {enter('ada', 'nowhere')} | 3 {enter('eve')}")
    play(f"{ROWS} | {enter('ada', 'x' * 300)}")


def test_a_guest_is_no_member(play):
    """A guest is closed with 4403, in a room that has no members too."""
    for room in ("den", "empty", "nowhere"):
        play(f"{ROWS} | connect /ws/chat/{room}/")


def test_a_former_member_says_nothing_more(play):
    """A former member who sends a text is closed with 4403, and nobody receives it."""
    play(f"{BOTH} | 2 text hello | {PUT_OUT} | 2 text still here | text gone")
    play(f"{BOTH} | {PUT_OUT} | 2 text one | & 2 text two")
    play(f"{BOTH} | {PUT_OUT} | 2 bytes 00 | 2 text | 2 text hello")
    play(f"{BOTH} | text one | {PUT_OUT} | 2 text two")


def test_a_former_member_hears_nothing_more(play):
    """A former member who only listens is closed with 4403 at the first message of the room."""
    play(f"{BOTH} | {PUT_OUT} | text gone | text still gone")
    play(f"{BOTH} | text here | {PUT_OUT} | text gone")
    play(f"{BOTH} | 3 {enter('bob')} | {PUT_OUT} | text one | & text two | & 2 text three")


def test_an_inactive_account_is_no_members(play):
    """A user who was made inactive, or whose account was deleted, neither says nor hears a word."""
    for name, change in (("cyd", DEACTIVATE), ("dan", DELETE_ACCOUNT)):
        play(f"{ROWS} | {enter('ada')} | 2 {enter(name)} | {change} | 2 text still here")
        play(f"{ROWS} | {enter('ada')} | 2 {enter(name)} | {change} | text hello")
        play(f"{ROWS} | {enter(name)} | {change} | 2 {enter(name)} | text hello")


def test_a_deleted_room_has_no_members(play):
    """When the room is deleted, each connection is closed with 4403 at its first text."""
    both = f"{enter('ada', 'annex')} | 2 {enter('ada')} | 3 {enter('bob', 'annex')}"
    play(f"{ROWS} | {both} | {DELETE_ROOM} | text hello? | 3 text hello? | 2 text hello")


def test_each_room_is_separate(play):
    """What is said in one room is not heard in another, and a user may be put out of one only."""
    for one, other in (("den", "annex"), ("den", "Den"), ("a-b", "a_b"), (f"{LONG}x", f"{LONG}y")):
        play(f"{ROWS} | {enter('ada', one)} | 2 {enter('ada', other)} | text one | 2 text two")
    play(f"{ROWS} | {enter('bob')} | 2 {enter('bob', 'annex')} | {PUT_OUT} | text a | 2 text b")


def test_a_user_who_is_a_member_again_comes_in(play):
    """A former member who is a member again comes in with a new connection."""
    play(f"{BOTH} | {PUT_OUT} | 2 text still here | {LET_IN} | 2 {enter('bob')} | 2 text again")


def test_a_membership_may_end_while_a_text_is_handled(play):
    """A membership may end at any moment, and no connection of another member is closed."""
    play.at_each_point(f"{BOTH} | 2 text hello | at * {PUT_OUT} | text hello | 2 text again")


def test_leaves_the_group_whatever_ends_it(play):
    """However a connection ends, no group holds it any more."""
    for end in ("close 1001", "crash", "kill", f"{PUT_OUT} | 2 text still here"):
        play(f"{BOTH} | 2 {end} | text hello".replace("2 delete", "delete"))
    play.at_each_point(f"{BOTH} | text hello | at * 2 kill | text again")
