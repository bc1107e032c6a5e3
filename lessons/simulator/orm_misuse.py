"""How code asked the database where it may not: what was misunderstood shows in the traceback."""

import ast
import linecache
import traceback
from functools import lru_cache

_WRAPPERS = ("database_sync_to_async", "sync_to_async")
# Methods of a queryset that a line calls without naming them.
_LAZY = ("__iter__", "__len__", "__bool__", "__getitem__", "__contains__")


def how_it_asked(file: str, error: BaseException) -> str:
    """Id of the diagnosis for a query that async code of `file` has made."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename == file]
    if not own:
        return "orm-in-async"
    if any(_is_called_in_place_of_passed(file, frames[number]) for number in own):
        return "called-not-passed"
    called = frames[own[-1] + 1] if own[-1] + 1 < len(frames) else None
    if called and called.name == "__get__" and called.filename.endswith("related_descriptors.py"):
        return "unfetched-relation"
    if called and called.name in _LAZY and called.filename.endswith("query.py"):
        return "lazy-queryset"
    return "orm-in-async"


def _is_called_in_place_of_passed(file: str, frame: traceback.FrameSummary) -> bool:
    """Whether the call at work there is what database_sync_to_async(...) was given."""
    return (frame.lineno, frame.colno) in _given_calls("".join(linecache.getlines(file)))


@lru_cache(maxsize=8)
def _given_calls(source: str) -> set[tuple[int, int]]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if (
            not isinstance(node, ast.Call)
            or not node.args
            or not isinstance(node.args[0], ast.Call)
        ):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in _WRAPPERS:
            found.add((node.args[0].lineno, node.args[0].col_offset))
    return found
