"""How much room messages take."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.messages.upsert import is_postgresql

# Header, item pointer and the columns of fixed width of one row of ``message`` on PostgreSQL, bytes.
_ROW_BYTES = 120

# What PostgreSQL's files occupy does not shrink when rows go, their room is used again. So: rows that are kept, times
# what one of the newest takes, times what indexes add.
_ESTIMATE = text(
    """
    SELECT (
        SELECT coalesce(sum(CASE name WHEN 'stored' THEN value WHEN 'pruned' THEN -value ELSE 0 END), 0)
        FROM message_counter
    ) * (
        SELECT coalesce(avg(
            pg_column_size(name) + pg_column_size("text") + coalesce(pg_column_size(detail), 0) + :row_bytes
        ), 0)
        FROM (SELECT name, "text", detail FROM message ORDER BY id DESC LIMIT 1000) AS newest
    ) * pg_total_relation_size('message') / greatest(pg_table_size('message'), 1)
    """
)


def occupied_bytes(session: Session) -> int:
    """Return the room in use: of the whole database on SQLite; on PostgreSQL, estimated, of messages and their indexes.

    Pages that deleted rows have left do not count: they are filled again before the file grows.
    """
    if is_postgresql(session):
        return int(session.scalar(_ESTIMATE, {"row_bytes": _ROW_BYTES}) or 0)
    pages, free, size = (
        int(session.scalar(text(f"PRAGMA {name}")) or 0) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
