"""Objects of the database that migrations make and no model declares: the full-text index, partitions of roll-ups."""

from typing import Any

from models.search import INDEX, TRIGRAM_INDEXES

_OF_SEARCH = {INDEX, *TRIGRAM_INDEXES, *(f"{INDEX}_{part}" for part in ("data", "idx", "docsize", "config"))}
# PostgreSQL's, one for each width of buckets.
_OF_ROLLUPS = {f"message_rollup_{width_s}" for width_s in (1, 60, 600)}


def is_declared(_object: Any, name: str | None, _kind: str, _reflected: bool, _compared: Any) -> bool:  # noqa: FBT001
    """Tell Alembic (``include_object``) to leave them alone when it compares models and database."""
    return name not in _OF_SEARCH | _OF_ROLLUPS
