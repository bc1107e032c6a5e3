"""Lesson 28: is the suite green for each right box, and red for each box with a fault?

The boxes are here, because mistakes.py holds wrong versions of what the student writes: a suite.
"""

from pathlib import Path

from lessons.workshop.judge import FaultModel, edited, mutants_of

BOX = Path(__file__).with_name("box.py").read_text(encoding="utf-8")
ACCEPT = 'await self.send({"type": "websocket.accept"})'
VALID = "if not 1 <= len(text) <= 100:"
INVALID = 'await self.send_json({"error": "invalid"})'
SAVE = "entry = await Entry.objects.acreate(text=text)"
MESSAGE = '"id": entry.id, "text": entry.text'
TELL = 'await self.channel_layer.group_send("box", message)'
FRAME = 'await self.send_json({"id": event["id"], "text": event["text"]})'
SIGNED = (TELL, f'message["by"] = self.channel_name; {TELL}')
IS_SENDER, IS_OTHER = (f'event["by"] {sign} self.channel_name' for sign in ("==", "!="))
IF_OTHER = f"if {IS_OTHER}:"
IS_SHORT, IS_LONG = (f'len(event["text"]) == {length}' for length in (1, 100))
STOP = """self.channel_name)
        raise StopConsumer()"""
COUNT = "await Entry.objects.acount()"
BODY = (
    'await self.send({"type": "http.response.body", "body": json.dumps(data).encode()})\n'
    "        raise StopConsumer()"
)


OTHER_FRAMES = {
    "an-empty-text": 'event.get("text") == ""',
    "a-long-text": "text",
    "bytes": 'event.get("bytes") is not None',
}


def refusing(name, statement, *others):
    """For each kind of frame, a fault: the box refuses this kind alone with another statement.

    `others` are further edits of BOX.
    """
    return {
        f"{name}-{kind}": (INVALID, f"{statement} if {condition} else {INVALID}", *others)
        for kind, condition in OTHER_FRAMES.items()
    }


def another_id(client, text):
    """A fault: the box sends another id to these clients, for these texts."""
    return (*SIGNED, '"id": event["id"]', f'"id": event["id"] + ({client} and {text})')


def noting(statement, condition):
    """A fault: the box notes that the statement has run, and stops on this condition."""
    stop = STOP.replace("raise", f"{condition}:\n            raise")
    return (statement, f"self.noted = True; {statement}", STOP, stop)


TELL_ALL = (
    "    async def send_json",
    f"    async def box_invalid(self, event):\n        {INVALID}\n\n    async def send_json",
)
SYNC = edited(
    BOX,
    *("AsyncConsumer", "SyncConsumer", "async def", "def"),
    *("import json\n", "import json\n\nfrom asgiref.sync import async_to_sync\n"),
    *("self.channel_layer.group_add", "async_to_sync(self.channel_layer.group_add)"),
    *("self.channel_layer.group_send", "async_to_sync(self.channel_layer.group_send)"),
    *("self.channel_layer.group_discard", "async_to_sync(self.channel_layer.group_discard)"),
    *("objects.acreate", "objects.create", "objects.acount", "objects.count", "await ", ""),
)
# Right, too: compact JSON with its keys in another order, no header, and a body in two parts.
OTHER = edited(
    BOX,
    *('"id": event["id"], "text": event["text"]', '"text": event["text"], "id": event["id"]'),
    *('[(b"content-type", b"application/json")]', "[]"),
    *("json.dumps(data)", 'json.dumps(data, separators=(",", ":"))'),
    '"body": json.dumps(data, separators=(",", ":")).encode()})',
    '"body": b" ", "more_body": True})\n'
    '        body = json.dumps(data, separators=(",", ":")).encode()\n'
    '        await self.send({"type": "http.response.body", "body": body})',
)
# Right, too: a slow database, and a slow layer.
SLOW = edited(
    BOX,
    *("import json\n", "import asyncio\nimport json\n"),
    *(*SIGNED, SAVE, f"await asyncio.sleep(0.05)\n        {SAVE}"),
    *(FRAME, f"await asyncio.sleep(0.05 * ({IS_OTHER}))\n        {FRAME}"),
    *("data = {", "await asyncio.sleep(0.05)\n        data = {"),
)
RIGHT = {"right": BOX, "right-sync": SYNC, "right-compact": OTHER, "right-slow": SLOW}

# Claim → diagnosis → faults. Each fault has a name and edits of BOX.
FAULTS = {
    "saves": {
        "suite-passes-closed-door": {
            "rejects-everyone": (ACCEPT, 'await self.send({"type": "websocket.close"})'),
        },
        "suite-passes-wrong-row": {
            "saves-nothing": (SAVE, "entry = Entry(id=1, text=text)"),
            "saves-twice": (SAVE, f"await Entry.objects.acreate(text=text); {SAVE}"),
            "strips-the-text": (SAVE, "entry = await Entry.objects.acreate(text=text.strip())"),
            "strips-only-the-row": (
                *(SAVE, "entry = await Entry.objects.acreate(text=text.strip())"),
                *(MESSAGE, '"id": entry.id, "text": text'),
            ),
            "lowers-only-the-row": (
                *(SAVE, "entry = await Entry.objects.acreate(text=text.lower())"),
                *(MESSAGE, '"id": entry.id, "text": text'),
            ),
            "saves-another-text-than-it-sends": (
                *(SAVE, 'entry = await Entry.objects.acreate(text="?")'),
                *(MESSAGE, '"id": entry.id, "text": text'),
            ),
            "lowers-the-text": (SAVE, "entry = await Entry.objects.acreate(text=text.lower())"),
        },
        "suite-passes-one-limit": {
            "refuses-one-character": (VALID, "if not 2 <= len(text) <= 100:"),
            "refuses-a-hundred": (VALID, "if not 1 <= len(text) < 100:"),
        },
    },
    "sends": {
        "suite-passes-lonely-sender": {
            "answers-only-the-sender": (TELL, "await self.box_added(message)"),
            "forgets-the-sender": (*SIGNED, FRAME, f"{IF_OTHER} {FRAME}"),
        },
        "suite-passes-second-frame": {
            "answers-the-sender-twice": (TELL, f"{TELL}; await self.box_added(message)"),
            "answers-all-twice": (TELL, f"{TELL}; {TELL}"),
            "answers-others-twice": (*SIGNED, FRAME, f"{IF_OTHER} {FRAME}\n        {FRAME}"),
            "answers-the-sender-twice-at-last": (
                *SIGNED,
                *(FRAME, f"{FRAME}\n        if {IS_LONG} and {IS_SENDER}:\n            {FRAME}"),
            ),
            "answers-others-twice-at-last": (
                *SIGNED,
                *(
                    FRAME,
                    f"{FRAME}\n        if {IS_LONG} and {IS_OTHER}:\n            {FRAME}",
                ),
            ),
            "greets": (ACCEPT, f'{ACCEPT}; await self.send_json({{"welcome": True}})'),
        },
        "suite-passes-wrong-frame": {
            "sends-the-first-id": (MESSAGE, '"id": 1, "text": entry.text'),
            "sends-the-id-of-the-first-row": (
                MESSAGE,
                '"id": (await Entry.objects.order_by("id").afirst()).id, "text": entry.text',
            ),
            "sends-a-number-too-high": (MESSAGE, '"id": entry.id + 1, "text": entry.text'),
            "sends-another-text": (MESSAGE, '"id": entry.id, "text": entry.text.strip()'),
            "sends-others-another-text": (
                *SIGNED,
                *(FRAME, f'{IF_OTHER} event["text"] = event["text"].strip()\n        {FRAME}'),
            ),
            "sends-another-id-of-x-to-the-sender": another_id(IS_SENDER, IS_SHORT),
            "sends-another-id-of-x-to-others": another_id(IS_OTHER, IS_SHORT),
            "sends-another-id-of-100-to-the-sender": another_id(IS_SENDER, IS_LONG),
            "sends-another-id-of-100-to-others": another_id(IS_OTHER, IS_LONG),
            "sends-the-id-as-text": (MESSAGE, '"id": str(entry.id), "text": entry.text'),
        },
    },
    "refuses": {
        "suite-passes-one-limit": {
            "accepts-101-characters": (VALID, "if not 1 <= len(text) <= 101:"),
            "accepts-an-empty-text": (VALID, 'if "text" not in event or len(text) > 100:'),
            "accepts-bytes": (
                'text = event.get("text") or ""',
                'text = event.get("text") or (event.get("bytes") or b"").decode()',
            ),
        },
        "suite-passes-silence": refusing("says-nothing-of", "None"),
        "suite-passes-wrong-row": refusing(
            "saves", f"[await Entry.objects.acreate(text=text[:100]), {INVALID}]"
        ),
        "suite-passes-wrong-frame": refusing(
            "names-another-error-of", 'await self.send_json({"error": "wrong"})'
        ),
        "suite-passes-second-frame": {
            **refusing("refuses-twice", f"[{INVALID}, {INVALID}]"),
            **refusing(
                "blames-everyone-for",
                'await self.channel_layer.group_send("box", {"type": "box.invalid"})',
                *TELL_ALL,
            ),
        },
        "suite-passes-close": refusing(
            "closes-after", f'[{INVALID}, await self.send({{"type": "websocket.close"}})]'
        ),
    },
    "answers": {
        "suite-passes-wrong-count": {
            "counts-nothing": (COUNT, "0"),
            "counts-one": (COUNT, "1"),
            "counts-to-one": (COUNT, f"min(1, {COUNT})"),
            "counts-to-two": (COUNT, f"min(2, {COUNT})"),
            "counts-one-as-two": (COUNT, f"{{1: 2}}.get(number := {COUNT}, number)"),
            "counts-two-as-three": (COUNT, f"{{2: 3}}.get(number := {COUNT}, number)"),
            "counts-the-last-id": (
                COUNT,
                "(await Entry.objects.order_by('id').values_list('id', flat=True).alast() or 0)",
            ),
            "counts-refused-frames": (
                *(INVALID, f"{INVALID}; type(self).refused += 1"),
                *("class Box(AsyncConsumer):", "class Box(AsyncConsumer):\n    refused = 0\n"),
                *(COUNT, f"{COUNT} + Box.refused"),
            ),
        },
        "suite-passes-wrong-response": {
            "answers-with-201": ('"status": 200', '"status": 201 if data["entries"] else 200'),
            "answers-with-404": ('"status": 200', '"status": 200 if data["entries"] else 404'),
            "answers-with-another-key": ('{"entries":', '{"count":'),
            "answers-with-a-text": (f'{{"entries": {COUNT}}}', f'{{"entries": str({COUNT})}}'),
        },
        "suite-passes-open-response": {
            "never-ends": (
                BODY,
                'await self.send({"type": "http.response.body", "body": json.dumps(data).encode(), '
                '"more_body": True})',
            ),
        },
    },
    "stops": {
        "suite-passes-endless": {
            "never-stops": (STOP, "self.channel_name)"),
            "never-stops-after-a-text": noting(SAVE, "if not hasattr(self, 'noted')"),
            "never-stops-after-another-frame": noting(INVALID, "if not hasattr(self, 'noted')"),
        },
        "suite-passes-crash": {
            "dies-at-the-end": (STOP, 'self.channel_name)\n        raise KeyError("box")'),
        },
    },
}
# Changes that are not a fault of the docstring: a member of the group that is gone, and a consumer
# that waits after its response. And those that every suite notices: another name, a missing handler
# or key, and a forgotten await.
LEFT_OUT = (
    *("group_discard", "BoxPage.http_request: drop raise StopConsumer()"),
    *("becomes '", "becomes b'", " from {", "async def", "drop await of"),
)
MUTANTS = {
    f"mutant-{number}": it
    for number, it in enumerate([*mutants_of(BOX, "Box"), *mutants_of(BOX, "BoxPage")])
    if not any(text in it.name for text in LEFT_OUT)
}
PROMISES = {
    "`application` is the box": "This says what a test gets.",
    "A right box keeps these promises": "This begins a list.",
    "It accepts each client": "test_notices_what_is_not_saved",
    "When a client has left": "test_notices_a_consumer_that_does_not_stop",
    "It saves a text frame": "test_notices_what_is_not_saved",
    "Then each connected client": "test_notices_what_is_not_sent",
    "For any other frame": "test_notices_what_is_not_refused",
    "The sender gets": "test_notices_what_is_not_refused",
    "A GET request": "test_notices_a_wrong_response",
    "Each `async def test_...`": "This says what runs.",
    "Before it, the tables are emptied": "This says what a test finds.",
}


class Suite(FaultModel):
    kind = "suite"
    subject = "box"
    right = RIGHT
    faults = FAULTS
    mutants = MUTANTS
    per_conversation = 8
    database = True

    def other(self, step):
        """All must be green for each right box. At least one must be red for each box that breaks a
        promise. Two clients and the frames below show each fault."""
        return super().other(step)

    def diagnose_right(self, name, answer):
        if answer["passed"] or not answer["test"]:
            return "suite-runs-nothing"
        is_first = name == "right"
        return "suite-fails-the-right-one" if is_first else "suite-fails-another-right-one"

    def explain_right(self, answer):
        return f"{answer['test']}\n{super().explain_right(answer)}".strip()


def test_is_green_for_right_boxes(play):
    """All tests are green for right boxes: async, sync, slow, and with other JSON."""
    play("try right | try right-sync | try right-compact | try right-slow")


def test_notices_what_is_not_saved(play):
    """One is red for a box that saves nothing, saves twice, or saves another text."""
    Suite.try_faults(play, "saves")


def test_notices_what_is_not_sent(play):
    """One is red for a box that sends a wrong frame, too many frames, or not to all clients."""
    Suite.try_faults(play, "sends")


def test_notices_what_is_not_refused(play):
    """One is red for a box that saves an invalid frame, or does not say so to its sender alone."""
    Suite.try_faults(play, "refuses")


def test_notices_a_wrong_response(play):
    """One is red for a box with a wrong number or status, or a response that does not end."""
    Suite.try_faults(play, "answers")


def test_notices_a_consumer_that_does_not_stop(play):
    """One is red for a box that does not stop, or raises an error, when its client leaves."""
    Suite.try_faults(play, "stops")


def test_notices_small_changes(play):
    """One is red for each small change that a program makes to a right box."""
    Suite.try_mutants(play)
