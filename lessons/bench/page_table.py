"""What `bench page` says: a row for each page, what a browser makes of one, and a table of both."""

from statistics import median

from lessons.bench.page import BARE, Figures
from lessons.bench.report import Beside

LONG = 0.05  # seconds: a task that takes longer is a frame that one sees missing


def rows_of(figures: Figures) -> list[dict]:
    """A row for each page. `ratio` says how many bare views it is worth, in processor time."""
    bare = median(figures.own[BARE])
    return [
        {
            "server": "lessons" if path.startswith("/lessons/") else "other pages",
            "what": path.strip("/").removeprefix("lessons/") or "list",
            "ratio": round(median(figures.own[path]) / bare, 2),
            "own_ms": round(median(figures.own[path]) * 1000, 1),
            "median_ms": round(median(figures.waited[path]) * 1000, 1),
            "min_ms": round(min(figures.waited[path]) * 1000, 1),
            "kilobytes": round(size / 1000, 1),
        }
        for path, size in figures.sizes.items()
    ]


def facts_of(figures: Figures) -> dict[str, float | int | bool]:
    """What a browser makes of a page, and the socket that it watches of being watched."""
    (_, unwatched), *watched = figures.echoes.items()
    facts = {
        f"echoes a second, {what} / nobody": _ratio(rates, unwatched) for what, rates in watched
    }
    (_, used), *more = figures.processor.items()
    facts |= {f"processor time, {what} / nobody": _ratio(times, used) for what, times in more}
    return facts | {
        "events of the echo not sent to the page": figures.echo_dropped,
        "of a burst not sent": figures.burst_dropped,
        "the page tells of the gap": figures.tells_of_gap,
        "events drawn": figures.drawn,
        "longest task meanwhile, ms": _ms(max(task.seconds for task in figures.tasks)),
        "of the processor, ms": _ms(max(task.processor for task in figures.tasks)),
        "tasks over 50 ms": sum(task.seconds > LONG for task in figures.tasks),
        "of the processor": sum(task.processor > LONG for task in figures.tasks),
    }


def beside(figures: Figures) -> list[Beside]:
    """The slowest lesson beside an empty view, and the watched echo beside one unwatched."""
    lessons = [path for path in figures.sizes if path.startswith("/lessons/")]
    slowest = max(lessons, key=lambda path: median(figures.own[path]))
    (nobody, unwatched), *watched = figures.echoes.items()
    return [
        Beside(
            f"the slowest page, {slowest.removeprefix('/lessons/').strip('/')}",
            round(median(figures.own[slowest]) * 1000, 1),
            "a view of nothing",
            round(median(figures.own[BARE]) * 1000, 2),
            "ms",
        ),
        *(
            Beside(what, round(median(rates)), nobody, round(median(unwatched)), "echoes/s")
            for what, rates in watched
        ),
    ]


def _ratio(some: list[float], others: list[float]) -> float:
    """The median of the rounds' own ratios: within a round, both met about the same load."""
    pairs = zip(some, others, strict=True)
    return round(median(mine / theirs for mine, theirs in pairs if theirs), 3)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def table_of(rows: list[dict], facts: dict) -> str:
    """All figures, as lines of text."""
    lines = [
        f"{'':<24}{'own':>8}{'bare = 1':>9}{'median':>10}{'min':>8}{'loads':>9}",
        f"{'':<24}{'ms':>8}{'':>9}{'ms':>10}{'ms':>8}{'kB':>9}",
    ]
    for row in rows:
        lines.append(
            f"{row['what']:<24}{row['own_ms']:>8.1f}{row['ratio']:>9.1f}{row['median_ms']:>10.1f}"
            f"{row['min_ms']:>8.1f}{row['kilobytes']:>9.1f}"
        )
    return "\n".join([*lines, "", *(f"{words:<56}{_said(it):>9}" for words, it in facts.items())])


def _said(value: float | int | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
