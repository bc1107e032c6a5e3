"""Charts as SVG pictures. They are light or dark, as the reader's system is."""

from html import escape
from math import floor, log10
from pathlib import Path

# Sizes in pixels. The first line is for both charts, the second for a chart of lines.
LABEL_WIDTH, BAR_WIDTH, LINE_HEIGHT, TOP, LEFT = 240, 400, 22, 40, 12
SCALE_WIDTH, PLOT_WIDTH, PLOT_HEIGHT = 70, 320, 300

STYLE = Path(__file__).with_name("chart.css").read_text(encoding="utf-8")
COLOURS = ("first", "second", "third", "fourth", "fifth")


def bars(title: str, rows: list[dict]) -> str:
    """A bar for each row's `ratio`, in the colour of its `server`, labelled with its `what`."""
    longest = max(row["ratio"] for row in rows)
    colours = dict(zip(dict.fromkeys(row["server"] for row in rows), COLOURS, strict=False))
    parts, y, server = [], TOP, None
    for row in rows:
        if row["server"] != server:
            server = row["server"]
            parts.append(_text(LEFT, y + 14, server, "quiet"))
            y += LINE_HEIGHT
        width = max(1, round(BAR_WIDTH * row["ratio"] / longest))
        parts.append(_text(LABEL_WIDTH - 8, y + 14, row["what"], anchor="end"))
        parts.append(
            f'<rect class="{colours[server]}" x="{LABEL_WIDTH}" y="{y + 3}" width="{width}" '
            f'height="{LINE_HEIGHT - 7}"/>'
        )
        parts.append(_text(LABEL_WIDTH + width + 6, y + 14, f"{row['ratio']:.2f}"))
        y += LINE_HEIGHT
    return _picture(title, parts, LABEL_WIDTH + BAR_WIDTH + 50, y + 8)


def lines(title: str, series: list[dict], x_label: str) -> str:
    """A line for each of `series`, on two logarithmic scales.

    Each has `points` (pairs of numbers), a label `what`, the number of its `colour`, and `dashed`.
    `x_label` says what the first numbers of the pairs are.
    """
    xs = sorted({x for one in series for x, _ in one["points"]})
    ys = _powers([y for one in series for _, y in one["points"]])
    left, bottom = SCALE_WIDTH, TOP + PLOT_HEIGHT

    def place(x, y):
        return (
            left + round(PLOT_WIDTH * _share(x, xs[0], xs[-1])),
            bottom - round(PLOT_HEIGHT * _share(y, ys[0], ys[-1])),
        )

    parts = []
    for x in xs:
        parts.append(_text(place(x, ys[0])[0], bottom + 18, f"{x:g}", "quiet", "middle"))
    for y in ys:
        height = place(xs[0], y)[1]
        parts.append(f'<path class="grid" d="M{left} {height}H{left + PLOT_WIDTH}"/>')
        parts.append(_text(left - 8, height + 4, f"{y:g} ms", "quiet", "end"))
    parts.append(_text(left + PLOT_WIDTH // 2, bottom + 38, x_label, "quiet", "middle"))
    label = TOP  # labels stand in the order in which the lines end, and do not overlap
    for one in sorted(series, key=lambda one: -one["points"][-1][1]):
        places = [place(*point) for point in one["points"]]
        colour = COLOURS[one["colour"]]
        kind = f"{colour} dashed" if one["dashed"] else colour
        dots = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline class="{kind}" points="{dots}"/>')
        label = max(label, places[-1][1] + 4)
        parts.append(_text(left + PLOT_WIDTH + 10, label, one["what"], colour))
        label += LINE_HEIGHT - 4
    return _picture(title, parts, left + PLOT_WIDTH + LABEL_WIDTH + 60, bottom + 50)


def _share(value: float, low: float, high: float) -> float:
    return log10(value / low) / log10(high / low)


def _powers(values: list[float]) -> list[float]:
    """The powers of ten from below the smallest value to above the largest."""
    powers = [10.0 ** floor(log10(min(values)))]
    while powers[-1] < max(values) or len(powers) == 1:
        powers.append(powers[-1] * 10)
    return powers


def _picture(title: str, parts: list[str], width: int, height: int) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            _text(LEFT, 24, title),
            *parts,
            "</svg>\n",
        ]
    )


def _text(x: int, y: int, words: str, kind: str = "", anchor: str = "start") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'
