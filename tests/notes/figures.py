"""The tables of figures in NOTES.md, out of what `manage.py bench` has kept in .workshop/bench/.

`python -m tests.notes.parts --figures` puts those of this machine there. No test looks at them:
on another machine they are others.
"""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings


def kept(name: str) -> tuple[dict, str]:
    """What `manage.py bench NAME` has kept, and a sentence that says where and when it was."""
    file = settings.STATE_DIR / "bench" / f"{name}.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    day = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%d %B %Y").lstrip("0")
    return figures, (
        f"`manage.py bench {name}`, {day}, Python {figures['python']} on {platform.system()}, "
        f"{os.cpu_count()} cores of {_processor()}, with other work on the machine."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.M)
    return found[1] if found else platform.machine()


def _table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def echo() -> str:
    figures, where = kept("echo")
    rows = [
        [
            row["what"],
            row["server"],
            f"{row['ratio']:.2f}",
            row["many_per_second"],
            row["processor_us"],
            row["connects_per_second"],
        ]
        for row in figures["rows"]
        if "recorder" not in row["what"]
    ]
    head = ["one process", "server", "share", "echoes/s", "CPU µs each", "connects/s"]
    return f"{_table(head, rows)}\n\n{where}"


def fanout() -> str:
    figures, where = kept("fanout")
    rows = [
        [
            row["layer"],
            row["processes"],
            row["clients"],
            row["ms"],
            row["deliveries_per_second"],
            f"{row['lost']:.0%}",
        ]
        for row in figures["rows"]
    ]
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    head = ["channel layer", "processes", "clients", "ms to the last", "deliveries/s", "lost"]
    return f"{_table(head, rows)}\n\n{where}"


def soak() -> str:
    figures, where = kept("soak")
    first, number = figures["rows"][0], figures["connections"]
    rows = [
        [
            row["when"],
            row["tasks"],
            row["threads"],
            row["groups"],
            row["memory_mb"],
            f"{1000 * (row['memory_mb'] - first['memory_mb']) / number:.0f}",
        ]
        for row in figures["rows"]
    ]
    head = ["when", "tasks", "threads", "groups", "memory MB", "kB a connection"]
    title = f"{number} connections to the worked example of `{figures['lesson']}`, on Daphne:"
    return f"{title}\n\n{_table(head, rows)}\n\n{where}"
