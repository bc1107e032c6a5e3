"""What `bench echo` says: rows, the ratios that lesson 10 speaks of, and a table in plain text."""

from statistics import median, quantiles

from lessons.bench.echo import BARE, MANY, SERVERS, SHAPES, Figures
from lessons.bench.report import Beside

All = dict[tuple[str, str], Figures]
PEERS = [  # a shape, and the one that it is held against
    ("/async", BARE),
    ("/lean", BARE),
    ("/async", "/generic"),
    ("/lean", "/generic"),
    ("/sync", "/async"),
    ("/recorded", "/async"),
]


def rows_of(figures: All) -> list[dict]:
    """A row for each shape on each server: medians over the rounds.

    `ratio` is the median of the rounds' own ratios to the bare function on Daphne: within a round,
    both met about the same load.
    """
    return [
        {
            "server": server,
            "what": SHAPES[path],
            "ratio": round(ratio(figures, (server, path), ("daphne", BARE)), 3),
            "many_per_second": round(median(one.many)),
            "p50_ms": round(median(one.times) * 1000, 2),
            "p99_ms": round(quantiles(one.times, n=100)[98] * 1000, 2),
            "processor_us": round(1e6 * _processor(figures, path, server)),
            "one_per_second": round(median(one.one)),
            "connects_per_second": round(median(one.handshakes)),
        }
        for server in SERVERS
        for path in SHAPES
        for one in [figures[server, path]]
    ]


def beside(rows: list[dict]) -> list[Beside]:
    """Raw consumers beside a bare function and Channels' generic ones, on each server."""
    rates = {(row["server"], row["what"]): row["many_per_second"] for row in rows}
    return [
        Beside(
            f"{SHAPES[shape]}, {server}",
            rates[server, SHAPES[shape]],
            SHAPES[peer],
            rates[server, SHAPES[peer]],
            "/s",
        )
        for server in SERVERS
        for shape, peer in PEERS
    ]


def ratio(figures: All, above: tuple[str, str], below: tuple[str, str]) -> float:
    """How many times as many round trips a second, with many clients."""
    pairs = zip(figures[above].many, figures[below].many, strict=True)
    # On a machine that is busy enough, nothing comes back in a whole turn.
    return median(mine / theirs for mine, theirs in pairs if theirs)


def facts_of(figures: All) -> dict[str, float]:
    """The ratios that the lesson speaks of, all on Daphne with many clients."""
    wanted = {
        "lean / bare": ("/lean", BARE),
        "lean / AsyncConsumer": ("/lean", "/async"),
        "recorder off / AsyncConsumer": ("/unheard", "/async"),
        "recorder on / AsyncConsumer": ("/recorded", "/async"),
    }
    facts = {
        words: ratio(figures, ("daphne", above), ("daphne", below))
        for words, (above, below) in wanted.items()
    }
    # Hardly touched by what else the machine does, which a rate is.
    facts["AsyncConsumer / lean, processor time"] = _processor(figures, "/async") / _processor(
        figures, "/lean"
    )
    facts["the hop's part of what AsyncConsumer adds"] = _part_of_the_hop(figures)
    return {words: round(value, 3) for words, value in facts.items()}


def _processor(figures: All, path: str, server: str = "daphne") -> float:
    """Seconds of the processor that the server takes for a round trip."""
    one = figures[server, path]
    return sum(one.processor) / one.trips


def _part_of_the_hop(figures: All) -> float:
    """Of the time that AsyncConsumer adds to a round trip, the part that a lean one is spared."""
    plain, lean = (
        1 / ratio(figures, ("daphne", path), ("daphne", BARE)) for path in ("/async", "/lean")
    )
    return (plain - lean) / (plain - 1)


def table_of(rows: list[dict], facts: dict[str, float]) -> str:
    """All figures, as lines of text."""
    lines = [
        f"{'':<31}{'share':>6}{f'{MANY} clients':>12}{'p50':>8}{'p99':>8}{'CPU':>7}"
        f"{'1 client':>10}{'connects':>10}",
        f"{'':<31}{'':>6}{'1/s':>12}{'ms':>8}{'ms':>8}{'µs':>7}{'1/s':>10}{'1/s':>10}",
    ]
    for server in SERVERS:
        lines += ["", server]
        lines += [
            f"{row['what']:<31}{row['ratio']:>6.2f}{row['many_per_second']:>12}"
            f"{row['p50_ms']:>8.2f}{row['p99_ms']:>8.2f}{row['processor_us']:>7}"
            f"{row['one_per_second']:>10}{row['connects_per_second']:>10}"
            for row in rows
            if row["server"] == server
        ]
    return "\n".join([*lines, "", *(f"{words:<43}{value:>5.2f}" for words, value in facts.items())])
