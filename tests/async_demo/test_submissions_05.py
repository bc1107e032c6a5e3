"""Submissions for lesson 5: each right notepad is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

BEGINNING = """\
import asyncio
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

LINES = []


class Notepad(AsyncConsumer):
    shared = []

    async def websocket_connect(self, event):
        self.lines = []
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    def plain_text(self, text):
        self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
"""

RIGHT = """
text, data = event.get("text"), event.get("bytes")
if text is None:
    await self.send({"type": "websocket.send", "bytes": data})
else:
    self.lines.append(text)
    await self.text(" / ".join(self.lines))
"""

APPEND = "self.lines.append(text)"
REPLY = 'await self.text(" / ".join(self.lines))'

submissions = Submissions("await", BEGINNING, RIGHT)


def changed(*changes):
    """The whole file with each `old` replaced by its `new`."""
    source = BEGINNING + "".join(f"        {line}\n" for line in RIGHT.strip().splitlines())
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return submissions.verdict(source=source)


def test_the_usual_version_is_green():
    assert submissions.verdict().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        adds_a_list=(APPEND, "self.lines += [text]"),
        makes_a_new_list=(APPEND, "self.lines = [*self.lines, text]"),
        shadows_the_class_list=(APPEND, "self.shared = self.lines = self.shared + [text]"),
        keeps_it_in_the_scope=(APPEND, 'self.lines = self.scope.setdefault("n", []) + [text]\n'
                               '    self.scope["n"] = self.lines'),
        gathers=(REPLY, 'await asyncio.gather(self.text(" / ".join(self.lines)))'),
        awaits_a_task=(REPLY, 'await asyncio.create_task(self.text(" / ".join(self.lines)))'),
        awaits_a_coroutine_made_before=(
            REPLY, 'reply = self.text(" / ".join(self.lines))\n    await reply'
        ),
        lets_others_run_in_between=(APPEND, f"await asyncio.sleep(0)\n    {APPEND}"),
    ),
)  # fmt: skip
def test_a_right_change_stays_green(old, new):
    assert submissions.verdict(old=old, new=new).findings == []


@pytest.mark.parametrize(
    "change",
    named(
        disconnect_never_returns=(("async def websocket_disconnect", "def websocket_disconnect"),),
        returns_what_can_be_awaited=(
            ("async def websocket_receive(self, event):\n",
             "def websocket_receive(self, event):\n        return self.answer(event)\n\n"
             "    async def answer(self, event):\n"),
        ),
    ),
)  # fmt: skip
def test_a_def_handler_that_returns_no_none_is_green(change):
    assert changed(change).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        forgets_await=("never-awaited", "await self.text", "self.text"),
        forgets_await_on_bytes=("never-awaited", "await self.send", "self.send"),
        forgets_await_and_returns=("never-awaited", "await self.text", "_ = self.text"),
        keeps_it_for_later=("never-awaited", "await self.text", "self.reply = self.text"),
        asks_whether_it_is_true=("never-awaited", REPLY, REPLY.replace("await ", "assert ")),
        forgets_inside_a_plain_method=("never-awaited", REPLY, 'self.plain_text("a")'),
        awaits_a_plain_method=("never-awaited", REPLY, 'await self.plain_text("a")'),
        forgets_after_the_reply=("never-awaited", REPLY, f"{REPLY}\n    asyncio.sleep(0)"),
        awaits_append=("awaited-none", APPEND, f"await {APPEND}"),
        awaits_print=("awaited-none", APPEND, f"await print()\n    {APPEND}"),
        class_list=("shared-mutable", APPEND, "self.shared.append(text); self.lines = self.shared"),
        module_list=("shared-mutable", APPEND, "LINES.append(text); self.lines = LINES"),
        list_on_the_type=(
            "shared-mutable",
            APPEND,
            "type(self).shared = self.lines = self.shared + [text]",
        ),
        forgets_to_note=("reply-altered", APPEND, "self.lines = [text]"),
        notes_once=("reply-altered", APPEND, f"text in self.lines or {APPEND}"),
        notes_no_empty_line=("reply-altered", APPEND, f"text and {APPEND}"),
        last_line_first=("reply-altered", APPEND, "self.lines.insert(0, text)"),
        keeps_five=("reply-altered", APPEND, f"{APPEND}; del self.lines[:-5]"),
        asks_which_key_is_there=("exception", "text is None", '"text" not in event'),
        takes_empty_for_none=("send-without-payload", "text is None", "not text"),
        answers_twice=("reply-altered", REPLY, f"{REPLY}\n    {REPLY}"),
        async_to_sync=(
            "async-to-sync-in-loop",
            REPLY,
            'from asgiref.sync import async_to_sync\n    async_to_sync(self.text)("a")',
        ),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert submissions.verdict(old=old, new=new).diagnosis_ids[:1] == [diagnosis]


def test_a_forgotten_await_names_the_line_that_made_the_coroutine():
    verdict = submissions.verdict(old="await self.text", new="self.reply = self.text")
    (line,) = {finding.line for finding in verdict.findings}
    whole = (BEGINNING + RIGHT).splitlines()
    assert "await self.text" in whole[line - 1]
    (said,) = {finding.detail for finding in verdict.findings}
    assert said == "coroutine 'Notepad.text' was never awaited"


def test_a_def_handler_is_named_even_if_it_leaves_coroutines_behind():
    verdict = changed(
        ("async def websocket_receive", "def websocket_receive"),
        ('await self.send({"type": "websocket.send", "bytes"', 'self.send({"type": "x", "bytes"'),
        ("await self.text(", "self.text("),
    )
    assert set(verdict.diagnosis_ids) == {"def-handler-in-async-consumer"}
    assert verdict.findings[0].handler == "Notepad.websocket_receive"
