"""The full-text index of messages: objects of the database that migration 0003 makes and no model declares.

SQLite: the FTS5 table `INDEX` with the columns ``text`` and ``tokens`` over the view `SOURCE`; FTS5 keeps tables of
its own beside it. PostgreSQL: `TRIGRAM_INDEX`, where the extension pg_trgm can be created.
"""

from typing import Any

INDEX = "message_search"
SOURCE = "message_search_source"
TRIGRAM_INDEX = "ix_message_text_trigrams"

_OBJECTS = frozenset({INDEX, TRIGRAM_INDEX, *(f"{INDEX}_{part}" for part in ("data", "idx", "docsize", "config"))})


def is_declared(_object: Any, name: str | None, _kind: str, _reflected: bool, _compared: Any) -> bool:  # noqa: FBT001
    """Tell Alembic (``include_object``) to leave the full-text index alone when it compares models and database."""
    return name not in _OBJECTS
