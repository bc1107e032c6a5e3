"""Conversations for a model: a sweep over awkward frames and moments, then random ones.

The claims of a check.py are few and friendly. Here clients are not: they send awkward texts, speak
at the same time, leave early, and send frames after a close. The conversations are always the same,
so a verdict does not vary.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..script.steps import Step, parse_step, split_steps
from .model import Model

# Texts that break code which is right for "hello".
AWKWARD_TEXTS = (
    *("", " ", "hello", " padded ", "\n", "two\nlines", "a\r\nb", "a\tb", "UPPER"),
    *("0", "007", "-1", "1.5", '"quoted"', "it's", "back\\slash\\n\\u00e9"),
    *("%s %d %", "{0} {x} {", "<b>&amp;</b>", "a|b", "null", "NaN", "1e999", "[1, 2]", '{"a": 1}'),
    *("🙂", "e\u0301", "\u202eright to left", "٣", "\x00"),
    *("x" * 300, "ab" * 1000, "é" * 3000, "a" * 70_000),
)
AWKWARD_BYTES = (
    *(b"", b"hello", b"7", b"\x00\xff", b"\xef\xbb\xbf", b"\xf0\x9f\x99\x82", b"\n x \x00"),
    b"x" * 70_000,
)
LONG_SESSION = 40  # frames of one client
PAUSE = 50  # seconds between two frames; a layer keeps a message for 60
MAX_BURST = 4  # steps that are in the air at the same time
MIN_ITEMS, MAX_ITEMS = 3, 24  # of a random conversation
RANDOM = 24  # random conversations
CROWD = 6  # clients of the conversation that has the most
EARLY_POINTS = range(12)  # of a handshake, at which the server cancels its consumer
SEEDS = 8
# What code may take for a text that means something, and must not.
NEAR_MISSES = (
    lambda text: f" {text}",
    lambda text: f"{text}\n",
    lambda text: f"{text}\0",
    lambda text: f"{text} {text}",
    str.swapcase,
    lambda text: text.translate({code: code + 0xFEE0 for code in range(33, 127)}),  # full width
)
MISSED = 3  # texts of a model of which near misses are sent
# Steps that are never in a burst.
_ALONE = ("wait", "worker", "kill-workers", "database", "crash", "kill", "fill")


def parse_conversation(steps: str | Sequence[str]) -> list[Step]:
    """The steps, and at the end the leaving of each client."""
    texts = split_steps(steps) if isinstance(steps, str) else steps
    parsed = [parse_step(step) for step in texts]
    return [*parsed, *leaving(parsed)]


def leaving(steps: Sequence[Step]) -> list[Step]:
    """A step for each client: it opens another page. A client that has left is left alone."""
    own = [step for step in steps if step.client is not None and step.action != "wait"]
    numbers = dict.fromkeys(step.client for step in own)
    ended = {step.client: step.action in ("close", "vanish") for step in own}
    return [Step("close", {"code": 1001}, number) for number in numbers if not ended[number]]


def one_after_the_other(conversations: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of all conversations, each with other clients."""
    joined: list[Step] = []
    for steps in conversations:
        used = max((step.client or 0 for step in joined), default=0)
        joined += [replace(step, client=step.client and step.client + used) for step in steps]
    return joined


def conversations_for(model: type[Model], own_texts: Sequence[str] = ()) -> Iterator[list[Step]]:
    """All conversations: a sweep, then random ones. `own_texts` are what a submission mentions."""
    setup = [*map(parse_step, model.setups[0])]
    for steps in (*_sweep(model), *_mentioned(model, own_texts)):
        first_steps = sorted([*setup, *steps], key=lambda step: not step.kind.is_setup)
        yield _complete(model, first_steps)
    for seed in range(RANDOM):
        yield _random(model, random.Random(seed))


def texts_of(model: type[Model]) -> list[str]:
    """The texts that a client may send: those that mean something, and the awkward ones."""
    awkward = map(model.frame_of, AWKWARD_TEXTS)
    return [*model.texts, *(text for text in awkward if text is not None)]


def _complete(model: type[Model], steps: list[Step]) -> list[Step]:
    return [*steps, *map(parse_step, model.last_steps), *leaving(steps)]


# The sweep: a long session, and a short one for each awkward frame, way to connect and to leave


def _mentioned(model: type[Model], own_texts: Sequence[str]) -> Iterator[list[Step]]:
    """A client that sends each text that the submission mentions, and time goes on in between."""
    known = texts_of(model)
    frames = dict.fromkeys(filter(None, map(model.frame_of, own_texts)))
    texts = [text for text in frames if text not in known]
    if model.frames and texts:
        between = [parse_step(step) for step in model.others if step.startswith("wait ")][:1]
        hello = _text(next(iter(known)))
        sent = (step for text in texts for step in (*between, _text(text), hello))
        yield [parse_step(model.handshakes[0]), *sent, *between]


def _sweep(model: type[Model]) -> Iterator[list[Step]]:
    connect = parse_step(model.handshakes[0])
    if model.frames:
        yield from _frames(model, connect)
    if model.frames and model.max_clients > 1:
        yield from _interference(model, connect)
        yield _crowd(model, connect)
    for text in model.long_conversations:
        yield [*map(parse_step, split_steps(text))]
    for first in range(0, len(model.others), 4):
        yield [connect, *map(parse_step, model.others[first : first + 4])]
    for handshake in model.handshakes:
        for end in (*model.actions, *model.ends):
            yield [parse_step(handshake), parse_step(end)]
    if "kill" in model.ends:  # a fault at every end is reported at a late one
        kill = parse_step("kill")
        yield one_after_the_other([connect, replace(kill, point=it)] for it in EARLY_POINTS)


def _frames(model: type[Model], connect: Step) -> Iterator[list[Step]]:
    frames = [*map(_text, texts_of(model)), *_bytes_of(model)]
    is_free = "bytes" in model.frames and model.frame_of("") == ""  # clients may send any frame
    yield [connect, *(frames[number % len(frames)] for number in range(0, 7 * LONG_SESSION, 7))]
    yield [connect, *frames[:2], parse_step(f"wait {PAUSE}"), *frames[:2]]
    for text in model.texts:  # it may end the connection: then the frames behind it are late
        late = [*map(parse_step, ("& bytes 00ff", "& text", "& bytes"))] if is_free else []
        yield [connect, _text(text), *late, replace(_text(text), together=True)]
    for text in model.texts[:MISSED] if is_free else ():
        misses = [change(text) for change in NEAR_MISSES if change(text) != text]
        for first in range(0, len(misses), 2):
            yield [connect, *map(_text, (*misses[first : first + 2], text))]
    for number in range(0, len(frames), 2):
        frame, following = frames[number], frames[(number + 1) % len(frames)]
        setup = [parse_step("keys both")] if number % 6 == 4 else []
        yield [*setup, connect, frame, frame, following]


def _interference(model: type[Model], connect: Step) -> Iterator[list[Step]]:
    """Two clients: each acts while the other's frame is handled, or at the same time.

    The first has sent more. So what one keeps outside its own connection is seen, at each point.
    """
    both = [connect, replace(connect, client=2)]
    one, two = (*model.texts, *filter(None, map(model.frame_of, ("hello", "hi"))))[:2]
    for point in range(len(model.points)):
        yield [
            *(*both, _text(one), _text(one), replace(_text(two, 2), point=point)),
            *(_text(two, 2), replace(_text(one), point=point)),
        ]
    hello = model.frame_of("hello")
    pairs = ((one, two), (two, one), (one, hello), (hello, one))
    bursts = [it for a, b in pairs for it in (_text(a), replace(_text(b, 2), together=True))]
    for seed in range(1, 1 + len(model.points)):  # it decides how far the one gets before the other
        yield [parse_step(f"seed {seed}"), *both, *bursts]


def _crowd(model: type[Model], connect: Step) -> list[Step]:
    """More clients than other conversations have: each has its own state, the last one too."""
    texts = [*model.texts, *filter(None, map(model.frame_of, ("hello", "hi")))]
    steps = [replace(connect, client=client) for client in range(1, CROWD + 1)]
    for number in range(2 * CROWD):
        steps.append(_text(texts[number % len(texts)], 1 + number % CROWD))
    steps += [Step("close", {}, 1), connect, _text(texts[0])]
    return [*steps, *(_text(texts[-1], client) for client in range(2, CROWD + 1))]


def _text(text: str, client: int = 1) -> Step:
    return Step("text", {"text": text}, client)


def _bytes_of(model: type[Model]) -> list[Step]:
    return [Step("bytes", {"hex": it.hex()}) for it in AWKWARD_BYTES if "bytes" in model.frames]


# Random conversations


def _random(model: type[Model], chance: random.Random) -> list[Step]:
    """A setup, then steps of some clients. A client that is not connected connects instead."""
    setup = [*chance.choice(model.setups), *chance.choice(([], [], ["keys both"]))]
    if seed := chance.randint(0, SEEDS):
        setup.append(f"seed {seed}")
    first = sorted(map(parse_step, setup), key=lambda step: not step.kind.is_setup)
    kinds = _kinds_of_action(model)
    timings = (*[None] * 8, *["&"] * 3, *model.points)
    steps: list[Step] = []
    connected: set[int] = set()
    burst: list[int | None] = []  # the client of each step in the air
    for _ in range(chance.randint(MIN_ITEMS, MAX_ITEMS)):
        client = chance.randint(1, model.max_clients)
        action, timing = chance.choice(chance.choice(kinds)), chance.choice(timings)
        is_own = action.client is not None and action.action != "wait"  # a step of a client
        if is_own and client not in connected:
            action = parse_step(chance.choice(model.handshakes))
        number = client if is_own else action.client
        in_air = (
            timing is not None
            and 0 < len(burst) < MAX_BURST
            and not {action.action, steps[-1].action} & {*_ALONE}
            and not (action.kind.begins and number in burst)
            and steps[-1].point is None  # a burst has one step with `at`, its last one
        )
        burst = [*burst, number] if in_air else [number]
        point = timing if in_air and timing != "&" else None
        together = in_air and point is None
        steps.append(replace(action, client=number, together=together, point=point))
        if action.action in ("close", "vanish", "crash", "kill"):
            connected.discard(client)
        elif is_own and not (model.frames and action.kind.is_request):
            connected.add(client)  # a client with a request cannot send frames, so it begins again
    return [*first, *_complete(model, steps)]


def _kinds_of_action(model: type[Model]) -> list[list[Step]]:
    """What a client or another process may do. Each kind is as likely as any other."""
    kinds = [[*map(parse_step, it)] for it in (model.ends, model.actions) if it]
    if model.frames:
        meaningful = [*map(_text, model.texts or ("hello",))]
        kinds += [meaningful, [*map(_text, texts_of(model))], meaningful]
    if "bytes" in model.frames:
        kinds.append(_bytes_of(model))
    if model.others:
        kinds += [[*map(parse_step, model.others)]] * 2
    return kinds
