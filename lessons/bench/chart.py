"""Charts as SVG pictures: plain text, light or dark as the reader's system is."""

from html import escape
from math import floor, log10

LABELS, BARS, LINE, TOP, LEFT = 240, 400, 22, 40, 12  # pixels
SCALE, WIDE, HIGH = 70, 320, 300  # of a chart of lines: the scale's labels, and the lines

STYLE = """
:root { --paper: #fdfcfa; --ink: #1f2328; --quiet: #59616b; --line: #d9d5cd;
        --first: #0b5d66; --second: #9a4a06; --third: #6a3d9a; --fourth: #a02050; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e4e6e8; --quiet: #9aa4ae; --line: #33393f;
          --first: #6cc7d1; --second: #f0a868; --third: #c3a6e8; --fourth: #f29bb5; }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.quiet { fill: var(--quiet); }
.grid { stroke: var(--quiet); stroke-width: 0.3; }
.paper { fill: var(--paper); }
.first { fill: var(--first); }
.second { fill: var(--second); }
.third { fill: var(--third); }
.fourth { fill: var(--fourth); }
polyline { stroke-width: 2; }
polyline.first { stroke: var(--first); fill: none; }
polyline.second { stroke: var(--second); fill: none; }
polyline.third { stroke: var(--third); fill: none; }
polyline.fourth { stroke: var(--fourth); fill: none; }
.dashed { stroke-dasharray: 6 4; }
"""
COLOURS = ("first", "second", "third", "fourth")


def bars(title: str, rows: list[dict]) -> str:
    """A bar for each row's `ratio`, in the colour of its `server`, with the words of `what`."""
    longest = max(row["ratio"] for row in rows)
    colours = dict(zip(dict.fromkeys(row["server"] for row in rows), COLOURS, strict=False))
    parts, y, server = [], TOP, None
    for row in rows:
        if row["server"] != server:
            server = row["server"]
            parts.append(_text(LEFT, y + 14, server, "quiet"))
            y += LINE
        width = max(1, round(BARS * row["ratio"] / longest))
        parts.append(_text(LABELS - 8, y + 14, row["what"], anchor="end"))
        parts.append(
            f'<rect class="{colours[server]}" x="{LABELS}" y="{y + 3}" width="{width}" '
            f'height="{LINE - 7}"/>'
        )
        parts.append(_text(LABELS + width + 6, y + 14, f"{row['ratio']:.2f}"))
        y += LINE
    return _picture(title, parts, LABELS + BARS + 50, y + 8)


def lines(title: str, series: list[dict], across: str) -> str:
    """A line for each of `series`, on scales where ten times as much is always the same step.

    Each has `points`, pairs of numbers, a `what`, a `colour` number, and `dashed` or not. `across`
    says what the first numbers of the pairs are.
    """
    xs = sorted({x for one in series for x, _ in one["points"]})
    ys = _powers([y for one in series for _, y in one["points"]])
    left, bottom = SCALE, TOP + HIGH

    def place(x, y):
        return (
            left + round(WIDE * _part(x, xs[0], xs[-1])),
            bottom - round(HIGH * _part(y, ys[0], ys[-1])),
        )

    parts = []
    for x in xs:
        parts.append(_text(place(x, ys[0])[0], bottom + 18, f"{x:g}", "quiet", "middle"))
    for y in ys:
        height = place(xs[0], y)[1]
        parts.append(f'<path class="grid" d="M{left} {height}H{left + WIDE}"/>')
        parts.append(_text(left - 8, height + 4, f"{y:g} ms", "quiet", "end"))
    parts.append(_text(left + WIDE // 2, bottom + 38, across, "quiet", "middle"))
    label = TOP
    for one in sorted(series, key=lambda one: -one["points"][-1][1]):  # the words as the ends are
        places = [place(*point) for point in one["points"]]
        colour = COLOURS[one["colour"]]
        kind = f"{colour} dashed" if one["dashed"] else colour
        dots = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline class="{kind}" points="{dots}"/>')
        label = max(label, places[-1][1] + 4)
        parts.append(_text(left + WIDE + 10, label, one["what"], colour))
        label += LINE - 4
    return _picture(title, parts, left + WIDE + LABELS + 60, bottom + 50)


def _part(value: float, low: float, high: float) -> float:
    return log10(value / low) / log10(high / low)


def _powers(values: list[float]) -> list[float]:
    """The powers of ten that hold all the values between them."""
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
