"""Tables of what the probes of servers and layers have measured, as NOTES.md shows them."""

from pathlib import Path


def measured_table(columns: dict[str, dict[str, str]]) -> str:
    """A measured table: for each kind of server or layer, the result of each probe by its name."""
    names = next(iter(columns.values()))
    rows = [[name, *(column[name] for column in columns.values())] for name in names]
    lines = [["", *columns], ["---"] * (1 + len(columns)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def read_measured_table(file: Path) -> dict[str, dict[str, str]]:
    """The columns that measured_table() has written to the file."""
    (_, *kinds), _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return {
        kind: {name: cells[number] for name, *cells in rows} for number, kind in enumerate(kinds)
    }
