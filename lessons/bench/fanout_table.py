"""What `bench fanout` says: rows, how the time grows, and a table in plain text."""

from statistics import median

from lessons.bench.fanout import TUTORIAL, All
from lessons.bench.report import Beside


def rows_of(figures: All) -> list[dict]:
    """A row for each layer, number of processes and number of clients: medians over the rounds.

    `growth` is how many times as long it takes as with the next smaller room.
    """
    rows, last = [], {}
    for (layer, processes, clients), one in sorted(figures.items(), key=_smaller_rooms_first):
        seconds = median(one.seconds)
        shorter = last.get((layer, processes))
        rows.append(
            {
                "layer": layer,
                "processes": processes,
                "clients": clients,
                "ms": round(1000 * seconds, 2),
                "growth": round(seconds / shorter, 2) if shorter else None,
                "deliveries_per_second": round(median(one.delivered) / seconds),
                "lost": round(1 - sum(one.delivered) / (clients * len(one.delivered)), 4),
            }
        )
        last[layer, processes] = seconds
    return rows


def _smaller_rooms_first(item) -> int:
    (_, _, clients), _ = item
    return clients


def title_of(row: dict) -> str:
    """The layer, and what the picture has to say of it besides."""
    processes = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
    lost = f", {row['lost']:.0%} lost" if row["lost"] else ""
    return f"{row['layer']}, {processes}{lost}"


def beside(rows: list[dict]) -> list[Beside]:
    """The fullest rooms, each beside the tutorial's."""
    fullest = max(row["clients"] for row in rows)
    last = [row for row in rows if row["clients"] == fullest]
    peers = [row for row in last if row["layer"] == TUTORIAL]
    return [
        Beside(f"{title_of(row)}, {fullest} clients", row["ms"], TUTORIAL, peer["ms"], "ms")
        for peer in peers
        for row in last
        if row is not peer
    ]


def table_of(rows: list[dict]) -> str:
    """All figures, as lines of text that a phone has room for."""
    lines = [
        f"{'clients':>7}{'last':>9}{'growth':>8}{'deliveries':>12}{'lost':>7}",
        f"{'':>7}{'ms':>9}{'times':>8}{'1/s':>12}",
    ]
    for setup, own in by_setup(rows).items():
        lines += ["", setup]
        for row in own:
            growth = f"{row['growth']:.1f}" if row["growth"] else ""
            lines.append(
                f"{row['clients']:>7}{row['ms']:>9.1f}{growth:>8}"
                f"{row['deliveries_per_second']:>12}{row['lost']:>7.1%}"
            )
    return "\n".join(lines)


def series_of(rows: list[dict]) -> list[dict]:
    """The lines of the chart: a colour for each layer, dashes for two processes."""
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    return [
        {
            "what": title_of(own[-1]),
            "points": [(row["clients"], row["ms"]) for row in own],
            "colour": layers.index(own[0]["layer"]),
            "dashed": own[0]["processes"] > 1,
        }
        for own in by_setup(rows).values()
    ]


def by_setup(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows of each layer and number of processes, by their name."""
    setups: dict[str, list[dict]] = {}
    for row in rows:
        setups.setdefault(title_of({**row, "lost": 0}), []).append(row)
    return setups
