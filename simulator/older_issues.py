"""ERS issues in the older JSON form, one record an issue (contract 16.3, last part)."""

import json
import zlib
from collections.abc import Iterator
from enum import IntEnum

from wire import WireMessage

TOPIC = "erskafka-reporting"
_NS_IN_US = 1_000
_NS_IN_MS = 1_000_000


class Place(IntEnum):
    """Where in a chain an issue is."""

    SINGLE = 0
    HEAD = 1
    CAUSE = 2


def older_form(chain: WireMessage) -> Iterator[bytes]:
    """Return the records of an ``IssueChain``: the issue itself, then what led to it."""
    group = zlib.crc32(f"{chain.session} {chain.application} {chain.final.time}".encode())
    yield _record(chain.session, chain.final, Place.HEAD if chain.causes else Place.SINGLE, group)
    for cause in chain.causes:
        yield _record(chain.session, cause, Place.CAUSE, group)


def _record(session: str, issue: WireMessage, place: Place, group: int) -> bytes:
    context = {known.name: getattr(issue.context, known.name) for known in issue.context.DESCRIPTOR.fields}
    content = {
        "partition": session,
        "issue_name": issue.name,
        "message": issue.message,
        "severity": issue.severity,
        "usecs_since_epoch": issue.time // _NS_IN_US,
        "time": issue.time // _NS_IN_MS,
        "qualifiers": [issue.context.package_name],
        "params": [f"{name}: {issue.parameters[name]}" for name in sorted(issue.parameters)],
        **context,
        "chain": int(place),
        "group_hash": group,
    }
    return json.dumps(content).encode()
