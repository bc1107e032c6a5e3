"""Checks JSON against a schema: the part of JSON Schema that this project's schemas use."""

import re

TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
# Words that check nothing.
REMARKS = {"$schema", "$defs", "title", "description", "format"}
CHECKED = {
    *("$ref", "type", "const", "enum", "pattern", "minimum"),
    *("properties", "required", "additionalProperties", "items"),
}


def problems(value, schema, root=None, path="$"):
    """What the schema does not allow. Raises ValueError for a word that is not known here."""
    root = schema if root is None else root
    if unknown := set(schema) - REMARKS - CHECKED:
        raise ValueError(f"{path}: {unknown}")
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, path)
    found = [f"{path}: {value!r} is not allowed"] if _is_wrong(value, schema) else []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [
            f"{path}: {name} is missing" for name in schema.get("required", ()) if name not in value
        ]
        if schema.get("additionalProperties") is False:
            found += [f"{path}: {name} is unknown" for name in value if name not in known]
        for name in known.keys() & value.keys():
            found += problems(value[name], known[name], root, f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            found += problems(item, schema["items"], root, f"{path}[{place}]")
    return found


def _is_wrong(value, schema):
    if "const" in schema and value != schema["const"]:
        return True
    if "enum" in schema and value not in schema["enum"]:
        return True
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is_of(value, kind) for kind in kinds):
        return True
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return True
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and value < schema.get("minimum", value)


def _is_of(value, kind):
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
