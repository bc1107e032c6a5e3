"""Generates conversations for a model: a sweep over awkward frames, and random ones.

A random conversation is a list of items, each of which becomes a step: which client, what it does,
and whether it waits for the step before. A client that is not connected connects instead. So
Hypothesis can drop any item, and what is left is a conversation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.script.steps import (
    Step,
    parse_step,
    split_steps,
)
from lessons.workshop.judge.claims import leaving, one_after_the_other

# Texts that break code which is right for "hello".
AWKWARD_TEXTS = (
    *(
        "",
        " ",
        "hello",
        " padded ",
        "\n",
        "two\nlines",
        "a\r\nb",
        "a\tb",
        "UPPER",
        "0",
        "007",
        "-1",
        "1.5",
    ),
    *('"quoted"', "it's", "back\\slash\\n\\u00e9", "%s %d %", "{0} {x} {", "<b>&amp;</b>"),
    *("a|b", "null", "NaN", "1e999", "[1, 2]", '{"a": 1}'),
    *("🙂", "e\u0301", "\u202eright to left", "٣", "\x00"),
    *("x" * 300, "ab" * 1000, "é" * 3000, "a" * 70_000),
)
AWKWARD_BYTES = (
    b"",
    b"hello",
    b"7",
    b"\x00\xff",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x99\x82",
    b"\n x \x00",
    b"x" * 70_000,
)
LONG_SESSION = 40  # frames of one client
PAUSE = 50  # seconds between two frames; a layer keeps a message for 60
MAX_BURST = 4  # steps that are in the air at the same time
MAX_ITEMS = 24
CROWD = 6  # clients of the conversation that has the most
EARLY_POINTS = range(12)  # of a handshake, at which the server cancels its consumer
MAX_SHARED = 0.5  # of the steps of two conversations may be the same
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


def sweep(model: type[Model], own_texts: Sequence[str] = ()) -> Iterator[list[Step]]:
    """A long session, and one short one for each awkward frame, way to connect and to leave.

    `own_texts` are those that the submission mentions.
    """
    setup = [*map(parse_step, model.setups[0])]
    for steps in (*_short(model), *_mentioned(model, own_texts)):
        yield _complete(model, _first_steps([*setup, *steps]))


def _mentioned(model: type[Model], own_texts: Sequence[str]) -> Iterator[list[Step]]:
    """A client that sends each text that the submission mentions, and time goes on in between."""
    known = texts_of(model)
    frames = dict.fromkeys(filter(None, map(model.frame_of, own_texts)))
    texts = [text for text in frames if text not in known]
    if model.frames and texts:
        between = [parse_step(step) for step in model.others if step.startswith("wait ")][:1]
        hello = Step("text", {"text": next(iter(known))})
        sent = (step for text in texts for step in (*between, Step("text", {"text": text}), hello))
        yield [parse_step(model.handshakes[0]), *sent, *between]


def _short(model: type[Model]) -> Iterator[list[Step]]:
    if model.frames:
        frames = [Step("text", {"text": text}) for text in texts_of(model)]
        frames += [Step("bytes", {"hex": data.hex()}) for data in bytes_of(model)]
        connect = parse_step(model.handshakes[0])
        is_free = "bytes" in model.frames and model.frame_of("") == ""  # clients may send any frame
        session = [frames[number % len(frames)] for number in range(0, 7 * LONG_SESSION, 7)]
        yield [connect, *session]
        yield [connect, *frames[:2], parse_step(f"wait {PAUSE}"), *frames[:2]]
        for text in model.texts:  # it may end the connection: then the frames behind it are late
            late = ("& bytes 00ff", "& text", "& bytes") if is_free else ()
            late += (f"& {Step('text', {'text': text})}",)
            yield [connect, parse_step(late[-1][2:]), *map(parse_step, late)]
        for text in model.texts[:MISSED] if is_free else ():
            misses = [change(text) for change in NEAR_MISSES if change(text) != text]
            for first in range(0, len(misses), 2):
                sent = (*misses[first : first + 2], text)
                yield [connect, *(Step("text", {"text": it}) for it in sent)]
        for number in range(0, len(frames), 2):
            frame, following = frames[number], frames[(number + 1) % len(frames)]
            setup = [parse_step("keys both")] if number % 6 == 4 else []
            yield [*setup, connect, frame, frame, following]
    if model.frames and model.max_clients > 1:
        yield from _interference(model)
        yield _crowd(model)
    for text in model.long_conversations:
        yield [*map(parse_step, split_steps(text))]
    for first in range(0, len(model.others), 4):
        yield [parse_step(step) for step in (model.handshakes[0], *model.others[first : first + 4])]
    for handshake in model.handshakes:
        for end in (*model.actions, *model.ends):
            yield [parse_step(handshake), parse_step(end)]
    if "kill" in model.ends:  # a fault at every end is reported at a late one
        yield _early_ends(model)


def _interference(model: type[Model]) -> Iterator[list[Step]]:
    """Two clients: each acts while the other's frame is handled, or at the same time.

    The first has sent more. So what one keeps outside its own connection is seen, at each point.
    """
    connect = parse_step(model.handshakes[0])
    texts = (*model.texts, *filter(None, map(model.frame_of, ("hello", "hi"))))
    first, second = ({"text": text} for text in texts[:2])
    for point in range(len(model.points)):
        yield [
            *(connect, replace(connect, client=2)),
            *(Step("text", first), Step("text", first), Step("text", second, 2, point=point)),
            *(Step("text", second, 2), Step("text", first, point=point)),
        ]
    hello = {"text": model.frame_of("hello")}
    pairs = ((first, second), (second, first), (first, hello), (hello, first))
    both = [(Step("text", one), Step("text", two, 2, together=True)) for one, two in pairs]
    for seed in range(1, 1 + len(model.points)):  # it decides how far the one gets before the other
        together = [step for burst in both for step in burst]
        yield [parse_step(f"seed {seed}"), connect, replace(connect, client=2), *together]


def _crowd(model: type[Model]) -> list[Step]:
    """More clients than other conversations have: each has its own state, the last one too."""
    connect = parse_step(model.handshakes[0])
    texts = [*model.texts, *filter(None, map(model.frame_of, ("hello", "hi")))]
    steps = [replace(connect, client=client) for client in range(1, CROWD + 1)]
    for number in range(2 * CROWD):
        text = texts[number % len(texts)]
        steps.append(Step("text", {"text": text}, 1 + number % CROWD))
    steps += [Step("close", {}, 1), connect, Step("text", {"text": texts[0]}, 1)]
    return [*steps, *(Step("text", {"text": texts[-1]}, client) for client in range(2, CROWD + 1))]


def _early_ends(model: type[Model]) -> list[Step]:
    """The server cancels a consumer at each point of its handshake."""
    handshake, kill = parse_step(model.handshakes[0]), parse_step("kill")
    return one_after_the_other([handshake, replace(kill, point=point)] for point in EARLY_POINTS)


def texts_of(model: type[Model]) -> list[str]:
    """The texts that a client may send: those that mean something, and the awkward ones."""
    awkward = map(model.frame_of, AWKWARD_TEXTS)
    return [*model.texts, *(text for text in awkward if text is not None)]


def bytes_of(model: type[Model]) -> tuple[bytes, ...]:
    return AWKWARD_BYTES if "bytes" in model.frames else ()


def _complete(model: type[Model], steps: list[Step]) -> list[Step]:
    return [*steps, *map(parse_step, model.last_steps), *leaving(steps)]


def _first_steps(steps: Sequence[Step]) -> list[Step]:
    """The steps, and first those that say how to play."""
    return sorted(steps, key=lambda step: not step.kind.is_setup)


def generate(model: type[Model], count: int, visit: Callable[[list[Step]], None]) -> None:
    """Call `visit` with `count` conversations, always the same ones. Many are alike; see varied().

    If `visit` raises AssertionError, Hypothesis calls it with shorter and shorter conversations,
    and then raises the last AssertionError.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings

    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=count,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @given(_conversations(model))
    def run(steps):
        visit(steps)

    run()


def varied(found: list[list[str]], count: int) -> list[list[str]]:
    """The first `count` conversations that are not alike: Hypothesis changes one into the next."""
    kept: list[set[str]] = []
    chosen = []
    for steps in found:
        own = set(steps)
        if all(len(own & other) <= MAX_SHARED * len(own | other) for other in kept):
            kept.append(own)
            chosen.append(steps)
    return chosen[:count]


def _conversations(model: type[Model]):
    """The Hypothesis strategy for conversations with this model."""
    from hypothesis import strategies as st

    actions = [st.sampled_from(model.ends).map(parse_step)]
    if model.actions:
        actions += [st.sampled_from(model.actions).map(parse_step)]
    if model.frames:
        texts = st.sampled_from(texts_of(model))
        frames = texts.map(lambda text: Step("text", {"text": text}))
        usual = st.sampled_from(model.texts or ("hello",))
        meaningful = usual.map(lambda text: Step("text", {"text": text}))
        actions = [meaningful, frames, meaningful, *actions]
        if data := bytes_of(model):
            hexes = st.sampled_from([it.hex() for it in data])
            actions.insert(3, hexes.map(lambda it: Step("bytes", {"hex": it})))
    if model.others:
        actions += [st.sampled_from(model.others).map(parse_step)] * 2
    timing = st.sampled_from((*[None] * 8, *["&"] * 3, *model.points))
    item = st.tuples(
        st.integers(1, model.max_clients),
        st.one_of(actions),
        timing,
        st.sampled_from(model.handshakes),
    )
    items = st.lists(item, min_size=3, max_size=MAX_ITEMS)
    setup = st.tuples(
        st.sampled_from(model.setups), st.sampled_from((False, False, True)), st.integers(0, SEEDS)
    )
    return st.tuples(setup, items).map(lambda drawn: _steps(model, *drawn))


def _steps(model: type[Model], setup, items) -> list[Step]:
    setups, both_keys, seed = setup
    keys = ["keys both"] if both_keys else []
    seeds = [f"seed {seed}"] if seed else []
    first = _first_steps([parse_step(step) for step in (*setups, *keys, *seeds)])
    steps: list[Step] = []
    connected: set[int] = set()
    burst = 0
    in_burst: set[int | None] = set()  # clients with a step in it
    for client, action, timing, handshake in items:
        is_own = action.client is not None and action.action != "wait"  # a step of a client
        if is_own and client not in connected:
            action = parse_step(handshake)
        number = client if is_own else action.client
        in_air = timing is not None and 0 < burst < MAX_BURST and action.action not in _ALONE
        in_air = in_air and steps[-1].action not in _ALONE
        in_air = in_air and not (action.kind.begins and number in in_burst)
        # One step with `at` ends its burst, because a burst has one such point.
        in_air = in_air and steps[-1].point is None
        burst = burst + 1 if in_air else 1
        in_burst = {*(in_burst if in_air else ()), number}
        point = timing if in_air and timing != "&" else None
        steps.append(Step(action.action, action.arguments, number, in_air and point is None, point))
        if action.action in ("close", "vanish", "crash", "kill"):
            connected.discard(client)
        elif is_own and not (model.frames and action.kind.is_request):
            connected.add(client)  # a client with a request cannot send frames, so it begins again
    return [*first, *_complete(model, steps)]
