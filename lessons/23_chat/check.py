"""Lesson 23: does one user get the microphone, and does every client receive who?"""

import json
from dataclasses import replace
from typing import ClassVar

from lessons.workshop.judge import Answer, Model

ROOM = "db_demo.Room"
USERS = ("ada", "bob", "cyd", "dan", "Ada")
ROOMS = ("den", "annex", "Den")
STAFF = ("bob", "Ada")
TABLES = {
    "auth.User": [
        {
            "username": name,
            "first_name": name.title(),
            "is_staff": name in STAFF,
            "is_superuser": name == "cyd",
        }
        for name in USERS
    ],
    ROOM: [{"name": name, "speaker_id": None} for name in ROOMS],
}
ROWS = f"load {json.dumps(TABLES)}"
READ = f"rows {ROOM}"
ONE_MESSAGE = (
    "After each change that your consumer makes, and only then, it sends one"
    ' `{"type": "stage.changed"}` to the group `stage-` + the room\'s name.'
)
AT_EACH_END = (
    "However a connection ends, it leaves the group, and its user gives back the microphone, even"
    " if other connections remain."
)
TOO_LATE = "too late"
GIVEN = "With the text `take`, the client's user gets the microphone."
MESSAGES = ("notified-without-change", "notified-too-early", "freed-silently", "member-missed")
ENDS = ("not-freed", "group-leak", "group-leak-after-a-crash", "cancelled-while-joining")
PROMISES = {
    "The URL names an existing room": "handshakes",
    "Its `speaker` is the user": "This says what the field means.",
    "Every client is logged in": "handshakes",
    "it leaves the group": "test_leaves_the_group",
    "even if other connections remain": "handshakes",
    "Queries never fail": "No conversation has a query that fails.",
    "Other code may change `speaker`": "others",
    "Never undo its change": (
        *("test_another_user_may_get_it_at_any_moment",),
        *("test_another_user_may_get_it_while_the_owner_leaves",),
    ),
    "it sends one": "test_sends_one_message_after_a_change",
    "Other code does the same": "test_another_user_may_get_it_at_any_moment",
}


def enter(name, room="den"):
    return f"connect /ws/db/chat/{room}/ as={name}"


def give(user, room="den"):
    """Other code gives the microphone to this user, or to no user (None)."""
    speaker = None if user is None else USERS.index(user) + 1
    fields = {"id": ROOMS.index(room) + 1, "speaker_id": speaker}
    return f"partial row {ROOM} {json.dumps(fields)}"


def message(room="den"):
    return f'group stage-{room} {{"type": "stage.changed"}}'


BOTH = f"{ROWS} | {enter('ada')} | 2 {enter('bob')}"


class Stage(Model):
    database = True
    clients_are_independent = False
    max_clients = 4
    crowd = 12  # each change reaches all of them
    points = (*range(8), 10)
    setups = ((ROWS,),)
    handshakes = tuple(map(enter, ("ada", "bob", "ada", "cyd", "ada/2", "dan")))
    handshakes += (enter("Ada"), enter("ada", "annex"), enter("bob", "annex"), enter("ada", "Den"))
    texts = ("take", "take", "take", "Take", " take", "take ", "leave", "ada has the microphone")
    others = (give("dan"), give(None), give("ada"), message(), READ)
    last_steps = (READ,)
    ends = (*Model.ends, "crash")
    promise_of: ClassVar = {
        **dict.fromkeys(MESSAGES, ONE_MESSAGE),
        **dict.fromkeys(ENDS, AT_EACH_END),
        **dict.fromkeys(
            ("checked-then-saved", "freed-for-another"),
            "Other code may change `speaker` between any two queries. Never undo its change.",
        ),
    }

    def __init__(self):
        super().__init__()
        self.sent = 0  # messages to the group of the den that no step has taken
        self.names = [*USERS]

    def connect(self, client):
        """After the accept, the client receives the state."""
        client.user = USERS.index(client.handshake["as"].partition("/")[0]) + 1
        client.room = client.handshake["path"].split("/")[-2]
        client.joined, client.took = self.burst, None
        client.accept()
        self.send_state(client)

    def receive(self, client, text, data):
        """Ignore other frames."""
        if text == "take" and self.row(client)["speaker_id"] is None:
            self.give(client)
        elif text == "take":
            self.keep(client)

    def give(self, client):
        """With the text `take`, the client's user gets the microphone."""
        client.took = self.burst
        self.change_speaker(client, client.user)

    def keep(self, client):
        """If any user has it, even this one, the client receives `too late`."""
        client.send(TOO_LATE)

    def disconnect(self, client):
        """However a connection ends, it leaves the group, and its user gives back the microphone,
        even if other connections remain."""
        if self.row(client)["speaker_id"] == client.user:
            self.change_speaker(client, None)
        if client.end == "kill" and client.took == self.burst:  # perhaps before it took it
            for other in self.members(client.room):
                other.expected = [
                    replace(it, may_miss=True) if it.lane == client.number else it
                    for it in other.expected
                ]

    def committed(self, change):
        if change.table == "auth.User":
            self.names[change.row["id"] - 1] = change.row["username"]

    def other(self, step):
        if step.action == "group":
            for client in self.members(step.arguments["name"].removeprefix("stage-")):
                self.notify(client, lane=step.action)
        if step.action == "take":
            sent, self.sent = self.sent > 0, max(0, self.sent - 1)
            return Answer({"type": "stage.changed"} if sent else None)
        return None

    def change_speaker(self, client, speaker):
        self.sent += client.room == "den"
        self.save(ROOM, id=self.row(client)["id"], speaker_id=speaker)
        for member in self.members(client.room):
            self.notify(member, lane=client.number)

    def notify(self, member, lane):
        """For each such message, each client in the room receives the state."""
        # A client that joins the group later reads the state then.
        if member.joined == self.burst and not self.branch():
            member.expected, lane = member.expected[:1], None  # the accept
        self.send_state(member, lane)

    def send_state(self, client, lane=None):
        # The state of this moment, or a later one: the consumer reads it.
        first = len(self.recent_tables) - 1

        def is_state(text):
            return any(text == self.state(client, tables) for tables in self.recent_tables[first:])

        client.send_any(self.state(client, self.tables), is_state, lane=lane)

    def state(self, client, tables):
        speaker = self.row(client, tables)["speaker_id"]
        return f"{self.names[speaker - 1] if speaker else 'no user'} has the microphone"

    def row(self, client, tables=None):
        rows = (tables or self.tables)[ROOM]
        return next(row for row in rows if row["name"] == client.room)

    def members(self, room):
        return [client for client in self.open_clients if client.room == room]

    def diagnose(self, difference):
        if difference.fault:
            return None
        if difference.client is None:
            return self.diagnosis_of_row(difference)
        client = self.clients[difference.client]
        burst = difference.steps_of_burst
        if difference.pair and difference.pair[1].get("text") == TOO_LATE:
            difference.wanted[difference.first].promise = GIVEN
        calls = [call_of(event) for event in difference.events if event.direction == "out"]
        now = [call_of(it) for _, it in difference.report.events if it.direction == "out"]
        if difference.missing and client.took == self.burst and "UPDATE" not in now:
            difference.wanted[difference.first].promise = GIVEN
        wanted, received = (
            difference.texts(it[difference.first :])
            for it in (difference.expected, difference.received)
        )
        rooms = {self.clients[step.client].room for step in burst if step.client in self.clients}
        if received and not wanted and client.room not in rooms:
            return "wrong-room"
        ends = any(step.action in ("close", "vanish", "crash", "kill") for step in burst)
        takes = any(step.arguments.get("text") == "take" for step in burst)
        is_early = "free" in now and "group_send" in now[: now.index("free")]
        if ends and is_early and "UPDATE" not in now:
            return "notified-too-early"
        if ends and wanted and not received:
            if "free" not in calls:
                return "not-freed"
            return None if "group_send" in calls[calls.index("free") :] else "freed-silently"
        if ends and received and not wanted:
            is_wrong = received[0] != self.state(client, self.tables)
            return "freed-for-another" if is_wrong else "notified-without-change"
        if client.joined == self.burst and wanted and not received and "group_add" in calls:
            return "joined-too-late"
        if takes and "group_send" in calls:
            changes = [number for number, call in enumerate(calls) if call in ("UPDATE", "free")]
            if changes and calls.index("group_send") < changes[0]:
                return "notified-too-early"
            nobody_took = all(it.took != self.burst for it in self.clients.values())
            is_state = received and received[0] == self.state(client, self.tables)
            if nobody_took and is_state and not wanted:
                return "notified-without-change"
        if (difference.missing or {}).get("text") == TOO_LATE:
            return None
        writers = [it for it in burst if it.action == "row" or it.arguments.get("text") == "take"]
        if takes and len(writers) > 1:
            return "checked-then-saved"
        if takes and wanted and "UPDATE" in calls and "group_send" not in calls:
            return "member-missed"
        return None

    def diagnosis_of_row(self, difference):
        if difference.step.action != "rows":
            return None
        pairs = zip(difference.expected_answer.shown, difference.answer, strict=True)
        wanted, own = next((one, own) for one, own in pairs if not one.items() <= own.items())
        left = [(it.room, it.user) for it in self.by_connection.values() if not it.is_open]
        if any(room != own["name"] and user == wanted["speaker_id"] for room, user in left):
            return "freed-in-every-room"
        if wanted["speaker_id"]:
            raced = any(it.point is not None or it.together for it in difference.steps_so_far)
            return "checked-then-saved" if raced else None
        return "not-freed" if (own["name"], own["speaker_id"]) in left else None


def call_of(event):
    sql = event.message.get("sql", event.message.get("type", ""))
    change, _, rows = sql.partition(" WHERE ")
    # Django 6.1 writes NULL as a parameter. Only who takes asks for rows without a speaker.
    is_null = '"speaker_id" = %s' in change and "IS NULL" not in rows
    return "free" if is_null or '"speaker_id" = NULL' in change else sql.split(" ")[0]


def test_a_client_receives_the_state(play):
    """A client that was accepted receives who has the microphone."""
    play(f"{ROWS} | {enter('ada')} | {give('cyd')} | 2 {enter('bob')} | 3 {enter('bob', 'annex')}")


def test_the_state_has_the_name_of_now(play):
    """After the user with the microphone got another name, the state has that name."""
    renamed = f'partial row auth.User {{"id": 4, "username": "{"lady.é" * 25}"}}'
    play(f"{BOTH} | {give('dan')} | {message()} | {renamed} | {message()} | 3 {enter('cyd')}")


def test_each_client_receives_who_took_it(play):
    """After `take`, each client in the room receives the new state, and no other room does."""
    play(f"{BOTH} | 3 {enter('cyd', 'annex')} | text take | 3 text take")


def test_the_second_client_is_too_late(play):
    """If any user has the microphone, `take` gets `too late`, and nothing else happens."""
    play(f"{BOTH} | text take | 2 text take | text take | {READ}")
    play(f"{BOTH} | text take | & 2 text take | {READ}")
    for name in ("cyd", "Ada"):  # the rights of an account change nothing
        play(f"{BOTH} | 3 {enter(name)} | text take | 3 text take | 3 close | {READ}")
        play(f"{BOTH} | 3 {enter(name)} | 3 text take | 2 text take | 3 close | {READ}")
    play(f"{BOTH} | text take | 2 text take | close | 2 text take | 3 {enter('cyd')} | 3 text take")
    play(f"{BOTH} | text take{' | 2 text take' * 100} | close | 2 text take")


def test_other_frames_are_ignored(play):
    """A frame that is not the text `take` changes nothing."""
    play(f"keys both | {BOTH} | text Take | text | bytes 74616b65 | text hello | text take")


def test_another_user_may_get_it_at_any_moment(play):
    """Other code that acts while `take` is handled is never undone."""
    play.at_each_point(f"{BOTH} | text take | at * {give('dan')} | {READ} | {message()}")
    play.at_each_point(f"{BOTH} | {give('dan')} | text take | at * {give(None)} | {READ}")


def test_two_clients_may_want_it_at_any_moment(play):
    """Of two clients that send `take` at the same moment, one gets it."""
    play.at_each_point(f"{BOTH} | text take | at * 2 text take | {READ}")


def test_it_is_free_after_its_user_has_left(play):
    """When the user's connection ends, each client receives that no user has the microphone."""
    play(f"{BOTH} | text take | close 1001 | 2 text take | {READ}")
    renamed = 'partial row auth.User {"id": 1, "username": "lady"}'
    play(f"{ROWS} | {enter('ada')} | text take | {renamed} | close 1001 | {READ}")


def test_it_is_free_however_the_connection_ends(play):
    """A crash and a cancel also free the microphone."""
    for end in ("vanish", "crash", "kill"):
        play(f"{BOTH} | text take | {end} | {READ} | 2 text take")
    play.at_each_point(f"{BOTH} | text take | at * kill | {READ} | 2 text take")


def test_another_users_microphone_stays(play):
    """When a user leaves who does not have it, nothing changes and no client receives anything."""
    play(f"{BOTH} | text take | 2 close 1001 | {READ} | 2 {enter('bob')}")
    play(f"{BOTH} | 2 close 1001 | {READ}")
    play(f"{ROWS} | {enter('ada')} | 2 {enter('Ada')} | text take | 2 close 1001 | {READ}")


def test_the_microphone_of_another_room_stays(play):
    """A user who leaves a room still has the microphone of another room."""
    for room in ("annex", "Den"):
        both = f"{enter('ada')} | 2 {enter('ada', room)}"
        play(f"{ROWS} | {both} | 2 text take | text take | close 1001 | {READ}")


def test_another_user_may_get_it_while_the_owner_leaves(play):
    """Other code that acts while a connection ends is never undone."""
    play.at_each_point(f"{BOTH} | text take | close 1001 | at * {give('dan')} | {READ}")


def test_a_client_that_connects_misses_no_change(play):
    """A client that connects at the moment of a change receives the new state."""
    play.at_each_point(f"{ROWS} | {enter('ada')} | 2 {enter('bob')} | at * text take | {READ}")
    play.at_each_point(f"{BOTH} | text take | close 1001 | at * 3 {enter('cyd')} | {READ}")


def test_sends_one_message_after_a_change(play):
    """After each change, and only then, the group gets one message."""
    group = "join stage-den spy"
    play(f"{group} | {BOTH} | text take | take spy | 2 text take | take spy | close | take spy")
    play(f"{group} | {BOTH} | text take | 2 close | close | take spy | take spy | take spy")


def test_leaves_the_group(play):
    """However a connection ends, its channel leaves the group."""
    for end in ("close 1001", "crash", "kill"):
        play(f"{BOTH} | 2 {end} | text take")
