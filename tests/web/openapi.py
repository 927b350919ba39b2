"""Check an answer against an OpenAPI document: the part of JSON Schema that our document uses, and nothing lenient."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}
_ANNOTATIONS = {"title", "description", "default", "minimum", "maximum", "maxLength", "minLength"}
_KNOWN = {"$ref", "type", "anyOf", "enum", "format", "properties", "required", "items", "additionalProperties",
          "propertyNames"}  # fmt: skip


def violations(document: Json, schema: Json, value: Json, where: str = "answer") -> list[str]:
    """Return every way in which a value does not fit a schema of a document; fields that are not declared count."""
    unknown = set(schema) - _KNOWN - _ANNOTATIONS
    assert not unknown, f"this check does not know {unknown}"
    if "$ref" in schema:
        return violations(document, _resolve(document, schema["$ref"]), value, where)
    if "anyOf" in schema:
        tried = [violations(document, option, value, where) for option in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    if "type" in schema and not _has_type(schema["type"], value):
        return [f"{where}: {value!r} is not of type {schema['type']}"]
    found = [] if value in schema.get("enum", [value]) else [f"{where}: {value!r} is not one of {schema['enum']}"]
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        found.append(f"{where}: {value!r} has no time zone")
    if isinstance(value, dict):
        found += _object(document, schema, value, where)
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += violations(document, schema.get("items", {}), item, f"{where}[{number}]")
    return found


def answer_schema(document: Json, path: str, status: int) -> Json:
    """Return the schema that a document declares for what ``GET path`` answers with ``status``."""
    return document["paths"][path]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]


def _object(document: Json, schema: Json, value: dict[str, Json], where: str) -> list[str]:
    declared, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    found = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        if "propertyNames" in schema:
            found += violations(document, schema["propertyNames"], name, f"{where}.{name} (name)")
        if name in declared:
            found += violations(document, declared[name], item, f"{where}.{name}")
        elif others is False:
            found.append(f"{where}: {name} is not declared")
        elif isinstance(others, dict):
            found += violations(document, others, item, f"{where}.{name}")
    return found


def _has_type(name: str, value: Json) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _resolve(document: Json, reference: str) -> Json:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
