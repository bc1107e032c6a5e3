"""The tables of figures in NOTES.md, from what `manage.py bench` has kept in .workshop/bench/.

`python3 -m lessons.workshop.authoring.notes --figures` writes them.
No test compares them: another machine has other figures.
"""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

SERVER_NAMES = {"daphne": "Daphne", "uvicorn": "uvicorn"}


def _measured(name: str) -> tuple[dict, str]:
    """The figures of `manage.py bench NAME`, and a sentence that says where and when it ran."""
    file = settings.STATE_DIR / "bench" / f"{name}.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    day = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%d %B %Y").lstrip("0")
    return figures, (
        f"`manage.py bench {name}`, {day}, Python {figures['python']} on {platform.system()}, "
        f"{os.cpu_count()} cores of {_processor()}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.M)
    return found[1] if found else platform.machine()


def _table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _cells(row: dict, names: str) -> list:
    return [row[name] for name in names.split()]


def _echo() -> str:
    figures, conditions = _measured("echo")
    rows = [
        [
            *(row["what"], SERVER_NAMES[row["server"]], f"{row['ratio']:.2f}"),
            *_cells(row, "many_per_second processor_us connects_per_second"),
        ]
        for row in figures["rows"]
        if "recorder" not in row["what"]
    ]
    head = ["one process", "server", "share", "echoes/s", "CPU µs each", "connects/s"]
    return f"{_table(head, rows)}\n\n{conditions}"


def _fanout() -> str:
    figures, conditions = _measured("fanout")
    names = "layer processes clients ms deliveries_per_second"
    rows = sorted([*_cells(row, names), f"{row['lost']:.0%}"] for row in figures["rows"])
    head = ["channel layer", "processes", "clients", "ms to the last", "deliveries/s", "lost"]
    return f"{_table(head, rows)}\n\n{conditions}"


def _soak() -> str:
    figures, conditions = _measured("chat")
    figures = figures["soak"]
    first, number = figures["rows"][0], figures["connections"]
    rows = [
        [
            *_cells(row, "when tasks threads groups blocks memory_mb"),
            f"{1000 * (row['memory_mb'] - first['memory_mb']) / number:.0f}",
        ]
        for row in figures["rows"]
    ]
    head = ["when", "tasks", "threads", "groups", "blocks in use", "memory MB", "kB a connection"]
    title = f"{number} connections to the worked example of `{figures['lesson']}`, on Daphne:"
    return f"{title}\n\n{_table(head, rows)}\n\n{conditions}"


def _storm() -> str:
    figures, conditions = _measured("storm")
    rows = [
        [
            *_cells(row, "storm members"),
            *(f"{row[name]:.1f}" for name in ("ready_s", "complete_s", "cpu_s")),
            *_cells(row, "lost_handshakes wrong_messages"),
        ]
        for row in figures["rows"]
    ]
    head = ["storm", "members", "ready s", "list complete s", "CPU s"]
    head += ["lost handshakes", "wrong messages"]
    return f"{_table(head, rows)}\n\n{conditions}"


def _sizing() -> str:
    """How much one process carries at half its load, from the three benchmarks."""
    (echoes, _), (rooms, _), (stay, _) = _measured("echo"), _measured("fanout"), _measured("chat")
    stay = stay["soak"]
    by_shape = {(row["server"], row["what"]): row for row in echoes["rows"]}
    rows = []
    for server, name in SERVER_NAMES.items():
        one = by_shape[server, "AsyncConsumer"]
        rows += [
            [f"events a second, an AsyncConsumer on {name}", one["many_per_second"] // 2],
            [f"handshakes a second, on {name}", one["connects_per_second"] // 2],
        ]
    for row in rooms["rows"]:
        if (
            "tutorial" not in row["layer"]
            and row["processes"] == 1
            and row["clients"] in (100, 1000)
        ):
            name = f"messages a second to a room of {row['clients']}, {row['layer']}, on Daphne"
            rows.append([name, round(row["deliveries_per_second"] / row["clients"] / 2, 1)])
    first, connected = stay["rows"][:2]
    each = (connected["memory_mb"] - first["memory_mb"]) / stay["connections"]
    rows.append(["MB of memory for 1,000 idle connections, on Daphne", round(1000 * each)])
    return _table(["one process, at half its load", "carries"], rows)


FIGURES = {
    "figures-sizing": _sizing,
    "figures-echo": _echo,
    "figures-fanout": _fanout,
    "figures-soak": _soak,
    "figures-storm": _storm,
}
