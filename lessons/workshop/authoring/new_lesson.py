"""Templates for the files of a new lesson: a complete lesson about an echo.

The new lesson can be judged at once, so an author changes one thing at a time. `lesson verify`
reports every TODO except those in the exercise.
"""

LESSON = """\
---
demo: {app}.consumers.{name}
path: {path}
exercise: {name}({base})
goal: TODO: what a student can do afterwards.
minutes: 15
---
# TODO: the title

## See it
TODO: what the reader sees here. `lesson verify {slug} --update` records the transcript.

```transcript {app}.consumers.{name} | connect | text hello | close 1001
```

## Why
TODO: the reason.

```code {app}.consumers.{name}
```

## Do it
TODO: what `exercise.py` has, what is wrong with it, and how many places to change.

## Where it bites
- **TODO.** The error as the server or the browser writes it, then the cure.
"""

TEACH = """\
# Teach: TODO: the title

## Plan
| minutes | part |
|---|---|
| 3 | predict |
| 4 | see, why |
| 8 | do, discuss |

## Show
TODO: what to show on the projector. `lesson verify {slug} --update` records the transcript.

```transcript {app}.consumers.{name} | connect | text hello | close 1001
```

## Ask
- **TODO: a question?** The answer to expect.

## Usual mistakes
- `SendsNoReply`: TODO: how to recognise it, and how to discuss it.

## Cut
TODO: what to leave out when time is short.
"""

PREDICT = '''\
# Two to four questions before the steps are played. The answer is what happens then.

[[prediction]]
question = """TODO: in which order do the events happen?"""
because = """TODO: the explanation of the answer."""
steps = ["connect", "text hello", "close 1001"]
kind = "order"

[[prediction]]
question = """TODO: who receives what?"""
because = """TODO: the explanation of the answer."""
steps = ["connect", "2 connect", "text hello", "close 1001", "2 close 1001"]
kind = "receives"
'''

EXERCISE = '''\
"""Lesson {number}: TODO: the task, in two or three sentences.

Each text frame comes back unchanged.
"""

from channels.consumer import {base}
from channels.exceptions import StopConsumer


class {name}({base}):
    {define} websocket_connect(self, event):
        {call}self.send({{"type": "websocket.accept"}})

    {define} websocket_receive(self, event):
        # TODO 1: send the text back.
        pass

    {define} websocket_disconnect(self, event):
        raise StopConsumer()
'''

SOLUTION = '''\
"""Lesson {number}, solved: TODO: what the consumer does."""

from channels.consumer import {base}
from channels.exceptions import StopConsumer


class {name}({base}):
    {define} websocket_connect(self, event):
        {call}self.send({{"type": "websocket.accept"}})

    {define} websocket_receive(self, event):
        # TODO: say only what was added, and why.
        if event.get("text") is not None:
            {call}self.send({{"type": "websocket.send", "text": event["text"]}})

    {define} websocket_disconnect(self, event):
        raise StopConsumer()
'''

MISTAKES = '''\
"""Lesson {number}: the classic wrong versions. TODO: write at least four."""

from channels.consumer import {base}
from channels.exceptions import StopConsumer


class Right({base}):
    """The right parts: each mistake changes one method."""

    {define} websocket_connect(self, event):
        {call}self.send({{"type": "websocket.accept"}})

    {define} websocket_disconnect(self, event):
        raise StopConsumer()


class SendsNoReply(Right):
    """TODO: the misunderstanding. The end of the handler is taken for a reply."""

    diagnosis = "no-reply"

    {define} websocket_receive(self, event):
        self.text = event["text"]
'''

CHECK = '''\
"""Lesson {number}: TODO: the task, in one question."""

from lessons.workshop.judge import Model


class {name}Model(Model):
    # TODO: say what each event must lead to. A docstring quotes the exercise's promise.
    def receive(self, client, text, data):
        """Each text frame comes back unchanged"""
        if text is not None:
            client.send(text)


def test_text_comes_back(play):
    """TODO: the claim that a student reads. A text frame comes back unchanged."""
    play("connect | text hello")
'''

HINTS = """\
## TODO: where to look
TODO

## TODO: what to write
TODO

## TODO: nearly the solution
TODO
"""

TESTS = '''\
"""Lesson {number}'s worked example: TODO: what it promises."""

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from {app}.consumers import {name}
from {app}.routing import websocket_urlpatterns

PATH = "{path}"


async def test_todo_a_text_frame_comes_back():
    client = WebsocketCommunicator({name}.as_asgi(), PATH)
    await client.connect()
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "hello"
    await client.disconnect()


async def test_is_routed_at_its_path():
    client = WebsocketCommunicator(URLRouter(websocket_urlpatterns), PATH)
    assert await client.connect() == (True, None)
    await client.disconnect()
'''

FILES = {
    "lesson.md": LESSON,
    "teach.md": TEACH,
    "predict.toml": PREDICT,
    "exercise.py": EXERCISE,
    "solution.py": SOLUTION,
    "mistakes.py": MISTAKES,
    "check.py": CHECK,
    "hints.md": HINTS,
}
