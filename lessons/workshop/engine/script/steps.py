"""The grammar of the steps that a conversation consists of: one parser and one writer.

A step is one line of text. Transcripts in lessons, predictions, the page, the comparison and the
exported tests all use the same grammar:

    connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=http://a.test] …
    GET, POST piece piece, POST "body"    an HTTP request; each piece is one http.request event
    POST piece ...                        a request of which more pieces follow
    GET /health/, POST /drain/ piece      a request to another path than the lesson's; without a
                                          path, the first piece does not begin with a slash
    piece 2, piece 2 ...                  the last piece of a request, or one more
    text hello                            the client sends a text frame
    bytes 00ff                            the client sends a binary frame
    close [code]                          the client closes the connection
    vanish                                the connection is lost, with code 1006
    wait 0.5                              half a second passes
    layer {"type": "a.message"}           another process sends this to the consumer's channel
    crash                                 a handler raises an exception
    kill                                  the server cancels the consumer; the consumer of a client
                                          that never connected is cancelled before its first event

A number in front, as in `2 connect`, is the number of the client; without one it is client 1. A
client may connect again. What follows `connect`:

    as=ada                                the user ada is logged in; `ada/2` is ada's second browser
    origin=, host=, cookie=, …            a header, percent-encoded: `origin=https://a%20b`; also
                                          authorization= and referer=
    server=2                              a second server process with the same file, which shares
                                          the database, the cache and the channel layers
    ticket=ada                            a ticket that was issued to ada; `ada/2` is ada's second
    ticket=ada forged=bob                 the ticket, made out to bob without the secret key
    ticket=ada spliced=bob                the content of bob's ticket with ada's signature
    ticket=ada altered=longer             the ticket with one more character; `earlier`: with one in
                                          front; `swapped`: upper case for lower case; `unsigned`:
                                          without its signature; `resigned`: signed for another
                                          purpose; `bearer`: with another scheme

No client takes the following steps, so they have no number:

    row auth.Group {"name": "a"}          saves a row, or changes the one with that `id`
    row auth.Group {"name": "a"} * 120    saves so many rows, in one transaction
    partial row auth.Group {...}          saves these fields of the row with that `id`, and no other
    silent row auth.Group {...}           saves without signals, as bulk_create() and update() do
    rolled-back row auth.Group {...}      saves in a transaction that is rolled back
    load {"auth.Group": [{"name": "a"}]}  saves rows of several tables at once, without signals
    delete auth.Group {"name": "a"}       deletes the rows with these values
    begin                                 the next rows are in a transaction; in one, in a savepoint
    commit, rollback                      ends the transaction or the savepoint
    rows auth.Group                       reads all rows: the answer is a list of dicts, by id
    database restarted                    every connection to the database breaks
    send name {"type": "a.message"}       another process sends this to a channel
    group name {"type": "a.message"}      another process sends this to a group
    join group name                       another process adds a channel to a group
    take name                             another process receives from a channel; or gets None
    take-all name                         the same, until none waits: the answer is a list
    fill name                             other processes send to a channel until it is full
    worker channel channel                starts `runworker` with these channels
    kill-workers                          kills every worker
    redis gone                            Redis, which every channel layer uses, stops
    redis groups gone                     one host of several stops: the one that keeps the groups
    redis channels gone                   the host of the channels stops; groups are on another
    redis outside gone                    code without a connection does not reach Redis any more
    redis back                            Redis returns, and what was stopped is empty
    call report [1, 40]                   another process calls this function of the exercise; the
                                          answer is {"returned": …}, or {"running": true}
    account ada {"is_active": false}      changes ada's account, or creates it; it has `password`,
                                          and as lists such as ["auth.add_user"] `permissions`
                                          and `group_permissions`
    session ada {"theme": "dark"}         ada's browser has a session, and ada is not logged in
    try NAME                              the student's test runs on this consumer
    logout ada                            ada logs out over HTTP
    issue ada/2                           the exercise's issue() makes the ticket ada/2 for ada
    capacity 3                            as a first step: a channel holds three messages
    keys both                             as a first step: frames hold the unused key as None
    keys fewer                            as a first step: requests leave out what is empty or False
    seed 7                                as a first step: decides what the outside world decides

Each step waits until the consumer is idle. A step with `&` in front is taken together with the step
before it, so their events are in the air at the same time. A step with `at 2` in front is taken
while the events of the step before it are handled: at the third point where another process may
act, which is before or after a query, a call of the channel layer or a send().

    text hello | & 2 text good day        two clients send a frame at the same time
    text hello | at 2 close               the client leaves while its frame is handled

`{channel of 2}` stands for the name of the channel of client 2's consumer, as it was before the
burst. If there was no such consumer, the words stay as they are:

    text {"to": "{channel of 2}"}         the client sends the name of that channel

`{token=ada}` stands for ada's ticket in a text or a subprotocol, with the same options as behind
`ticket=`:

    text {"token": "{token=ada}"}         the client sends the ticket that was issued to ada
    text {token=ada/2&altered=longer}     a changed copy of ada's second ticket
    connect subprotocols=a,b.{token=ada}  one of the subprotocols has the ticket

A text that one line cannot show is written as JSON, with the number of its repetitions if there
are several: `text "two\nlines"`, `text "a" * 65536`. A long text may have
parts: `text "begin " + "a" * 65536 + " end"`. So are bytes that are repeated: `bytes 00ff * 5000`.
A frame has at most MAX_PAYLOAD characters or bytes.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote_to_bytes, urlencode

METHODS = ("GET", "POST")
BEGINNINGS = ("connect", *METHODS)  # the steps that open a connection
SETUP = ("capacity", "keys", "seed")  # steps that stand first
# Characters or bytes of a frame: twice what Daphne receives. A few words could ask for all memory.
MAX_PAYLOAD = 2**21
_WITHOUT_CLIENT = (
    *SETUP,
    *("row", "load", "delete", "begin", "commit", "rollback", "rows", "database"),
    *("send", "group", "join", "take", "take-all", "fill", "worker", "kill-workers", "redis"),
    *("account", "session", "logout", "issue", "try", "call"),
)
REDIS_STATES = ("gone", "groups gone", "channels gone", "outside gone", "back")
_TOKEN = re.compile(
    r"\{(?P<options>token=[\w/]{1,30}(?:&(?:forged|spliced|altered)=[\w/]{1,30}){0,3})\}", re.ASCII
)
_PART = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")(?: \* (?P<times>[1-9]\d{0,6}))?(?: \+ |\Z)')
_OBJECT_TIMES = re.compile(r"(?P<object>.*\}) \* (?P<times>[1-9]\d{0,3})", re.DOTALL)
_ROW_KINDS = {"rolled-back": "rolled_back", "partial": "partial", "silent": "silent"}
_AT = re.compile(r"at (?P<point>\d{1,3}) ")
_REPEATED = re.compile(r"(?P<unit>.{1,8}?)(?P=unit){15,}", re.DOTALL)
_LONG = 200  # characters: a repetition that long becomes a separate part
_CHANNEL = re.compile(r"\{channel of (?P<client>\d{1,9})\}")
HEADERS = ("host", "origin", "cookie", "authorization", "referer")  # that `connect` may have
ALTERATIONS = ("longer", "earlier", "swapped", "unsigned", "resigned", "bearer")  # of a ticket
_REPEATED_HEX = re.compile(r"(?P<unit>(?:..){1,4}?)(?P=unit){15,}")
_HANDSHAKE_KEYS = (
    *("subprotocols", "as", "ticket", "forged", "spliced", "altered", *HEADERS, "server"),
)
# Of a header they are written as they are; a space, a `%` and a `|` are percent-encoded.
_HEADER_CHARACTERS = "".join(map(chr, range(33, 127))).replace("%", "").replace("|", "")
_USAGES = {
    "connect": "connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=URL] …",
    "GET": "GET, or GET /path/",
    "POST": 'POST piece piece, POST piece ..., POST "body", or POST /path/ piece',
    "piece": "piece 2, or piece 2 ...",
    "text": "text hello",
    "bytes": "bytes 00ff",
    "close": "close, or close 1001",
    "vanish": "vanish",
    "wait": "wait 0.5",
    "layer": 'layer {"type": "a.message"}',
    "redis": "redis gone, redis groups gone, redis channels gone, redis outside gone, "
    "or redis back",
    "crash": "crash",
    "kill": "kill",
    "row": 'row auth.Group {"name": "a"}',
    "load": 'load {"auth.Group": [{"name": "a"}]}',
    "delete": 'delete auth.Group {"name": "a"}',
    "begin": "begin",
    "commit": "commit",
    "rollback": "rollback",
    "rows": "rows auth.Group",
    "database": "database restarted",
    "send": 'send name {"type": "a.message"}',
    "group": 'group name {"type": "a.message"}',
    "join": "join group name",
    "take": "take name",
    "take-all": "take-all name",
    "fill": "fill name",
    "worker": "worker channel",
    "kill-workers": "kill-workers",
    "account": 'account ada {"is_active": false}',
    "session": 'session ada {"theme": "dark"}',
    "logout": "logout ada",
    "try": "try NAME",
    "issue": "issue ada",
    "call": "call report [1, 40]",
    "capacity": "capacity 3",
    "keys": "keys both, or keys fewer",
    "seed": "seed 7",
}


class UnknownStep(ValueError):
    """A step that cannot be parsed or played; the text says what to write instead."""


@dataclass(frozen=True)
class Step:
    """One step: its action, its arguments as JSON values, and the number of its client.

    `client` is None for a step that no client takes. `together` is true if the step does not wait
    for the step before it. `point` is the number of the point at which it is taken, or None. The
    arguments of each action:

        connect             path, query, subprotocols (a list), server (a number), as, ticket,
                            forged, spliced, altered, host, origin, cookie, authorization, referer;
                            all optional. A byte of a header that is not UTF-8 is a lone surrogate
        GET, POST           path, optional; body (a string), or pieces (a list of strings), or
                            neither; unfinished: true where more pieces follow
        piece               piece (a string); unfinished
        text, bytes         text; hex
        close               code, optional
        vanish, crash, kill none
        wait                seconds
        layer               message
        redis               state: "gone", "groups gone", "channels gone", "outside gone" or "back"
        row                 model, fields; times, if several; and at most one of rolled_back,
                            partial and silent, which is true
        load                tables
        delete              model, fields
        begin, commit, rollback   none
        rows                model
        database            event: "restarted"
        send, group         name, message
        join                group, name
        take, take-all      name
        fill, issue         name
        call                name, arguments (a list)
        account, session    user, fields
        worker              channels
        logout              user
        capacity            messages
        keys                frames: "both"
        seed                number
    """

    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    client: int | None = 1
    together: bool = False
    point: int | None = None

    def __str__(self) -> str:
        """Write the step; parse_step() reads it back. The number of client 1 is left out."""
        text = " ".join([self.action, *_write_arguments(self.action, self.arguments)])
        for word, kind in _ROW_KINDS.items():
            text = f"{word} {text}" if self.arguments.get(kind) else text
        text = text if self.client in (None, 1) else f"{self.client} {text}"
        if self.point is not None:
            return f"at {self.point} {text}"
        return f"& {text}" if self.together else text

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def payload_length(self) -> int:
        """The number of characters or bytes in the client's frame; 0 for a step without one."""
        if self.action == "bytes":
            return len(self.arguments["hex"]) // 2
        return len(self.arguments["text"]) if self.action == "text" else 0

    def as_json(self) -> dict[str, Any]:
        """The parts of the step for a page, and the step as it is written."""
        return {
            "step": str(self),
            "client": self.client,
            "action": self.action,
            "arguments": self.arguments,
            **({"together": True} if self.together else {}),
            **({"point": self.point} if self.point is not None else {}),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Step":
        """The step that `data` describes, as as_json() does. Raises UnknownStep."""
        try:
            timing = data.get("together", False), data.get("point")
            written = str(cls(data["action"], data["arguments"], data["client"], *timing))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise UnknownStep(
                f"{data!r} is not a step: it needs action, arguments and client."
            ) from None
        return parse_step(written)  # checks the arguments, and brings them into their usual form


def parse_step(text: str) -> Step:
    """Parse one step. Raises UnknownStep."""
    try:
        return _parse_step(text)
    except RecursionError:
        raise UnknownStep(f"The step {text[:20]!r}… is nested too deep.") from None


def _parse_step(text: str) -> Step:
    if text.startswith("& "):
        return replace(_parse_step(text[2:]), together=True)
    if found := _AT.match(text):
        return replace(_parse_step(text[found.end() :]), point=int(found["point"]))
    number, _, rest = text.partition(" ")
    has_number = number.isdecimal() and len(number) < 10
    client, line = (int(number), rest) if has_number else (1, text)
    action, _, rest = line.partition(" ")
    kind = _ROW_KINDS.get(action) if rest.startswith("row ") else None
    if kind:
        action, _, rest = rest.partition(" ")
    if action not in _USAGES:
        raise UnknownStep(f"The step {text!r} is unknown: write {', '.join(_USAGES)}.")
    if action in _WITHOUT_CLIENT and has_number:
        raise UnknownStep(f"No client takes the step {line!r}: remove the number {client}.")
    try:
        arguments = _parse_arguments(action, rest)
    except ValueError as error:
        reason = f"cannot be read ({error})" if str(error) else "cannot be read"
        raise UnknownStep(f"The step {text!r} {reason}: write {_USAGES[action]}.") from None
    if kind:
        arguments[kind] = True
    return Step(action, arguments, None if action in _WITHOUT_CLIENT else client)


def with_channels(step: Step, channels: dict[int, str]) -> Step:
    """The step with the names of channels: `channels` has those of the clients' consumers."""

    def name(found):
        return channels.get(int(found["client"]), found[0])

    return _with_texts(step, lambda text: _CHANNEL.sub(name, text))


def tickets_in(step: Step) -> list[dict[str, str]]:
    """The options of each `{token=ada&altered=longer}`, as `ticket=ada altered=longer` has them."""
    texts = [step.arguments.get("text", ""), *step.arguments.get("subprotocols", ())]
    return [_ticket_options(found) for text in texts for found in _TOKEN.finditer(text)]


def with_tickets(step: Step, ticket_for: Callable[[dict[str, str]], str]) -> Step:
    """The step with tickets: `ticket_for` returns the one with these options."""

    def ticket(found):
        return ticket_for(_ticket_options(found))

    return _with_texts(step, lambda text: _TOKEN.sub(ticket, text))


def _ticket_options(found: re.Match) -> dict[str, str]:
    options = dict(option.split("=") for option in found["options"].split("&"))
    return {"ticket": options.pop("token"), **options}


def _with_texts(step: Step, change: Callable[[str], str]) -> Step:
    """The step with each text in its arguments changed."""

    def replaced(value):
        if isinstance(value, str):
            return change(value)
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        return [replaced(item) for item in value] if isinstance(value, list) else value

    return replace(step, arguments=replaced(step.arguments)) if step.arguments else step


def split_steps(text: str) -> list[str]:
    """The steps of a conversation that is written on one line: `connect | text hello | close`."""
    return [step.strip() for step in text.split("|")]


def _parse_arguments(action: str, rest: str) -> dict[str, Any]:
    """The arguments that follow the action. Raises ValueError."""
    match action:
        case "connect":
            return _parse_handshake(rest)
        case "GET" | "POST" if rest.startswith("/"):
            path, _, rest = rest.partition(" ")
            return {"path": path, **_parse_body(rest)}
        case "GET" | "POST":
            return _parse_body(rest)
        case "piece":
            parsed = _parse_pieces(rest or '""')
            (piece,) = parsed.pop("pieces")
            return {"piece": piece, **parsed}
        case "text":
            return {"text": _parse_text(rest)}
        case "bytes":
            return {"hex": _parse_hex(rest)}
        case "close":
            return {"code": int(rest)} if rest else {}
        case "wait" if 0 <= float(rest) < math.inf:
            return {"seconds": float(rest)}
        case "layer":
            return {"message": _parse_object(rest)}
        case "redis" if rest in REDIS_STATES:
            return {"state": rest}
        case "row" if found := _OBJECT_TIMES.fullmatch(rest):
            row = _parse_name_and_object("model", "fields", found["object"])
            return {**row, "times": int(found["times"])}
        case "row":
            return _parse_name_and_object("model", "fields", rest)
        case "load":
            return {"tables": _parse_object(rest)}
        case "delete":
            return _parse_name_and_object("model", "fields", rest)
        case "send" | "group":
            return _parse_name_and_object("name", "message", rest)
        case "rows" if rest:
            return {"model": rest}
        case "database" if rest == "restarted":
            return {"event": rest}
        case "account" | "session":
            return _parse_name_and_object("user", "fields", rest)
        case "join" if len(rest.split()) == 2:
            return dict(zip(("group", "name"), rest.split(), strict=True))
        case "take" | "take-all" | "fill" | "issue" if rest:
            return {"name": rest}
        case "call" if rest:
            return _parse_call(rest)
        case "worker" if rest.split():
            return {"channels": rest.split()}
        case "try" if rest:
            return {"name": rest}
        case "logout" if rest:
            return {"user": rest}
        case "capacity":
            return {"messages": int(rest)}
        case "keys" if rest in ("both", "fewer"):
            return {"frames": rest}
        case "seed":
            return {"number": int(rest)}
        case "vanish" | "crash" | "kill" | "kill-workers" if not rest:
            return {}
        case "begin" | "commit" | "rollback" if not rest:
            return {}
    raise ValueError


def _parse_body(rest: str) -> dict[str, Any]:
    """The body of a request: a JSON text, or pieces."""
    if rest.startswith('"') and not rest.startswith('"" '):
        body = json.loads(rest)
        body.encode()  # a lone surrogate is not a body
        return {"body": body}
    return _parse_pieces(rest) if rest.split() else {}


def _parse_pieces(rest: str) -> dict[str, Any]:
    """The pieces of a request, of which an empty one is written `""`."""
    words = rest.split()
    unfinished = words[-1] == "..." and len(words) > 1
    pieces = [word if word != '""' else "" for word in words[: len(words) - unfinished]]
    return {"pieces": pieces, **({"unfinished": True} if unfinished else {})}


def _write_pieces(pieces: list[str], arguments: dict[str, Any]) -> list[str]:
    end = ["..."] if arguments.get("unfinished") else []
    return [*(piece or '""' for piece in pieces), *end]


def _parse_text(rest: str) -> str:
    """The text, which is quoted as JSON if one line cannot show it."""
    parts, end = [], 0
    while found := _PART.match(rest, end):
        try:
            parts.append((json.loads(found["text"]), int(found["times"] or 1)))
        except ValueError:
            return rest
        end = found.end()
    if not end or end != len(rest) or rest.endswith(" + "):
        return rest  # a text with quotes that is not JSON stands for itself
    _check_length(sum(len(unit) * times for unit, times in parts), "characters")
    return "".join(unit * times for unit, times in parts)


def _parse_hex(rest: str) -> str:
    unit, _, times = rest.partition(" * ")
    data, count = bytes.fromhex(unit), int(times or 1)
    _check_length(len(data) * count, "bytes")
    return data.hex() * count


def _check_length(length: int, kind: str) -> None:
    """Raise ValueError if a frame would be too long. Call this before the frame is made."""
    if length > MAX_PAYLOAD:
        raise ValueError(
            f"a frame has at most {MAX_PAYLOAD} {kind}, not {length}; use a smaller number"
        )


def _write_text(text: str) -> str:
    parts, end = [], 0
    for found in _REPEATED.finditer(text):
        if len(found[0]) >= _LONG or found[0] == text:
            before = text[end : found.start()]
            times = len(found[0]) // len(found["unit"])
            parts += [_quoted(before)] if before else []
            parts.append(f"{_quoted(found['unit'])} * {times}")
            end = found.end()
    if parts:
        return " + ".join([*parts, *([_quoted(text[end:])] if end < len(text) else [])])
    is_plain = text == text.strip() and text.isprintable() and "|" not in text
    return text if is_plain and text[:1] != '"' else _quoted(text)


def _write_hex(value: str) -> str:
    repeated = _REPEATED_HEX.fullmatch(value)
    if repeated is None:
        return value
    return f"{repeated['unit']} * {len(value) // len(repeated['unit'])}"


def _quoted(text: str) -> str:
    """The text as JSON, without a `|`, which stands between two steps on one line."""
    return json.dumps(text).replace("|", "\\u007c")


def _write_object(value: dict | list) -> str:
    """The object as JSON, without a `|`, which stands between two steps on one line."""
    return json.dumps(value, ensure_ascii=False).replace("|", "\\u007c")


def _parse_name_and_object(first: str, second: str, rest: str) -> dict[str, Any]:
    name, _, fields = rest.partition(" ")
    return {first: name, second: _parse_object(fields)}


def _parse_call(rest: str) -> dict[str, Any]:
    name, _, arguments = rest.partition(" ")
    value = json.loads(arguments)
    if not name.isidentifier() or not isinstance(value, list):
        raise ValueError("no name and list")
    json.dumps(value, allow_nan=False)  # raises for numbers that JSON does not have
    return {"name": name, "arguments": value}


def _parse_handshake(rest: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for word in rest.split():
        key, equals, value = word.partition("=")
        if word.startswith("/"):
            arguments["path"] = word
        elif word.startswith("?"):
            pairs = parse_qs(word[1:], keep_blank_values=True)
            arguments["query"] = urlencode(pairs, doseq=True)
        elif equals and key in _HANDSHAKE_KEYS:
            arguments[key] = _parse_option(key, value)
        else:
            raise ValueError(f"connect does not know {word!r}")
    return arguments


def _parse_option(key: str, value: str):
    if key in HEADERS:
        return unquote_to_bytes(value).decode(errors="surrogateescape")
    if key == "altered" and value not in ALTERATIONS:
        raise ValueError(f"altered= is one of {', '.join(ALTERATIONS)}")
    if key == "server":
        return int(value)
    return value.split(",") if key == "subprotocols" else value


def _parse_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    json.dumps(value, allow_nan=False)  # raises for numbers that JSON does not have
    return value


def _write_arguments(action: str, arguments: dict[str, Any]) -> list[str]:
    """The words that follow the action."""
    match action, arguments:
        case "connect", _:
            return _write_handshake(arguments)
        case (("GET" | "POST"), {"path": path, **rest}):
            return [path, *_write_arguments(action, rest)]
        case _, {"body": text}:
            return [json.dumps(text, ensure_ascii=False)]
        case (("GET" | "POST"), _):
            return _write_pieces(arguments.get("pieces", []), arguments)
        case "piece", {"piece": piece}:
            return _write_pieces([piece], arguments)
        case "wait", {"seconds": seconds}:
            return [str(int(seconds) if float(seconds).is_integer() else seconds)]
        case "layer", {"message": message}:
            return [_write_object(message)]
        case (("row" | "delete"), {"model": name, "fields": value}):
            times = [f"* {arguments['times']}"] if "times" in arguments else []
            return [name, _write_object(value), *times]
        case "load", {"tables": tables}:
            return [_write_object(tables)]
        case (("account" | "session"), {"user": name, "fields": value}):
            return [name, _write_object(value)]
        case "join", {"group": group, "name": name}:
            return [group, name]
        case (("send" | "group"), {"name": name, "message": value}):
            return [name, _write_object(value)]
        case "call", {"name": name, "arguments": value}:
            return [name, _write_object(value)]
        case "worker", {"channels": channels}:
            return channels
        case (("vanish" | "crash" | "kill" | "kill-workers" | "begin" | "commit" | "rollback"), _):
            return []
        case "text", {"text": text}:
            return [_write_text(text)] if text else []
        case "bytes", {"hex": value}:
            return [_write_hex(value)] if value else []
        case _, {"code": value}:
            return [str(value)]
        case _, {"state": value} | {"messages": value} | {"user": value} | {"frames": value}:
            return [str(value)]
        case "database", {"event": value}:
            return [value]
        case _, {"model": value} | {"name": value} | {"number": value}:
            return [str(value)]
        case "close", _:
            return []
    raise ValueError(f"{action} lacks an argument")


def _write_handshake(arguments: dict[str, Any]) -> list[str]:
    words = [arguments["path"]] if "path" in arguments else []
    if "query" in arguments:
        words.append(f"?{arguments['query']}")
    for key in _HANDSHAKE_KEYS:
        if key in arguments:
            words.append(f"{key}={_write_option(key, arguments[key])}")
    return words


def _write_option(key: str, value) -> str:
    if key in HEADERS:
        return quote(value.encode(errors="surrogateescape"), safe=_HEADER_CHARACTERS)
    return ",".join(value) if key == "subprotocols" else str(value)
