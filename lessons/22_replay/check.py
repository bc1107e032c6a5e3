"""Lesson 22: does each client get each row once and in order, at any moment?"""

import json
import math
from dataclasses import replace
from typing import ClassVar
from urllib.parse import parse_qs

from lessons.workshop.judge import DIGITS, NUMBERS, PARAMETERS, Answer, Model, near

ENTRY = "db_demo.Entry"
MAX_LENGTH = 1000  # characters of a text
# Ids with gaps, and a row that was written before the one with the id before it.
ROWS = (
    'load {"db_demo.Entry": [{"id": 3, "text": "three"}, {"id": 7, "text": "\\"ä\\" ☃"},'
    ' {"id": 8, "text": ""}, {"id": 9, "text": "nine"}]}',
    'silent row db_demo.Entry {"id": 9, "written_at": "2001-01-01T00:00:00+00:00"}',
)
ROW = 'row db_demo.Entry {"text": "new"}'
READ = "rows db_demo.Entry"
# A message may come late, come twice, or have a row that does not exist.
MESSAGES = [
    f'group ticker {{"type": "ticker.news", "id": {number}, "text": "{text}"}}'
    for number, text in ((10, "new"), (3, "three"), (12, "new"), (99, "rolled back"))
]
WRONG_IDS = (
    *("seven", "-1", "1.5", "1e3", "0x7", "7%20", "%207", "%2B7", "1_0", "%C2%B2", "7%0A", "null"),
    *("%D9%A3", "%EF%BC%97", "7,8", "9" * 19, "9" * 30, "9" * 5000, f"{'0' * 18}7"),
)
AFTER = (
    "If `after` is not 1 to 18 digits from 0 to 9, accept, close with 4400, and ignore later"
    " frames."
)
SAVED = "A text of 1 to 1,000 characters becomes a row."
EACH_MESSAGE = (
    "Any message may be lost, late or sent twice, or name a missing row. After each message, a"
    " client has all rows that were saved before."
)
PROMISES = {
    "Each row of `Entry` is news": "expect_row",
    "Then it gets each new row": "test_each_client_gets_each_new_row",
    "Rows never change": "No conversation changes a row.",
    "Ignore other frames": "test_a_frame_without_text_saves_nothing",
    "Views do so too": "others",
    "Any message may be lost": ("test_a_lost_message_loses_no_row", "test_a_message_is_not_a_row"),
    "Keep `__call__`": "test_leaves_the_group_however_the_connection_ends",
}


class Ticker(Model):
    database = True
    points = (0, 1, 2, 3, 4, 5, 6, 8)
    setups = (ROWS, ())
    handshakes = (
        *("connect", "connect ?after=8", "connect ?after=0", "connect ?after=5&x=9"),
        *("connect ?after=007", f"connect ?after={'9' * 18}", "connect ?x=seven"),
        *(f"connect ?after={text}" for text in ("", "seven", "-1", "%C2%B2", "7%0A", "9" * 19)),
    )
    texts = ("hello", " padded ", "x" * 600, "🦊" * MAX_LENGTH, "x" * (MAX_LENGTH + 1))
    others = (ROW, f"{ROW} * 3", *MESSAGES, READ)
    inputs: ClassVar = {
        "connect ?after=…": (*DIGITS, *near("7")),
        "connect ?…=7": near("after"),
        "connect ?…&after=7": PARAMETERS,
        'group ticker {"type": "ticker.news", "id": …, "text": "new"}': NUMBERS,
    }
    crowd = 12  # each text reaches all of them
    long_conversations = (" | ".join([*(f"{it} connect" for it in range(1, 61)), "60 text hello"]),)
    last_steps = (READ,)
    ends = ("close", "vanish", "crash", "kill")
    shared = "last-id-shared"
    promise_of: ClassVar = {
        **dict.fromkeys(("last-id-refused", "refused-text-saved", "refused-without-reason"), AFTER),
        "group-not-joined": "Then it gets each new row.",
        **dict.fromkeys(("short-text-refused", "text-not-saved"), SAVED),
        "empty-frame-saved": "Ignore other frames.",
        "long-text-saved": 'A longer one gets `{"error": "too long"}`.',
        "member-missed": 'After each save, send the group "ticker" a message:'
        ' `{"type": "ticker.news", "id": 7, "text": "seven"}`.',
        **dict.fromkeys(("message-not-read", "layer-message-trusted"), EACH_MESSAGE),
    }

    def connect(self, client):
        client.accept()
        query = parse_qs(client.handshake.get("query", ""), keep_blank_values=True)
        after = query.get("after", ["0"])[0]
        if not (after.isascii() and after.isdigit() and len(after) <= 18):
            self.refuse(client)
        else:
            self.send_newer_rows(client, int(after))

    def refuse(self, client):
        """If `after` is not 1 to 18 digits from 0 to 9, accept, close with 4400, and ignore later
        frames."""
        client.close(4400)

    def send_newer_rows(self, client, last):
        """A client with `?after=7` first gets all newer rows, one without `after` all rows. Then it
        gets each new row."""
        client.last, client.rows = last, set()
        for row in self.tables[ENTRY]:
            self.expect_row(client, row)
        self.now_due(client)

    def committed(self, change):
        for client in self.open_clients:
            self.expect_row(client, change.row)

    def other(self, step):
        if step.action == "group":
            self.all_due()
        return self.answer_of_take() if step.action == "take" else None

    def all_due(self):
        """After each message, a client has all rows that were saved before."""
        for client in self.open_clients:
            self.now_due(client)

    def answer_of_take(self):
        """After each save, send the group "ticker" a message:
        `{"type": "ticker.news", "id": 7, "text": "seven"}`."""
        row = self.tables[ENTRY][-1]
        wanted = {"type": "ticker.news", "id": row["id"], "text": row["text"]}
        return Answer(wanted, lambda it: isinstance(it, dict) and wanted.items() <= it.items())

    def receive(self, client, text, data):
        if text and len(text) > MAX_LENGTH:
            self.refuse_long(client)
        elif text:
            self.save_text(text)

    def refuse_long(self, client):
        """A longer one gets `{"error": "too long"}`."""
        client.send_json({"error": "too long"})

    def save_text(self, text):
        """A text of 1 to 1,000 characters becomes a row."""
        row = self.save(ENTRY, text=text)
        for other in self.open_clients:
            self.expect_row(other, row)
            self.now_due(other)

    def receive_after_close(self, client, text, data):
        """If `after` is not 1 to 18 digits from 0 to 9, accept, close with 4400, and ignore later
        frames."""

    def expect_row(self, client, row):
        """No row is missing or comes twice, and the ids only grow, whenever other code writes."""
        if row["id"] > client.last:
            client.rows = {*client.rows, row["id"]}
            news = {"id": row["id"], "text": row["text"]}
            client.send_json(news, until=math.inf, lane="news")

    def now_due(self, client):
        # All rows that the client may receive some time must come in this burst.
        client.expected = [replace(it, until=None) for it in client.expected]

    def diagnose(self, difference):
        if difference.fault:
            is_number = "int" in difference.fault.detail and difference.step.action == "connect"
            is_number = is_number and difference.fault.diagnosis == "exception"
            return "last-id-unchecked" if is_number else None
        if difference.client is None:
            return diagnosis_of_rows(difference)
        closes = [message.get("code") for message in difference.received if is_close(message)]
        wants_close = any(map(is_close, difference.expected))
        if difference.step.action == "connect" and bool(closes) != wants_close:
            return "last-id-unchecked" if wants_close else "last-id-refused"
        if wants_close and not difference.received[0]["type"].endswith("accept"):
            return "refused-without-reason"
        return None if wants_close else diagnosis_of_length(difference)


def is_close(message):
    return message["type"] == "websocket.close"


def diagnosis_of_rows(difference):
    """Return why the table has wrong rows, or the layer a wrong message."""
    if difference.step.action == "take":
        return "member-missed" if difference.answer is None else "message-differs"
    if difference.step.action != "rows":
        return None
    saved = [row["text"] for row in difference.answer]
    wanted = [row["text"] for row in difference.expected_answer.shown]
    if len(saved) < len(wanted):
        return "text-not-saved"
    if len(saved) > len(wanted):
        if any(len(text) > MAX_LENGTH for text in saved):
            return "long-text-saved"
        return "empty-frame-saved" if "" in saved[len(wanted) :] else "refused-text-saved"
    return None


def diagnosis_of_length(difference):
    """Return the diagnosis of a wrong limit, or of wrong ids."""
    own = [step for step in difference.steps_of_burst if step.client == difference.client]
    lengths = [len(step.arguments["text"]) for step in own if step.action == "text"]
    has_saved = "INSERT" in calls_in(event for _, event in difference.report.events)
    if lengths and min(lengths) > MAX_LENGTH and has_saved:
        return "long-text-saved"
    is_refused = any("error" in value for value in values_of(difference.received) or ())
    if lengths and max(lengths) <= MAX_LENGTH and is_refused:
        return "short-text-refused"
    return diagnosis_of_ids(difference, has_saved)


def diagnosis_of_ids(difference, has_saved):
    ids, wanted = (ids_of(messages) for messages in (difference.received, difference.expected))
    burst = difference.steps_of_burst
    messages = [step.arguments["message"] for step in burst if step.action == "group"]
    if ids is None:
        return None
    if ids == wanted:
        told = [{"id": it.get("id"), "text": it.get("text")} for it in messages]
        first = values_of(difference.received[difference.first :][:1])
        return "layer-message-trusted" if any(value in told for value in first) else None
    calls = calls_of(difference)
    sends_nothing = difference.step.action == "bytes" or difference.step.arguments.get("text") == ""
    if sends_nothing and has_saved:
        return "empty-frame-saved"
    if extra := set(ids) - difference.model.clients[difference.client].rows:
        is_known = extra <= {row["id"] for row in difference.model.tables[ENTRY]}
        known = "sent-twice" if is_known else None  # else it is a row that should not exist
        return "layer-message-trusted" if messages else known
    if len(set(ids)) < len(ids) or not set(ids) <= set(wanted):
        return "sent-twice"
    if any(step.action == "wait" for step in burst):  # something was too slow
        return None
    if len(ids) == len(wanted):
        is_live = difference.step.action == "connect" and len(burst) > 1
        return "live-before-history" if is_live else "wrong-order"
    is_part = len(wanted) > 20 and bool(ids)
    is_begun = is_part and ids == wanted[: len(ids)]
    is_cut = is_begun or (is_part and ids == wanted[-len(ids) :])
    is_named = ids[-1:] and ids[-1] in [message.get("id") for message in messages]
    if is_begun and messages and not is_named:  # the message does not say where it ends
        return "history-cut"
    return diagnosis_of_gap(difference, calls, is_cut, messages)


def diagnosis_of_gap(difference, calls, is_cut, messages):
    """Return why a row is missing, from the order of the consumer's queries and calls."""
    if "group_add" not in calls:
        return "group-not-joined"
    first = [call for call in calls if call in ("SELECT", "group_add")][:2]
    if first == ["SELECT", "group_add"]:
        return "history-before-joining"
    if difference.step.action == "connect":
        return "history-cut" if is_cut else "entry-missed"
    if difference.step.action == "text":
        events = difference.report.events  # since the text
        if "INSERT" not in calls_in(event for _, event in events):
            return "text-not-saved"
        if "group_send" not in calls:
            return "member-missed"
        is_early = "INSERT" not in calls[: calls.index("group_send")]
        if is_early:
            return "sent-inside-transaction"
        own = calls_in(event for client, event in events if client == difference.client)
        return "entry-missed" if "SELECT" in own else "message-not-read"
    return "layer-message-trusted" if messages else "entry-missed"


def calls_of(difference):
    return calls_in(difference.events)


def calls_in(events):
    """Return the queries and calls of the consumer, each by its first word."""
    sent = [event.message for event in events if event.direction == "out"]
    return [message.get("sql", message.get("type", "")).split(" ")[0] for message in sent]


def ids_of(messages):
    """Return the ids of the rows in these messages, or None if a message is not a row."""
    values = values_of(messages)
    if values is None:
        return None
    ids = [value.get("id") for value in values if "error" not in value]
    return ids if all(type(number) is int for number in ids) else None


def values_of(messages):
    """Return the JSON objects in these messages, or None if a frame holds another text."""
    try:
        values = [json.loads(it["text"]) for it in messages if it["type"] == "websocket.send"]
    except (KeyError, TypeError, ValueError):
        return None
    return values if all(isinstance(value, dict) for value in values) else None


def test_a_new_client_gets_all_rows(play):
    """Without `after`, or with `after=0`, a client gets every row, the oldest id first."""
    play([*ROWS, f"{ROW} * 120", "connect", "2 connect ?after=0"])
    play([*ROWS, f"silent {ROW} * 1100", "connect"])
    far = 'row db_demo.Entry {"id": 5000, "text": "far"}'
    play([*ROWS, ROW, far, "connect ?after=9", "2 connect ?after=10"])
    last = f'row db_demo.Entry {{"id": {2**53 + 1}, "text": "a float is less exact"}}'
    play([last, f"connect ?after={2**53}", f"2 connect ?after={2**53 + 1}"])


def test_a_client_that_reconnects_gets_the_newer_rows(play):
    """With `after`, a client gets the rows with higher ids only, even if there is no such row."""
    ids = enumerate((3, 5, 8, 9), start=1)
    clients = (f"{client} connect ?after={number}" for client, number in ids)
    play([*ROWS, *clients, ROW, MESSAGES[0]])
    play([*ROWS, f"connect ?after={10**18 - 1}"])


def test_a_row_saved_during_connect_comes_once(play):
    """A row that another process saves while a client connects comes once, and in order."""
    play.at_each_point(f"{' | '.join(ROWS)} | connect ?after=8 | at * {ROW} | & {MESSAGES[0]}")


def test_each_client_gets_each_new_row(play):
    """Each client gets a new row once, even if another process has saved it."""
    clients = ["connect ?after=9", "2 connect", "3 connect ?after=8"]
    play([*ROWS, *clients, ROW, MESSAGES[0], "text one", "2 text two", "3 text three", READ])
    play([*ROWS, "connect", ROW, MESSAGES[0].replace('"new"', '"old"')])
    again = ("close", "connect ?after=10", MESSAGES[0])
    play([*ROWS, ROW, "connect", MESSAGES[0], *again, ROW, MESSAGES[2]])


def test_sends_a_message_after_a_save(play):
    """After a save, the group gets a message with the id and the text of the row."""
    for text in ("hello", '"x" * 1000'):
        play([*ROWS, "join ticker spy", "connect", f"text {text}", "take spy"])


def test_a_frame_without_text_saves_nothing(play):
    """A binary frame and an empty text frame save nothing. The connection stays open."""
    play(["connect", "bytes 00ff", "text", READ, "text hello"])


def test_a_lost_message_loses_no_row(play):
    """If messages are lost, the next message brings all new rows."""
    lost = (ROW, f"{ROW} * 2", MESSAGES[0], f"{ROW} * 60", MESSAGES[1])
    play(["connect", *lost, ROW, ROW, MESSAGES[0]])
    play(["connect", f"silent {ROW} * 1100", MESSAGES[0]])


def test_a_message_is_not_a_row(play):
    """A message sends no row that the client has, and no row that does not exist."""
    play([*ROWS, "connect ?after=8", *MESSAGES, ROW, ROW, *MESSAGES])
    play([*ROWS, f"connect ?after={10**18 - 1}", ROW, MESSAGES[0]])


def test_a_row_saved_during_a_message_comes_once(play):
    """A row that another process saves while a message is handled comes once, and in order."""
    play.at_each_point(f"connect | {ROW} | {MESSAGES[1]} | at * {ROW} | & {MESSAGES[0]} | {ROW}")


def test_a_row_saved_during_a_frame_comes_once(play):
    """A row that another process saves while a frame is handled comes once, and in order."""
    play.at_each_point(f"connect | 2 connect | text hello | at * {ROW} | & {MESSAGES[0]}")


def test_a_wrong_id_is_accepted_and_closed(play):
    """If `after` is not 1 to 18 digits, the consumer accepts, and closes with 4400."""
    play([*ROWS, *(f"{n} connect ?after={text}" for n, text in enumerate(WRONG_IDS, start=1))])


def test_a_closed_client_saves_nothing(play):
    """The frame that a client sends before it receives the close is not saved."""
    play(["connect ?after=seven", "& text hello", READ])
    play(["connect ?after=seven", '& text "x" * 1001', READ])


def test_a_long_text_reaches_no_client(play):
    """A text of more than 1,000 characters saves no row, and only its client gets an error."""
    # JSON writes each of these characters with six bytes. Daphne sends 1,048,576 bytes at most.
    play(["connect", 'text "\\u0001" * 200000', "text hello", READ, "2 connect"])
    lengths = (
        '"x" * 1000',
        '"x" * 1001',
        '"🦊" * 1000',
        '"🦊" * 1001',
        '"x" * 1000 + " "',
        '"e\u0301" * 501',
    )
    play(["connect", "2 connect", *(f"text {length}" for length in lengths), READ, "3 connect"])


def test_leaves_the_group_however_the_connection_ends(play):
    """If a client leaves, a handler raises or the server cancels, the consumer leaves the group."""
    play([ROW, "connect", "close", "connect", "crash", "connect", "kill", "connect", "vanish"])


def test_each_message_brings_what_is_missing(play):
    """Whatever id a message has, and even if it has come before, it brings all new rows."""
    ids = [*NUMBERS, NUMBERS[-1]]
    messages = [f'group ticker {{"type": "ticker.news", "id": {it}, "text": "new"}}' for it in ids]
    play(["connect", *(step for message in messages for step in (ROW, message))])
