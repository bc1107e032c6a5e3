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
    """All figures, as lines of text."""
    lines = [
        f"{'':<36}{'clients':>8}{'last delivery':>16}{'growth':>9}{'deliveries':>13}{'lost':>8}",
        f"{'':<36}{'':>8}{'ms':>16}{'times':>9}{'1/s':>13}{'':>8}",
    ]
    for setup, own in by_setup(rows).items():
        lines.append("")
        for row in own:
            growth = f"{row['growth']:.1f}" if row["growth"] else ""
            title = setup if row is own[0] else ""
            lines.append(
                f"{title:<36}{row['clients']:>8}{row['ms']:>16.1f}{growth:>9}"
                f"{row['deliveries_per_second']:>13}{row['lost']:>8.1%}"
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
