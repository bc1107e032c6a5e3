"""Finds the texts that a submission's code mentions, so that a client can send them.

Code may treat one text in its own way: `if text == "reset"`. Or a text may name a method: `_reset`.
A generated conversation cannot guess that text. The source has it.
"""

import ast

MAX_TEXTS = 12
MAX_LENGTH = 100  # characters of one text


def texts_in(source: str) -> list[str]:
    """The texts of comparisons, match cases, tables, routes and salts of the source, in order.

    Then the names of its methods that begin with one underscore.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last ones: nested too deep
        return []
    found = dict.fromkeys(text for node in ast.walk(tree) for text in _texts_at(node))
    texts = [text for text in found if 0 < len(text) <= MAX_LENGTH][:MAX_TEXTS]
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    names = [node.name for node in ast.walk(tree) if isinstance(node, functions)]
    return texts + [it for it in names if it[0] == "_" != it[1:2]][:MAX_TEXTS]


def _texts_at(node: ast.AST) -> list[str]:
    """The texts that this node may compare a client's text or path with."""
    match node:
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.MatchValue(value=value):
            parts = [value]
        case ast.Dict(keys=keys):
            parts = [key for key in keys if key is not None]
        case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=arguments):
            parts = arguments
        case ast.Call(func=ast.Name(id="path" | "re_path"), args=[route, *_]):
            parts = [route]
        case ast.Set(elts=items) | ast.List(elts=items) | ast.Tuple(elts=items):
            parts = items
        case ast.keyword(arg="salt", value=salt):
            parts = [salt]
        case _:
            return []
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    return [item for item in constants if isinstance(item, str) and not _is_of_events(item)]


def _is_of_events(text: str) -> bool:
    """Whether this is a key of an event, or the type of one."""
    return text in ("type", "text", "bytes", "code") or text.startswith(("websocket.", "http."))
