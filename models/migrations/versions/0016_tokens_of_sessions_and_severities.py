"""the full-text index knows severities of a session, and no kinds

SQLite only. A word in the severe messages of a session is looked for among these alone, no longer among all of the
session and all severe ones. A kind is seen sooner from the message itself: each has a good part of all messages.

Messages are indexed anew: a few minutes for ten million.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TOKENS = "'s' || severity || ' n' || session_id || ' a' || application_id || ' n' || session_id || 's' || severity"
_TOKENS_BEFORE = "'s' || severity || ' k' || kind || ' n' || session_id || ' a' || application_id"


def upgrade() -> None:
    _index(_TOKENS)


def downgrade() -> None:
    _index(_TOKENS_BEFORE)


def _index(tokens: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("DROP TABLE message_search")
    op.execute("DROP VIEW message_search_source")
    op.execute(f"CREATE VIEW message_search_source AS SELECT id, text, {tokens} AS tokens FROM message")  # noqa: S608 - own names
    op.execute(
        "CREATE VIRTUAL TABLE message_search USING fts5(text, tokens, content='message_search_source', "
        "content_rowid='id', tokenize='unicode61')"
    )
    op.execute("INSERT INTO message_search (message_search) VALUES ('rebuild')")
