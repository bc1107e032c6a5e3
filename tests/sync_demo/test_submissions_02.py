"""Submissions for lesson 2: each right stamp is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

BEGINNING = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

CLIENTS = []


class Stamp(SyncConsumer):
    seen = []
    count = 0

    def websocket_connect(self, event):
        CLIENTS.append(self)
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        CLIENTS.remove(self)
        raise StopConsumer()

    def text(self, text):
        self.send({"type": "websocket.send", "text": text})

    def data(self, data):
        self.send({"type": "websocket.send", "bytes": data})

    def websocket_receive(self, event):
"""

# `count = 0` in the class body is not a fault: += puts the sum on the instance.
RIGHT = """
self.count += 1
text, data = event.get("text"), event.get("bytes")
if text is not None:
    self.text(f"{self.count} {text}")
else:
    self.data(f"{self.count} ".encode() + data)
"""

COUNT = "self.count += 1"
TEXT = 'f"{self.count} {text}"'
DATA = 'f"{self.count} ".encode() + data'

submissions = Submissions("frames", BEGINNING, RIGHT)


def test_the_usual_version_is_green():
    assert submissions.verdict().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        asks_for_the_type=("text is not None", "isinstance(text, str)"),
        counts_in_the_scope=(COUNT, 'self.count = self.scope["n"] = self.scope.get("n", 0) + 1'),
        goes_through_latin_1=(
            DATA,
            '(f"{self.count} " + data.decode("latin-1")).encode("latin-1")',
        ),
        formats_bytes=(DATA, 'b"%d %s" % (self.count, data)'),
        makes_bytes_of_a_bytearray=(DATA, 'bytes(bytearray(b"%d " % self.count) + data)'),
    ),
)
def test_a_right_change_stays_green(old, new):
    assert submissions.verdict(old=old, new=new).findings == []


@pytest.mark.parametrize(
    "body",
    named(
        match="""
            self.count += 1
            match event:
                case {"text": str(text)}:
                    self.text(f"{self.count} {text}")
                case {"bytes": bytes(data)}:
                    self.data(f"{self.count} ".encode() + data)
            """,
        fails_over_to_bytes="""
            self.count += 1
            try:
                self.text(f"{self.count} " + event["text"])
            except (KeyError, TypeError):
                self.data(f"{self.count} ".encode() + event["bytes"])
            """,
        a_function_for_each_type="""
            self.count += 1
            payload = event.get("text") if event.get("text") is not None else event["bytes"]
            {
                str: lambda: self.text(f"{self.count} {payload}"),
                bytes: lambda: self.data(f"{self.count} ".encode() + payload),
            }[type(payload)]()
            """,
        unused_key_none="""
            self.count += 1
            text, data, number = event.get("text"), event.get("bytes"), f"{self.count} "
            text = None if text is None else number + text
            data = None if data is None else number.encode() + data
            self.send({"type": "websocket.send", "text": text, "bytes": data})
            """,
        unused_key_empty="""
            self.count += 1
            text, data = event.get("text"), event.get("bytes")
            text = "" if text is None else f"{self.count} {text}"
            data = b"" if data is None else f"{self.count} ".encode() + data
            self.send({"type": "websocket.send", "text": text, "bytes": data})
            """,
        from_a_thread_that_it_waits_for="""
            import threading

            self.count += 1
            text, data = event.get("text"), event.get("bytes")
            if text is not None:
                work = threading.Thread(target=self.text, args=[f"{self.count} {text}"])
            else:
                work = threading.Thread(target=self.data, args=[b"%d %s" % (self.count, data)])
            work.start()
            work.join()
            """,
    ),
)
def test_another_right_body_is_green(body):
    assert submissions.verdict(body=body).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        if_text=("empty-text-missed", "text is not None", "text"),
        text_or_none=("empty-text-missed", 'event.get("text")', '(event.get("text") or None)'),
        nothing_for_empty=("empty-text-missed", COUNT, f"if '' in event.values(): return\n{COUNT}"),
        if_bytes=("empty-bytes-missed", "text is not None", "not data"),
        empty_counts_twice=("reply-altered", "+= 1", '+= 1 + (event.get("text") == "")'),
        in_event=("none-as-text", "text is not None", '"text" in event'),
        bytes_not_in_event=("none-as-text", "text is not None", '"bytes" not in event'),
        last_key=("none-as-text", "text is not None", '[*event][-1] == "text"'),
        decodes=("bytes-became-text", "+ data", "+ data.decode().encode()"),
        adds_bytes_to_a_str=("str-with-bytes", ".encode() + data", " + data"),
        adds_a_str_to_bytes=("str-with-bytes", DATA, 'b"1 " + str(data)'),
        str_of_bytes=("bytes-became-text", f"self.data({DATA})", 'self.text(f"1 {data}")'),
        decodes_some=("reply-altered", "+ data", '+ data.decode(errors="ignore").encode()'),
        bytearray=("payload-not-bytes", DATA, f"bytearray({DATA})"),
        memoryview=("payload-not-bytes", DATA, f"memoryview({DATA})"),
        json=("reply-altered", TEXT, "f'[{self.count}, \"{text}\"]'"),
        strips=("reply-altered", TEXT, f"{TEXT}.strip()"),
        cuts_long_text=("reply-altered", TEXT, 'f"{self.count} {text[:50]}"'),
        cuts_long_data=("reply-altered", DATA, f"({DATA})[:4096]"),
        two_frames=(
            "reply-altered",
            f"self.text({TEXT})",
            "[self.text(part) for part in ('1', text)]",
        ),
        counts_from_zero=("reply-altered", TEXT, 'f"{self.count - 1} {text}"'),
        never_counts=("reply-altered", "+= 1", "= 1"),
        counts_to_nine=("reply-altered", "+= 1", "= self.count % 9 + 1"),
        counts_text_alone=("reply-altered", COUNT, 'self.count += "text" in event'),
        counts_on_the_class=("wrong-connection", COUNT, "Stamp.count += 1"),
        counts_in_a_shared_list=(
            "wrong-connection",
            COUNT,
            "self.seen.append(1); self.count = len(self.seen)",
        ),
        answers_everyone=("wrong-connection", "self.text(", "for self in CLIENTS: self.text("),
        answers_the_first=("wrong-connection", "self.text(", "CLIENTS[0].text("),
        answers_the_newest=("wrong-connection", "self.text(", "CLIENTS[-1].text("),
        returns_the_reply=("no-reply", "self.text(", "return ("),
        stops_after_each=("zombie", "else:", "    raise StopConsumer\nelse:"),
        closes_after_each=(
            "reply-altered",
            "else:",
            '    self.send({"type": "websocket.close"})\nelse:',
        ),
        sends_the_same_event_back=("unknown-event-type", f"self.text({TEXT})", "self.send(event)"),
        sends_no_payload=("send-without-payload", TEXT, "None"),
        equals_everything=(
            "reply-altered",
            TEXT,
            'type("Any", (str,), {"__eq__": lambda *_: True, "__hash__": str.__hash__})("wrong")',
        ),
        joins_str_and_int=("exception", TEXT, 'self.count + " " + text'),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert submissions.verdict(old=old, new=new).diagnosis_ids[:1] == [diagnosis]
