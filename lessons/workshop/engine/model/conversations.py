"""Conversations for a model: awkward values and moments, long conversations, then random ones.

The claims of a check.py are few and friendly. Here clients are not: they send awkward values, speak
at the same time, leave early, stay for an hour, and send frames after a close. The conversations
are always the same, so a verdict does not vary.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import cycle, islice, zip_longest

from ..script.steps import Step, parse_step, split_steps
from .awkward import BYTES, TEXTS, bytes_step, filled, near, text_step
from .model import Model

VARIED = 300  # frames of a long session before the same one comes again and again
REPEATED = 12  # the same frame so often at the beginning of a long session
MAX_SHORT = 40  # characters of a frame of a long session
VISITS = 40  # clients one after another in one conversation
FEW = 8  # clients of a crowd that come in different ways
NEWS = 60  # steps of other processes in one conversation
MAX_BURST = 4  # steps that are in the air at the same time
MIN_ITEMS, MAX_ITEMS = 3, 24  # of a random conversation
RANDOM = 20  # random conversations
LATE = 2  # seconds until a client answers a close of its consumer
EARLY_POINTS = range(12)  # of a handshake, at which the server cancels its consumer
SEEDS = 8
MISSED = 3  # texts of a model of which near misses are sent
# Steps that are never in a burst.
_ALONE = ("wait", "worker", "kill-workers", "database", "crash", "kill", "fill")

_of_last_model = lru_cache(maxsize=1)  # each conversation needs it; no caller changes the list


def parse_conversation(steps: str | Sequence[str]) -> list[Step]:
    """The steps, and at the end the leaving of each client."""
    texts = split_steps(steps) if isinstance(steps, str) else steps
    parsed = [parse_step(step) for step in texts]
    return [*parsed, *leaving(parsed)]


def leaving(steps: Sequence[Step]) -> list[Step]:
    """A step for each client: it opens another page. A client that has left is left alone."""
    own = [step for step in steps if step.is_own]
    numbers = dict.fromkeys(step.client for step in own)
    ended = {step.client: step.action in ("close", "vanish") for step in own}
    return [Step("close", {"code": 1001}, number) for number in numbers if not ended[number]]


def one_after_the_other(conversations: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of all conversations. The clients of each leave before the next ones come."""
    return [step for steps in conversations for step in (*steps, *leaving(steps))]


def conversations_for(model: type[Model], own_texts: Sequence[str] = ()) -> Iterator[list[Step]]:
    """All conversations: a sweep, then random ones. `own_texts` are what a submission mentions."""
    setup = [*map(parse_step, model.setups[0])]
    for steps in filter(None, (*_sweep(model), *_mentioned(model, own_texts))):
        first_steps = sorted([*setup, *steps], key=lambda step: not step.kind.is_setup)
        yield _complete(model, first_steps)
    for seed in range(RANDOM):
        yield _random(model, random.Random(seed))


@_of_last_model
def frames_of(model: type[Model]) -> list[Step]:
    """The frames that clients send: those that mean something, and the awkward ones."""
    if not model.frames:
        return []
    texts = [*model.texts, *(it for it in map(model.frame_of, TEXTS) if it is not None)]
    if _may_send_anything(model):
        texts += near(*model.texts[:MISSED])
    own = (step for step in _steps_of_inputs(model) if step.action in ("text", "bytes"))
    data = (*(it.encode() for it in model.texts), *BYTES) if "bytes" in model.frames else ()
    return [*dict.fromkeys([*map(text_step, texts), *own, *map(bytes_step, data)])]


def _may_send_anything(model: type[Model]) -> bool:
    return "bytes" in model.frames and model.frame_of("") == ""


@_of_last_model
def _steps_of_inputs(model: type[Model]) -> list[Step]:
    return [filled(step, value) for step, values in model.inputs.items() for value in values]


def _sockets(model: type[Model]) -> list[Step]:
    """The ways to open a WebSocket."""
    return [step for step in map(parse_step, model.handshakes) if not step.kind.is_request]


@_of_last_model
def _others_of(model: type[Model]) -> list[Step]:
    """What other processes do, and waits."""
    own = (step for step in _steps_of_inputs(model) if step.client is None or step.action == "wait")
    return [*map(parse_step, model.others), *own]


def _chunks(steps: list, size: int) -> list[list]:
    return [steps[first : first + size] for first in range(0, len(steps), size)]


def _repeated(visits: list[list[Step]]) -> list[list[Step]]:
    """All of them, and again from the first one on if they are too few."""
    return [*islice(cycle(visits), max(VISITS - len(visits), 0)), *visits]


def _waits_of(model: type[Model]) -> list[Step]:
    return [step for step in map(parse_step, model.others) if step.action == "wait"]


def _complete(model: type[Model], steps: list[Step]) -> list[Step]:
    return [*steps, *map(parse_step, model.last_steps), *leaving(steps)]


# The sweep: each awkward value, way to connect and to leave, and the conversations that are long


def _mentioned(model: type[Model], own_texts: Sequence[str]) -> Iterator[list[Step]]:
    """A client that sends each text that the submission mentions, before and after a known one.

    Time goes on in between.
    """
    connect, known = parse_step(model.handshakes[0]), frames_of(model)
    frames = map(text_step, dict.fromkeys(filter(None, map(model.frame_of, own_texts))))
    frames = [frame for frame in frames if frame not in known]
    if model.frames and frames:
        between = _waits_of(model)[:1]
        sent = (step for frame in frames for step in (*between, frame, known[0], frame))
        yield [connect, *sent, *between]
    if events := [*filter(None, map(model.event_of, own_texts))]:
        steps = map(parse_step, events)
        yield one_after_the_other([it] if it.kind.begins else [connect, it] for it in steps)


def _sweep(model: type[Model]) -> Iterator[list[Step]]:
    connect = parse_step(model.handshakes[0])
    others = _others_of(model)
    if model.frames:
        yield from _frames(model, connect)
    if model.frames and model.max_clients > 1:
        yield from _interference(model, connect)
        yield from _slow(model, connect) if model.slow else ()
    if model.max_clients > 1:
        yield _crowd(model, connect)
    yield from _handshakes(model)
    yield _pauses(model, connect)
    for text in model.long_conversations:
        yield [*map(parse_step, split_steps(text))]
    for some in _chunks(others, 4):
        yield [connect, *some]
    if others:
        news = islice(cycle(others), max(NEWS, len(others)))
        yield [connect, replace(connect, client=2), *news]
    if "kill" in model.ends:  # a fault at every end is reported at a late one
        kills = [replace(parse_step("kill"), point=it) for it in EARLY_POINTS]
        hello = frames_of(model)[:1]
        news = [step for step in others if step.action != "wait"][:1]
        acts = [*map(parse_step, model.actions[:1])]
        first = [*filter(None, (hello, news, acts))]  # each is killed, and then taken again
        again = [*hello, *news, *acts]
        ends = ([[it], *([*one, it] for one in first), again] for it in kills)
        killed = one_after_the_other([connect, *end] for some in ends for end in some)
        yield [*killed, *_waits_of(model)[:1]]


def _frames(model: type[Model], connect: Step) -> Iterator[list[Step]]:
    """Two awkward frames of each client, and then a known one; then the longest session."""
    frames = frames_of(model)
    known, second = frames[:1], replace(connect, client=2)
    # Empty ones come first in their session. The longest ones come last: a consumer that keeps what
    # it gets may repeat it for ever.
    awkward = sorted(frames, key=lambda it: (it.payload_length > MAX_SHORT, it.payload_length > 0))
    half = (len(awkward) + 1) // 2
    pairs = zip_longest(awkward[:half], awkward[half:], fillvalue=known[0])
    last = [*map(parse_step, model.last_steps)]
    waits = last if all(step.action == "wait" for step in last) else []  # for a late answer
    after = [*_waits_of(model)[:1], *known, *waits]
    visits = [[it, *known, *after] for it in _sockets(model)]
    visits = _repeated([*visits, *([connect, one, two, *after] for one, two in pairs)])
    for some in _chunks(visits, VISITS):  # each of them may read what all earlier ones have saved
        yield [second, *one_after_the_other(some), replace(known[0], client=2)]
    yield [parse_step("keys both"), *one_after_the_other(visits[::7])]
    short = [frame for frame in frames if frame.payload_length <= MAX_SHORT]
    varied = islice(cycle(short), VARIED - REPEATED)
    session = [*frames[:1] * REPEATED, *varied, *frames[:1] * (model.session - VARIED)]
    bursts = enumerate(session[: model.session])
    yield [connect, *(replace(it, together=n % MAX_BURST > 0) for n, it in bursts)]
    # A text may end the connection: then the frames behind it are late.
    late = [*map(parse_step, ("& bytes 00ff", "& text", "& bytes"))]
    late = late if _may_send_anything(model) else []
    ends = map(text_step, model.texts)
    yield one_after_the_other([connect, it, *late, replace(it, together=True)] for it in ends)


def _handshakes(model: type[Model]) -> Iterator[list[Step]]:
    """Each way to connect with each way to leave, and each awkward handshake."""
    hello = frames_of(model)[:1]
    ends = [*map(parse_step, (*model.actions, *model.ends))]
    handshakes = [*map(parse_step, model.handshakes)]
    for kills in (False, True):  # after a kill, less is judged
        hellos = {it: [] if it.kind.is_request else hello for it in handshakes}
        own = [end for end in ends if end.kind.kills is kills]
        visits = [[it, *hellos[it], end] for it in handshakes for end in own]
        if visits:
            yield one_after_the_other(visits if hello or kills else _repeated(visits))
    news = cycle([step for step in _others_of(model) if step.action != "wait"])
    late = [replace(it, arguments={**it.arguments, "answers": LATE}) for it in _sockets(model)]
    wait = parse_step(f"wait {LATE + 1}")  # until a client that was closed has answered
    yield one_after_the_other([it, *hello, *islice(news, 1), wait] for it in late)
    awkward = [step for step in _steps_of_inputs(model) if step.kind.begins]
    steps: list[Step] = []
    for number, step in enumerate(awkward):  # the earlier clients are still there
        client = 1 + number % model.max_clients
        if number >= model.max_clients:
            steps.append(Step("close", {}, client))
        hellos = [] if step.kind.is_request else hello
        steps += [replace(it, client=client) for it in (step, *hellos)]
    if steps:
        yield steps


def _pauses(model: type[Model], connect: Step) -> list[Step]:
    """A client that is idle for a minute and an hour, then another one: what is known stays so.

    Another client only listens.
    """
    minute, hour = (parse_step(f"wait {seconds}") for seconds in model.pauses)
    after = [*frames_of(model)[:1], *_waits_of(model)[:1]]
    probes = [[frame] for frame in frames_of(model)[:3]] or [[]]
    news = cycle([step for step in _others_of(model) if step.action != "wait"])
    visits = []
    for probe in probes:
        first, second, third, last = ([*probe, *islice(news, 1)] for _ in range(4))
        visits += [[connect, *first, minute, *second, hour, *third, *after]]
        visits += [[minute, connect, *last]]
    listener = [replace(connect, client=2)] if model.frames and model.max_clients > 1 else []
    return [*listener, *one_after_the_other(visits)]


def _interference(model: type[Model], connect: Step) -> Iterator[list[Step]]:
    """Two clients: each acts while the other's frame is handled, or at the same time. Or it leaves.

    The first has sent more. So what one keeps outside its own connection is seen, at each point.
    """
    both = [connect, replace(connect, client=2)]
    one, two = (*model.texts, *filter(None, map(model.frame_of, ("hello", "hi"))))[:2]
    for point in range(len(model.points)):
        yield [
            *(*both, text_step(one), text_step(one), replace(text_step(two, 2), point=point)),
            *(text_step(two, 2), replace(text_step(one), point=point)),
        ]
    hello = model.frame_of("hello")
    pairs = ((one, two), (two, one), (one, hello), (hello, one))
    bursts = [
        it for a, b in pairs for it in (text_step(a), replace(text_step(b, 2), together=True))
    ]
    own = [replace(text_step(it), together=True) for it in (one, two, one)]
    bursts = [text_step(one), *own, *bursts]
    for seed in range(1, 1 + len(model.points)):  # it decides how far the one gets before the other
        yield [parse_step(f"seed {seed}"), *both, *bursts]
    ends = zip(cycle(map(parse_step, model.leaves)), range(len(model.points)), strict=False)
    left = ([connect, text_step(one), replace(end, point=point)] for end, point in ends)
    yield [both[1], *one_after_the_other(left), text_step(one, 2)]


def _slow(model: type[Model], connect: Step) -> Iterator[list[Step]]:
    """Time passes at a point of each handler: a query, the layer or the client is slow."""
    hello = frames_of(model)[0]
    second = [replace(it, client=2) for it in (connect, hello, *map(parse_step, model.ends))]
    for point, end in zip(model.points, cycle(second[2:]), strict=False):
        wait = replace(parse_step(f"wait {model.slow}"), point=point)
        acts = connect, *second[:2], hello, end, second[0]
        yield [*(it for act in acts for it in (act, wait)), hello]


def _crowd(model: type[Model], connect: Step) -> list[Step]:
    """More clients than other conversations have: each has its own state, the last one too."""
    ways = cycle(_sockets(model) if model.frames else map(parse_step, model.handshakes))
    comes = [
        connect if model.frames and (client % 3 or client > FEW) else next(ways)
        for client in range(model.crowd)
    ]
    steps = [replace(it, client=client) for client, it in enumerate(comes, 1)]
    if not model.frames:
        return [*steps, *_waits_of(model)]
    texts = [*model.texts, *filter(None, map(model.frame_of, ("hello", "hi")))]
    early = replace(text_step(texts[0]), together=True)
    # Some come at the same time. The first frame of each other one is in the air while the consumer
    # answers its handshake.
    first, rest = steps[:MAX_BURST], steps[MAX_BURST:]
    steps = [replace(step, together=step.client > 1) for step in first]
    steps += [it for step in rest for it in (step, replace(early, client=step.client))]
    speakers = [it for it in range(1, model.crowd + 1) if it <= FEW or it == model.crowd]
    steps += [text_step(text, it) for text, it in zip(cycle(texts), speakers, strict=False)]
    steps += [*_waits_of(model)[:1], Step("close", {}, 1), connect, text_step(texts[0])]
    return [*steps, *(text_step(texts[-1], client) for client in speakers[1:])]


# Random conversations


def _random(model: type[Model], chance: random.Random) -> list[Step]:
    """A setup, then steps of some clients. A client that is not connected connects instead."""
    setup = [*chance.choice(model.setups), *chance.choice(([], [], ["keys both"]))]
    if seed := chance.randint(0, SEEDS):
        setup.append(f"seed {seed}")
    first = sorted(map(parse_step, setup), key=lambda step: not step.kind.is_setup)
    kinds = _kinds_of_action(model)
    handshakes = [*map(parse_step, model.handshakes)]
    awkward = [step for step in _steps_of_inputs(model) if step.kind.begins]
    timings = (*[None] * 8, *["&"] * 3, *model.points)
    steps: list[Step] = []
    connected: set[int] = set()
    burst: list[int | None] = []  # the client of each step in the air
    for _ in range(chance.randint(MIN_ITEMS, MAX_ITEMS)):
        client = chance.randint(1, model.max_clients)
        action, timing = chance.choice(chance.choice(kinds)), chance.choice(timings)
        is_own = action.is_own
        if is_own and client not in connected:
            action = chance.choice(awkward if awkward and chance.random() < 0.2 else handshakes)
        number = client if is_own else action.client
        in_air = (
            timing is not None
            and 0 < len(burst) < MAX_BURST
            and not {action.action, steps[-1].action} & {*_ALONE}
            and not (action.kind.begins and number in burst)
            and not (timing != "&" and number in burst[1:])  # it may not have connected by then
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


@_of_last_model
def _kinds_of_action(model: type[Model]) -> list[list[Step]]:
    """What a client or another process may do. Each kind is as likely as any other."""
    kinds = [[*map(parse_step, it)] for it in (model.ends, model.actions) if it]
    if model.frames:
        meaningful = [*map(text_step, model.texts or ("hello",))]
        kinds += [meaningful, frames_of(model), meaningful]
    if others := _others_of(model):
        kinds += [others] * 2
    return kinds
