"""Where the three channel layers differ: `python -m tests.redis.differences` measures it anew.

The table is lesson 13's, which shows it; a test holds it against the layers, line by line.
"""

import asyncio
import sys

from lessons.core.catalogue import COURSE_DIR
from lessons.core.redis_server import RedisServer, RedisUnavailable
from tests.support.redis.layer_probes import LINES
from tests.support.redis.redis_layers import KINDS, Layers

FILE = COURSE_DIR / "13_delivery" / "layers.md"


async def measured(kind: str, redis_url: str) -> dict[str, str]:
    """One column of the table: the entry for each line."""
    column = {}
    for line in LINES:
        async with Layers(kind, redis_url) as layers:
            column[line.__doc__] = await line(layers)
    return column


def table(columns: dict[str, dict[str, str]]) -> str:
    """The columns as Markdown."""
    rows = [["", *columns], ["---"] * (1 + len(columns))]
    rows += [
        [line.__doc__, *(column[line.__doc__] for column in columns.values())] for line in LINES
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def read(text: str) -> dict[str, dict[str, str]]:
    """The columns of such a table."""
    (_, *kinds), _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()
    )
    return {
        kind: {name: cells[number] for name, *cells in rows} for number, kind in enumerate(kinds)
    }


async def main() -> None:
    """Measure all there is to measure, and write the table."""
    with RedisServer() as server:
        columns = {kind: await measured(kind, server.url) for kind in KINDS}
    FILE.write_text(table(columns), encoding="utf-8")
    print(table(columns), end="")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except RedisUnavailable as error:
        sys.exit(str(error))
