"""The report of `bench all` as one page: no script, no other file, light or dark as the system."""

from html import escape

from lessons.bench.chart import STYLE

LAYOUT = """
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
       max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { min-width: 6rem; padding: 0.25rem 1rem 0.25rem 0; text-align: left;
         border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
svg { display: block; max-width: 44rem; min-width: 34rem; margin: 1.5rem 0; }
pre { font-size: 13px; line-height: 1.4; }
summary { cursor: pointer; }
.wrong { color: var(--second); }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(machine: dict, parts: list) -> str:
    """HTML of all parts; of those that were left out, the reason."""
    facts = " · ".join(f"{escape(name)} {escape(str(value))}" for name, value in machine.items())
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            "<title>What it costs</title>",
            f"<style>{STYLE}{LAYOUT}</style>\n</head>\n<body>\n<h1>What it costs</h1>",
            f"<p>{facts}</p>",
            "<p>Each figure stands beside its peer from the same run. The ratio says more than the "
            "figure: both met the same machine.</p>",
            *(_section(part) for part in parts),
            "</body>\n</html>\n",
        ]
    )


def _section(part) -> str:
    name = part.benchmark.name
    lines = [f'<section id="{name}">', f"<h2>{name}: {escape(part.benchmark.says)}</h2>"]
    if part.report is None:
        why = part.broken or f"Left out: {part.lacking}"
        return "\n".join([*lines, f'<p class="wrong">{escape(why)}</p>', "</section>"])
    report = part.report
    if report.fault:
        lines.append(f'<p class="wrong">{escape(report.fault)}</p>')
    if report.beside:
        lines.append(_table(report.beside))
    figures = f'<div class="scroll" tabindex="0"><pre>{escape(report.table)}</pre></div>'
    return "\n".join(
        [
            *lines,
            f'<div class="scroll" tabindex="0">{report.picture}</div>' if report.picture else "",
            f"<details><summary>All figures; they took {part.seconds:.0f} s</summary>",
            f"{figures}</details></section>",
        ]
    )


def _table(beside: list) -> str:
    head = "".join(
        f"<th{kind}>{words}</th>"
        for words, kind in [
            ("what", ""),
            ("here", ' class="number"'),
            ("beside", ""),
            ("there", ' class="number"'),
            ("times", ' class="number"'),
        ]
    )
    rows = "\n".join(
        f"<tr><td>{escape(one.what)}</td>{_number(_figure(one.value, one.unit))}"
        f"<td>{escape(one.peer)}</td>{_number(_figure(one.peer_value, one.unit))}"
        f"{_number(f'{one.ratio:.2f}')}</tr>"
        for one in beside
    )
    return (
        f'<div class="scroll" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _number(words: str) -> str:
    return f'<td class="number">{escape(words)}</td>'


def _figure(value: float, unit: str) -> str:
    """Three digits that count, and no power of ten."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
