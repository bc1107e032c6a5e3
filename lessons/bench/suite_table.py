"""What `bench suite` says: the slowest modules first, each beside the start of plain pytest."""

from lessons.bench.report import Beside
from lessons.bench.suite import Figures

SHOWN = 15  # modules in the picture
PEER = "plain pytest, one empty test"


def figures_of(figures: Figures) -> dict:
    return {
        "said": figures.said,
        "seconds": round(figures.seconds, 2),
        "processor_seconds": round(figures.processor, 2),
        "start_seconds": round(figures.start_seconds, 3),
        "start_processor_seconds": round(figures.start_processor, 3),
        "rows": rows_of(figures),
    }


def rows_of(figures: Figures) -> list[dict]:
    """A row for each module, the one that takes most of the processor first."""
    return [
        {
            "module": name,
            "tests": times["tests"],
            "seconds": round(times["seconds"], 2),
            "processor_seconds": round(times["processor"], 2),
            "ratio": round(times["processor"] / figures.start_processor, 2),
        }
        for name, times in sorted(figures.modules.items(), key=_most_first)
    ]


def _most_first(item) -> float:
    _, times = item
    return -times["processor"]


def table_of(figures: Figures) -> str:
    """All figures, as lines of text."""
    lines = [
        f"{'':<52}{'tests':>6}{'wall':>9}{'CPU':>9}{'starts':>8}",
        f"{PEER:<52}{1:>6}{figures.start_seconds:>7.2f} s{figures.start_processor:>7.2f} s"
        f"{1:>8.2f}",
    ]
    lines += [
        f"{row['module'].removeprefix('tests/'):<52}{row['tests']:>6}{row['seconds']:>7.2f} s"
        f"{row['processor_seconds']:>7.2f} s{row['ratio']:>8.2f}"
        for row in rows_of(figures)
    ]
    whole = f"{'the whole run':<52}{'':>6}{figures.seconds:>7.2f} s{figures.processor:>7.2f} s"
    return "\n".join([*lines, whole, figures.said])


def beside(figures: Figures) -> list[Beside]:
    tests = sum(times["tests"] for times in figures.modules.values())
    peers = [(PEER, figures.start_seconds, "s"), (PEER, figures.start_processor, "s of CPU")]
    return [
        Beside(f"{tests} tests, {what}", value, *peer)
        for (what, value), peer in zip(
            [("wall clock", figures.seconds), ("processor", figures.processor)], peers, strict=True
        )
    ] + [
        Beside("one test, on average", figures.processor / max(tests, 1), *peers[1]),
    ]


def bars_of(figures: Figures) -> list[dict]:
    return [
        {"server": "the slowest modules", "what": row["module"].rpartition("/")[2], **row}
        for row in rows_of(figures)[:SHOWN]
    ]
