"""Submissions for lesson 9: each right desk is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Desk(AsyncConsumer):
    async def websocket_connect(self, event):
        self.carried_out = 0
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            request = json.loads(event.get("text") or "")
            reply = json.dumps(await self.answer(request), allow_nan=False)
        except (ValueError, RecursionError):
            reply = json.dumps({"error": "not JSON"})
        await self.send({"type": "websocket.send", "text": reply})

    async def answer(self, request):
        if not isinstance(request, dict):
            return {"error": "no object"}
        commands = {"echo": self.echo, "count": self.count}
        name = request.get("command")
        if not isinstance(name, str) or name not in commands:
            return {"error": "no such command"}
        answer = await commands[name](request)
        self.carried_out += 1
        return answer

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""

ANSWER = RIGHT[RIGHT.index("        if not isinstance") : RIGHT.index("    async def echo")]
LOOKUP = RIGHT[RIGHT.index("        name =") : RIGHT.index("        self.carried_out += 1")]
TRY = RIGHT[
    RIGHT.index("        try:") : RIGHT.index('        await self.send({"type": "websocket.send')
]
LOADS = 'json.loads(event.get("text") or "")'
NOT_A_DICT = (
    '        if not isinstance(request, dict):\n            return {"error": "no object"}\n'
)

TABLE = '        commands = {"echo": self.echo, "count": self.count}\n'

submissions = Submissions("generic", "", RIGHT)


MATCH = """\
        match request:
            case {"command": "echo", **rest}:
                answer = {"value": rest.get("value")}
            case {"command": "count"}:
                answer = {"count": self.carried_out}
            case _:
                return {"error": "no such command"}
        self.carried_out += 1
        return answer

"""

COMPARE = """\
        name = request.get("command") if isinstance(request, dict) else None
        if name == "echo":
            answer = {"value": request.get("value")}
        elif name == "count":
            answer = {"count": self.carried_out}
        else:
            return {"error": {"code": 404}}
        self.carried_out += 1
        return answer

"""

PREFIX = """\
        name = request.get("command")
        command = getattr(self, f"command_{name}", None)
        if command is None:
            return {"error": "no such command"}
        answer = await command(request)
"""

IN_TWO_STEPS = """\
        text = event.get("text")
        try:
            request = None if text is None else json.loads(text, parse_constant=self.refuse)
        except (ValueError, RecursionError):
            request = None
        answer = await self.answer(request)
        try:
            reply = json.dumps(answer, allow_nan=False, ensure_ascii=False, indent=1)
        except (ValueError, RecursionError):
            reply = '{"error": "cannot be said"}'
"""

REFUSE = """\
    def refuse(self, word):
        raise ValueError(word)

    async def answer"""

KEY_ERROR = """\
        try:
            command = {"echo": self.echo, "count": self.count}[request["command"]]
        except (KeyError, TypeError):
            return {"error": "no such command"}
        answer = await command(request)
"""

HANDLERS = """\
        name = str(request.get("command")).replace(".", "_")
        handler = getattr(self, name, None)
        if handler is None:
            return {"error": "no such handler"}
        answer = await handler(request)
"""

DISPATCH = """\
        if "type" in request:
            await self.dispatch(request)
"""

SEND = 'await self.send({"type": "websocket.send", "text": reply})'

NAMED = [("def echo", "def command_echo"), ("def count", "def command_count")]


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        with_match=([(ANSWER, MATCH)],),
        with_comparisons=([(ANSWER, COMPARE)],),
        with_its_own_prefix=([(TABLE, ""), (LOOKUP, PREFIX), *NAMED],),
        in_two_steps=([(TRY, IN_TWO_STEPS), ("    async def answer", REFUSE)],),
        asks_forgiveness=([(NOT_A_DICT, ""), (LOOKUP, KEY_ERROR)],),
        catches_exception=([("(ValueError, RecursionError)", "Exception")],),
        reads_null_for_binary=([(LOADS, 'json.loads(event.get("text") or "null")')],),
        says_none_for_bytes=([('"text": reply}', '"text": reply, "bytes": None}')],),
        explains_the_error=(
            [("RecursionError):", "RecursionError) as error:"), ('"not JSON"', "repr(error)")],
        ),
        writes_compactly=([("allow_nan=False", 'allow_nan=False, separators=(",", ":")')],),
        keeps_the_commands_on_the_class=(
            [
                (
                    "class Desk(AsyncConsumer):\n",
                    'class Desk(AsyncConsumer):\n    names = {"echo", "count"}\n',
                ),
                ("name not in commands", "name not in self.names"),
            ],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    assert submissions.changed(*changes).findings == []


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        catches_the_wrong_error=([("(ValueError, RecursionError)", "KeyError")], "bad-json"),
        catches_decode_errors_alone=(
            [("(ValueError, RecursionError)", "json.JSONDecodeError")],
            "answer-not-json",
        ),
        forgets_recursion=([("(ValueError, RecursionError)", "ValueError")], "nested-too-deep"),
        answers_errors_with_bytes=(
            [('reply = json.dumps({"error": "not JSON"})', 'reply = b"{}"')],
            "payload-not-text",
        ),
        answers_errors_in_plain_text=(
            [('reply = json.dumps({"error": "not JSON"})', 'reply = "not JSON"')],
            "answer-not-json",
        ),
        answers_errors_with_nothing=(
            [('reply = json.dumps({"error": "not JSON"})', "return")],
            "unanswered",
        ),
        stops_on_errors=(
            [('reply = json.dumps({"error": "not JSON"})', "raise StopConsumer")],
            "bad-json",
        ),
        closes_on_errors=(
            [
                (
                    'reply = json.dumps({"error": "not JSON"})',
                    'return await self.send({"type": "websocket.close"})',
                )
            ],
            "closed-early",
        ),
        counts_errors=(
            [
                (
                    "            request = json",
                    "            self.carried_out += 1\n            request = json",
                )
            ],
            "reply-differs",
        ),
        counts_itself=(
            [('{"count": self.carried_out}', '{"count": self.carried_out + 1}')],
            "reply-differs",
        ),
        shares_the_count=(
            [
                ("self.carried_out", "type(self).carried_out"),
                ("        type(self).carried_out = 0\n", ""),
                (
                    "    async def websocket_connect",
                    "    carried_out = 0\n\n    async def websocket_connect",
                ),
            ],
            "wrong-connection",
        ),
        asks_for_no_dict=([(NOT_A_DICT, "")], "not-an-object"),
        asks_for_no_str=([("not isinstance(name, str) or ", "")], "unhashable-command"),
        asks_for_no_command=([(" or name not in commands", "")], "unknown-command"),
        subscripts_the_request=(
            [('request.get("command")', 'request["command"]')],
            "unknown-command",
        ),
        loses_falsy_values=(
            [('request.get("value")', 'request.get("value") or None')],
            "reply-differs",
        ),
        needs_a_value=([('request.get("value")', 'request["value"]')], "reply-differs"),
        echoes_a_string=([('request.get("value")', 'str(request.get("value"))')], "reply-differs"),
        reads_text_alone=([('event.get("text") or ""', 'event["text"]')], "text-on-binary"),
        reads_bytes_too=(
            [('event.get("text") or ""', 'event.get("text") or event.get("bytes") or ""')],
            "binary-not-refused",
        ),
        passes_over_binary=(
            [
                (
                    "        try:\n",
                    '        if event.get("text") is None:\n            return\n        try:\n',
                )
            ],
            "unanswered",
        ),
        forgets_allow_nan=([(", allow_nan=False", "")], "answer-not-json"),
        refuses_nan_and_lets_infinity_pass=(
            [(", allow_nan=False", ""), ('or "")', 'or "", parse_constant=int)')],
            "answer-not-json",
        ),
        reaches_for_methods=(
            [
                ("commands[name]", "getattr(self, name)"),
                (" or name not in commands", " or not hasattr(self, name)"),
            ],
            "client-picks-handler",
        ),
        reaches_for_handlers=(
            [
                (
                    LOOKUP,
                    HANDLERS,
                )
            ],
            "client-picks-handler",
        ),
        dispatches_the_type=(
            [
                (
                    "        commands =",
                    DISPATCH + "        commands =",
                )
            ],
            "client-picks-handler",
        ),
        encodes_twice=(
            [
                (
                    "reply = json.dumps(await self.answer(request), allow_nan=False)",
                    "reply = json.dumps(json.dumps(await self.answer(request)))",
                )
            ],
            "json-confusion",
        ),
        decodes_twice=([(LOADS, f"json.loads({LOADS})")], "json-confusion"),
        writes_python=(
            [
                (
                    "json.dumps(await self.answer(request), allow_nan=False)",
                    "repr(await self.answer(request))",
                )
            ],
            "answer-not-json",
        ),
        answers_twice=(
            [
                (
                    '"text": reply})',
                    '"text": reply})\n        ' + SEND,
                )
            ],
            "reply-differs",
        ),
        answers_with_bytes=([('"text": reply', '"bytes": reply.encode()')], "text-became-bytes"),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
