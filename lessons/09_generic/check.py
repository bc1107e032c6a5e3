"""Lesson 9: does the desk run its two commands, answer all else with an error, and stay open?"""

import json
from typing import ClassVar

from lessons.workshop.judge import JSON, TEXTS, Model, near

ECHO, COUNT = '{"command": "echo", "value": %s}', '{"command": "count"}'
CARRIED_OUT = (
    *(COUNT, ECHO % '"hello"', ECHO % "1", r' {"c\u006fmmand":"count" } ', ECHO % r'"\ud800"'),
    *('{"command": "echo"}', ECHO % '"e\u0301"'),
    '{"count": 7, "error": "", "command": "echo", "value": 1, "text": {"value": 2}}',
    '{"command": "count", "value": 7, "count": 7, "error": "", "text": null}',
    '{\n"command":\r\n"count"\n}',
)
NOT_JSON = (
    *("hello", "", "{", "{'command': 'count'}", '{"command": "count"} {}', '{"command"}'),
    f"{COUNT}\n{COUNT}",
    *('{"command": "count",}', ECHO % '"a\tb"', ECHO % "[1,]"),
)
NO_OBJECT = (
    *("[]", '["command", "count"]', '"count"', "5", "0", "null", "true", '"{}"'),
    '[["command", "count"]]',  # dict() takes pairs
)
NO_COMMAND = '"dance" "" "Echo" "count\\u0020" null 5 1.5 true [] ["count"] ["echo"] {"count":1}'
# Keys that have a meaning elsewhere.
OTHER_KEYS = """
    id type method params args kwargs data text bytes message error count echo close code
    self cls content event request name
"""
TYPED = '{"type": "%s", "command": "count"}'
WITH_NAN = (
    *("NaN", ECHO % "NaN", ECHO % "-Infinity", ECHO % '[1, {"a": Infinity}]'),
    *('{"command": "echo", "value": 1, "x": Infinity}', '{"command": "count", "y": -Infinity}'),
    *('{"command": "count", "value": NaN}', '{"command": "dance", "x": [-Infinity]}'),
    *('{"command":"echo","value":NaN}', '{"command":"count","x":[1,-Infinity,2]}'),
)
LONG = ECHO % f'"{"ab" * 40_000}"'
# These brackets are not nested deep.
# Python reads these. A function that calls itself for each level needs more room than there is.
NESTED = tuple(ECHO % f"{opens * 600}0{closes * 600}" for opens, closes in ("[]", ('{"a":', "}")))
WIDE = (ECHO % f'"{"[{" * 1000}"', ECHO % f"[{', '.join(['[]'] * 1000)}]")
MANY_KEYS = json.dumps(
    dict.fromkeys((*OTHER_KEYS.split(), *near("value")[1:], *map(str, range(100))), "hello")
)[1:-1]
UNUSED_INFINITY = (
    *('{"command": "count", "x": 1e999}', '{"command": "echo", "x": [-1e999]}'),
    '{"command": "count", "value": -1e999}',
)
INFINITE = (
    ECHO % "1e999",
    ECHO % "-1e999",
    ECHO % '[{"a": -1e999}]',
    ECHO % '{"a": {"b": [[[{"c": [1e9999]}]]]}}',
)
TOO_DEEP = ('"[" * 100000', r'"{\"a\":" * 100000', f'"{"1" * 8}" * 1000')  # the last: too long
DIGITS = f'{{"command": "count", "x": {"1" * 5000}}}'
# Near the limit of Python, it depends on what has been called whether it reads and writes these.
NEARLY_TOO_DEEP = [ECHO % f"{'[' * depth}0{']' * depth}" for depth in range(860, 1000, 2)]
METHODS = """
    websocket_connect websocket_receive websocket_disconnect websocket.disconnect websocket.close
    http.request
    dispatch send base_send as_asgi __call__ __init__ __class__ __eq__ _sync scope channel_name
    channel_layer carried_out commands answer reply refuse error encode decode handle send_json
    connect disconnect receive accept close
"""
PROMISES = {
    "A command is a JSON object": "test_json_that_is_no_object_gets_an_error",
    "Its answer is one, too": ("count", "echo"),
    '`{"command": "echo", "value": ...}` gets': ("inputs", "test_echo_answers_with_the_value"),
    '`{"command": "count"}` gets': "test_count_counts_what_was_carried_out",
    "Other keys change nothing": "inputs",
    "text that is not JSON": "test_what_is_not_json_gets_an_error",
    "`NaN`, `Infinity` and `-Infinity` are not JSON": "test_what_json_cannot_say_gets_an_error",
    "JSON that is not an object": (
        "test_json_that_is_no_object_gets_an_error",
        "test_an_unknown_command_gets_an_error",
    ),
    "JSON that Python cannot read": "test_what_python_cannot_read_gets_an_error",
    "an `echo` whose value contains `1e999`": "test_what_json_cannot_say_gets_an_error",
    "In another key, `1e999`": "texts",
    "a binary frame": "test_a_binary_frame_gets_an_error",
    "Never close the connection": "test_what_is_not_json_gets_an_error",
}


class Desk(Model):
    session = 1250  # so that numbers have four digits
    promise_of: ClassVar = {
        "closed-early": "Never close the connection.",
        "nan-taken-for-json": "`NaN`, `Infinity` and `-Infinity` are not JSON, in any key.",
    }
    inputs: ClassVar = {
        'text {"command": "echo", "value": …}': (*JSON, *TEXTS, "infinite nan"),
        'text {"command": …}': near("count", "echo"),
        'text {…: "count"}': near("command"),
        'text {"command": "count", "value": …}': JSON,
        f'text {{"command": …, {MANY_KEYS}}}': ("count", "echo"),
        f'text {{"value": …, "command": "echo", {MANY_KEYS}}}': (1,),
        "text …": (f"\ufeff{COUNT}", f"{COUNT}\u3000", f"\xa0{COUNT}", *UNUSED_INFINITY),
    }
    texts = (
        *(COUNT, ECHO % '"hello"', *CARRIED_OUT[3:], LONG, TYPED % "send"),
        *(ECHO % "NaN", WITH_NAN[4], INFINITE[0], '{"command": "websocket_disconnect"}'),
        *('{"command": "dance"}', '{"command": ["count"]}', NOT_JSON[4], NO_OBJECT[1]),
    )

    def connect(self, client):
        client.carried_out = client.refused = 0
        client.accept()

    def receive(self, client, text, data):
        request = read(text)
        if text in NEARLY_TOO_DEEP:
            self.echo_if_possible(client, text)
        elif request.get("command") == "count":
            self.count(client)
        elif request.get("command") == "echo" and is_json(request.get("value")):
            self.echo(client, request.get("value"))
        else:
            self.refuse(client)

    def count(self, client):
        """`{"command": "count"}` gets `{"count": 2}` if two earlier commands of this connection,
        `echo` or `count`, succeeded. Other keys change nothing."""
        client.send_json({"count": client.carried_out})
        client.carried_out += 1

    def echo(self, client, value):
        """`{"command": "echo", "value": ...}` gets `{"value": ...}`, the same JSON value, or `null`
        without a `value`. Other keys change nothing."""
        client.send_json({"value": value})
        client.carried_out += 1

    def echo_if_possible(self, client, text):
        """Never close the connection."""
        if self.branch():
            client.send_any(text, lambda answer: answer.count("[") == text.count("["))
            client.carried_out += 1
        else:
            self.refuse(client)

    def refuse(self, client):
        """Every other frame gets `{"error": "..."}`, a non-empty text of yours, and no other
        key"""
        client.refused += 1
        client.send_any('{"error": "..."}', is_error)

    def diagnose(self, difference):
        if difference.step is None or difference.step.action not in ("text", "bytes"):
            return None
        text = difference.step.arguments.get("text")
        request = read(text)
        command = request.get("command")
        detail = difference.fault.detail if difference.fault else ""
        if detail in (f"KeyError: {command!r}", "KeyError: 'command'"):
            return "unknown-command"
        closes = any(it["type"] == "websocket.close" for it in difference.received)
        if command in METHODS.split() and not closes:
            return "client-picks-handler"
        if difference.fault and request.get("type") in METHODS.split():
            return "client-picks-handler"
        if difference.fault:
            is_binary = text is None and detail.startswith(
                ("JSONDecodeError", "UnicodeDecodeError")
            )
            return "binary-not-refused" if is_binary else None
        if not difference.received:
            return None if difference.seen.is_busy or difference.seen.ended else "unanswered"
        if not difference.pair or difference.received[0]["type"] != "websocket.send":
            return None
        expected, received = difference.pair
        if received.get("text") is None:
            return "text-became-bytes" if received["type"] == "websocket.send" else None
        answer = value_of(received["text"])
        if answer is None and received["text"].strip() != "null":
            return "answer-not-json"
        if isinstance(answer, str) and read(answer):
            return "json-confusion"
        if "error" in expected["text"]:
            return not_refused(text, received["text"])
        return self.diagnose_count(difference.client, json.loads(expected["text"]), answer)

    def diagnose_count(self, client, expected, answer):
        if len(self.clients) > 1 or not isinstance(answer, dict):
            return None
        more = range(1, self.clients[client].refused + 1)
        counts = [expected.get("count", 0) + number for number in more]
        return "error-counted" if "count" in expected and answer.get("count") in counts else None


def refuse(constant):
    raise ValueError(constant)


def read(text):
    """Return the JSON object in a frame, or an empty one if the frame has none."""
    value = value_of(text)
    return value if isinstance(value, dict) else {}


def value_of(text):
    """Return the JSON value in a frame, or None if the frame has none."""
    try:
        return json.loads(text, parse_constant=refuse)
    except (TypeError, ValueError, RecursionError):
        return None


def is_json(value):
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def is_error(text):
    answer = read(text)
    return [*answer] == ["error"] and isinstance(answer["error"], str) and answer["error"] != ""


def not_refused(text, answer):
    """Return the diagnosis for a frame that was not answered with an error."""
    if "error" in read(answer):  # it was refused, in a wrong way
        return None
    if text is None:
        return "binary-not-refused"
    return "nan-taken-for-json" if text in WITH_NAN else None


def frames(*texts):
    return [f"text {text}" for text in texts]


def test_echo_answers_with_the_value(play):
    """echo is answered with the same JSON value, or with null if there is no value."""
    values = [ECHO % json.dumps(text) for text in ("hello", "", " ä☃ ", "NaN")]
    values += [ECHO % value for value in JSON[:-1]]
    play(["connect", *frames(*values, LONG, *WIDE, *NESTED, '{"command": "echo"}')])


def test_count_counts_what_was_carried_out(play):
    """count is answered with how many commands of this connection succeeded before."""
    play(["connect", "2 connect", *frames(*CARRIED_OUT, COUNT), f"2 text {COUNT}"])


def test_what_is_not_json_gets_an_error(play):
    """Text that is not JSON gets an error and does not count. The connection stays open."""
    play(["connect", *frames(*NOT_JSON, COUNT)])


def test_json_that_is_no_object_gets_an_error(play):
    """A list, a string, a number, null and true get an error. The connection stays open."""
    play(["connect", *frames(*NO_OBJECT, COUNT)])


def test_a_binary_frame_gets_an_error(play):
    """A binary frame gets an error, even if its bytes are JSON or the event has text: None."""
    data = [f"bytes {data.hex()}" for data in (b"\xff\x00", COUNT.encode(), b"")]
    for first in ([], ["keys both"]):
        play([*first, "connect", *data, *frames(COUNT)])


def test_an_unknown_command_gets_an_error(play):
    """An unknown or missing command gets an error. The connection stays open."""
    unknown = [f'{{"command": {name}}}' for name in NO_COMMAND.split()]
    play(["connect", *frames(*unknown, "{}", '{"cmd": "count"}', COUNT)])


def test_the_client_reaches_no_other_method(play):
    """The name of a method or event is not a command, and a `type` changes nothing."""
    play(["connect", *frames(*(f'{{"command": "{name}"}}' for name in METHODS.split()), COUNT)])
    typed = (TYPED % name for name in METHODS.split())
    play(["connect", *frames(*typed)])


def test_what_json_cannot_say_gets_an_error(play):
    """NaN and Infinity get an error in any key, and so does an echo of 1e999."""
    play(["connect", *frames(*INFINITE, *WITH_NAN, COUNT)])


def test_what_python_cannot_read_gets_an_error(play):
    """A hundred thousand brackets get an error. The connection stays open."""
    play(["connect", *frames(*TOO_DEEP, DIGITS, COUNT)])
    for first in range(0, len(NEARLY_TOO_DEEP), 5):
        play(["connect", *frames(*NEARLY_TOO_DEEP[first : first + 5], COUNT)])
