"""A bar chart as an SVG picture: plain text, light or dark as the reader's system is."""

from html import escape

LABELS, BARS, LINE, TOP, LEFT = 240, 400, 22, 40, 12  # pixels

STYLE = """
:root { --paper: #fdfcfa; --ink: #1f2328; --quiet: #59616b; --daphne: #0b5d66; --uvicorn: #9a4a06; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e4e6e8; --quiet: #9aa4ae; --daphne: #6cc7d1;
          --uvicorn: #f0a868; }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.quiet { fill: var(--quiet); }
.paper { fill: var(--paper); }
.daphne { fill: var(--daphne); }
.uvicorn { fill: var(--uvicorn); }
"""


def bars(title: str, rows: list[dict]) -> str:
    """A bar for each row's `ratio`, in the colour of its `server`, with the words of `what`."""
    longest = max(row["ratio"] for row in rows)
    parts, y, server = [], TOP, None
    for row in rows:
        if row["server"] != server:
            server = row["server"]
            parts.append(_text(LEFT, y + 14, server, "quiet"))
            y += LINE
        width = max(1, round(BARS * row["ratio"] / longest))
        parts.append(_text(LABELS - 8, y + 14, row["what"], anchor="end"))
        parts.append(
            f'<rect class="{server}" x="{LABELS}" y="{y + 3}" width="{width}" height="{LINE - 7}"/>'
        )
        parts.append(_text(LABELS + width + 6, y + 14, f"{row['ratio']:.2f}"))
        y += LINE
    width = LABELS + BARS + 50
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 8}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{y + 8}"/>',
            _text(LEFT, 24, title),
            *parts,
            "</svg>\n",
        ]
    )


def _text(x: int, y: int, words: str, kind: str = "", anchor: str = "start") -> str:
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'
