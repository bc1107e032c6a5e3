"""Hypothesis strategies for events of a consumer: events of real servers, and impossible ones."""

import json

from hypothesis import strategies as st

QUERIES = ("", "name=ada", "gate=north", "after=0", "after=2", "seen=0", "seen=1")
ODD_QUERIES = ("after=-1", "after=x", "seen=", "seen=9999999999999999999", "name=%ff", "=&=", "%00")


class LongText(str):
    """A text that a failing story prints in short."""

    def __repr__(self):
        return f"{self[:4]!r} * {len(self)}"


class LongBytes(bytes):
    """Bytes that a failing story prints in short."""

    __repr__ = LongText.__repr__


COMMON_TEXTS = (
    *("", "bye", "in", "out", "kinds?", "faster", "block", "queue", "thread", "sleep", "group"),
    *("91", "-7", "7.5", "tea", "logout", "auth.change_user", "editors"),
    '{"command": "put", "title": "Ada"}',
    '{"command": "list"}',
    '{"message": "hello", "key": "k"}',
    '{"message": "hello"}',
    '{"typing": true}',
    '{"username": "ann", "password": "secret"}',
    '{"username": "bob", "password": "wrong"}',
)
JSON_KEYS = (("command", "title"), ("message", "key"), ("typing",), ("username", "password"))
JSON_KEYS += (("type", "text"),)
ODD_VALUES = (
    *(None, True, 0, -1, 1e308, 2**70, "", " ", "\x00", "\ud800", "\u202e", LongText("x" * 3_000)),
    *([], {}, ["put"], {"put": 1}, "put", "list", "dispatch", "ann", "websocket.disconnect"),
)
ODD_TEXTS = (
    *("\x00", "\x1b[2J", "\u202eabc", "null", "[]", "3", '"put"', '"\\ud800"', "NaN", "{", "{}"),
    '{"username": "\\ud800", "password": "\\ud800"}',
    '{"message": "\\ud800", "title": "\\ud800", "command": "put"}',
    LongText("[" * 5_000),
    LongText('{"a":' * 5_000),
    LongText("9" * 5_000),
    LongText("x" * 65_536),
)

CLIENTS = 3
CODES = (None, 1000, 1001, 1006, 4000)
ROOMS = ("lobby", "a.b-c", "two words", "\x00", LongText("x" * 200), "é", "!")
LAYER_TYPES = ("no.such.handler", "_private", "websocket.send", "pager.message", "jukebox.song")
LAYER_TYPES += ("burst.part", "siren.alarm", "primes.found", "user.changed", "session.over")
LAYER_TYPES += ("post.changed", "entry.saved", "chat.saved", "chat.typing", "chat.presence")
ACCOUNTS = ("ann", "bob")

clients = st.integers(0, CLIENTS - 1)
requests = st.one_of(
    st.fixed_dictionaries(dict.fromkeys(keys, st.sampled_from(ODD_VALUES))) for keys in JSON_KEYS
)
texts = st.one_of(
    st.sampled_from(COMMON_TEXTS),
    st.sampled_from(ODD_TEXTS),
    requests.map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
blobs = st.sampled_from((b"", b"\xff", b"hello", LongBytes(b"x" * 65_536)))
frames = st.one_of(
    texts.map(lambda text: {"text": text}),
    blobs.map(lambda blob: {"bytes": blob}),
    # Some servers send both keys, one of them None.
    texts.map(lambda text: {"text": text, "bytes": None}),
    blobs.map(lambda blob: {"text": None, "bytes": blob}),
)
ends = st.one_of(
    st.sampled_from(CODES).map(lambda code: ("disconnect", code)),
    st.sampled_from((("crash",), ("kill",))),
)
pieces = st.lists(
    st.sampled_from((b"", b"hello", LongBytes(b"\xff" * 8_192))), min_size=1, max_size=3
)

connects = st.tuples(
    st.just("connect"),
    clients,
    st.fixed_dictionaries(
        {
            "query": st.sampled_from(QUERIES + ODD_QUERIES),
            "room": st.sampled_from(ROOMS[:2] * 3 + ROOMS),
            "login": st.sampled_from((None, *ACCOUNTS, "no such session")),
            "subprotocols": st.sampled_from(((), ("door.v1",), ("door.v2", "door.v1"), ("é",))),
            "host": st.sampled_from((b"localhost", b"\xff")),
            "method": st.sampled_from(("GET", "POST", "HEAD")),
        }
    ),
)
disconnects = st.tuples(st.just("leave"), clients, ends)
sends = st.tuples(st.just("send_frames"), clients, st.lists(frames, min_size=1, max_size=3))
sends_nothing = st.tuples(st.just("send_empty_frame"), clients)
uploads = st.tuples(st.just("send_body"), clients, pieces, st.booleans())
waits = st.tuples(st.just("wait"), st.none(), st.sampled_from((0.1, 1, 12, 60)))
outages = st.tuples(st.just("set_outage"), st.none(), st.booleans())
layer_messages = st.one_of(
    st.sampled_from(LAYER_TYPES).map(lambda name: {"type": name}),
    st.just({"text": "without a type"}),
)
receives_message = st.tuples(st.just("send_layer_message"), clients, layer_messages)
workers = st.tuples(st.just("set_worker"), st.none(), st.booleans())
saves_row = st.tuples(
    st.just("change_database"),
    st.none(),
    st.sampled_from(("post", "edit", "delete", "entry", "logout", "password", "inactive", "group")),
)


def stories(demo):
    """Lists of steps for clients of this demo. Each list starts with two connections."""
    sent = [uploads] * 4 if demo.kind == "http" else [sends, sends, sends, sends_nothing]
    anything = [connects, *sent, disconnects, waits, receives_message, outages]
    if demo.name == "layers_demo.Primes":
        anything.append(workers)
    if demo.needs_database:
        anything.append(saves_row)
    rest = st.lists(st.one_of(anything), min_size=3, max_size=12)
    return st.tuples(connects, connects, rest).map(lambda sent: [*sent[:2], *sent[2]])
