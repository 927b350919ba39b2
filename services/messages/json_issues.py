"""ERS issues in the older JSON form, one issue a record, on topic ``erskafka-reporting`` (contract 16.3, last part)."""

import json
from collections.abc import Mapping
from typing import Any

from services.messages.decoding import (
    KEY_LIMIT_BYTES,
    NAME_LIMIT_BYTES,
    TEXT_LIMIT_BYTES,
    DecodeError,
    ers_severity,
    finish,
    session_from_key,
)
from services.messages.texts import Cleaner
from services.messages.types import Decoded, Kind, Record

TOPIC = "erskafka-reporting"

_CONTEXT = (
    "cwd",
    "file_name",
    "function_name",
    "host_name",
    "package_name",
    "user_name",
    "application_name",
    "user_id",
    "process_id",
    "thread_id",
    "line_number",
)
# Head and causes of a chain are records of their own: these two tell which belong together.
_CHAIN = ("chain", "group_hash")
# Without one of these it is some other JSON.
_TELLING = ("message", "issue_name", "severity")
_INT64 = 2**63


def decode_json_issue(record: Record, value: bytes, arrived_ns: int) -> Decoded:
    """Return the issue in a record.

    Raises:
        DecodeError: It is no JSON object, or none that tells of an issue.
    """
    issue = _object(value)
    cleaner = Cleaner()
    detail: dict[str, Any] = {}
    severity = ers_severity(_text(issue, "severity"), cleaner, detail)
    text = cleaner.column("text", _text(issue, "message"), TEXT_LIMIT_BYTES)
    session = cleaner.column("session", _text(issue, "partition") or session_from_key(record.key), KEY_LIMIT_BYTES)
    application = cleaner.column("application", _text(issue, "application_name"), KEY_LIMIT_BYTES)
    name = cleaner.column("name", _text(issue, "issue_name"), NAME_LIMIT_BYTES)
    detail.update(_circumstances(issue, cleaner))
    time_ns, marked = finish(record, arrived_ns, _time_ns(issue), cleaner, detail)
    return Decoded(
        kind=Kind.ERS,
        severity=severity,
        session=session,
        application=application,
        name=name,
        text=text,
        time_ns=time_ns,
        detail=marked,
    )


def _object(value: bytes) -> Mapping[str, Any]:
    try:
        issue = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"no JSON issue: {error}") from error
    if not isinstance(issue, dict) or not any(name in issue for name in _TELLING):
        raise DecodeError("no JSON issue: no object with a message, an issue_name or a severity")
    return issue


def _text(issue: Mapping[str, Any], name: str) -> str:
    """Return a field as text, whatever type its writer gave it."""
    value = issue.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _time_ns(issue: Mapping[str, Any]) -> int:
    """Return microseconds where there are some, else milliseconds, as nanoseconds; 0 where there is no time."""
    for name, factor in (("usecs_since_epoch", 1_000), ("time", 1_000_000)):
        value = issue.get(name)
        # JSON's true is an int to Python; a fraction is no count of anything here.
        if isinstance(value, int) and not isinstance(value, bool) and value:
            return min(max(value, -_INT64), _INT64) * factor
    return 0


def _circumstances(issue: Mapping[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    """Return context, parameters, qualifiers and place in the chain, under the names that protobuf issues have."""
    found: dict[str, Any] = {}
    context = {name: _plain(issue[name], cleaner) for name in _CONTEXT if issue.get(name) not in (None, "")}
    if context:
        found["context"] = context
    parameters = issue.get("params")
    if isinstance(parameters, list) and parameters:
        found["parameters"] = cleaner.mapping(dict(_parameter(item) for item in parameters))
    qualifiers = issue.get("qualifiers")
    if isinstance(qualifiers, list) and qualifiers:
        found["qualifiers"] = cleaner.parts(item if isinstance(item, str) else json.dumps(item) for item in qualifiers)
    found.update((name, _plain(issue[name], cleaner)) for name in _CHAIN if issue.get(name) is not None)
    return found


def _parameter(item: Any) -> tuple[str, str]:
    """Split ``key: value``."""
    key, _, value = (item if isinstance(item, str) else json.dumps(item)).partition(":")
    return key.strip(), value.strip()


def _plain(value: Any, cleaner: Cleaner) -> str | int:
    """Return a whole number of 64 bits as it is, anything else as text."""
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    return cleaner.part(value if isinstance(value, str) else json.dumps(value))
