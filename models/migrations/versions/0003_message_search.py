"""messages are found by kind and severity, and by their words

A later migration that rebuilds the table message on SQLite must drop the view message_search_source before and make
it again after.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Words of the filter tokens are numbers of rows and of enumerations, so that they never have to be written again.
SOURCE = (
    "CREATE VIEW message_search_source AS SELECT id, text, "
    "'s' || severity || ' k' || kind || ' n' || session_id || ' a' || application_id AS tokens FROM message"
)
INDEX = (
    "CREATE VIRTUAL TABLE message_search USING fts5(text, tokens, content='message_search_source', content_rowid='id', "
    "tokenize='unicode61')"
)
# The extension may be missing, or the user may not create it: then a search looks at a bounded stretch of messages.
TRIGRAMS = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX ix_message_text_trigrams ON message USING gin (text gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
  RAISE NOTICE 'pg_trgm is not available: messages are searched without an index';
END $$
"""


def upgrade() -> None:
    op.drop_index("ix_message_severity_id", "message")
    op.drop_index("ix_message_session_id_severity_id", "message")
    op.create_index("ix_message_kind_severity_id", "message", ["kind", "severity", "id"])
    op.create_index("ix_message_session_id_kind_severity_id", "message", ["session_id", "kind", "severity", "id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SOURCE)
        op.execute(INDEX)
        op.execute("INSERT INTO message_search (message_search) VALUES ('rebuild')")
    else:
        op.execute(TRIGRAMS)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE message_search")
        op.execute("DROP VIEW message_search_source")
    else:
        # The extension stays: others may use it.
        op.execute("DROP INDEX IF EXISTS ix_message_text_trigrams")
    op.drop_index("ix_message_session_id_kind_severity_id", "message")
    op.drop_index("ix_message_kind_severity_id", "message")
    op.create_index("ix_message_session_id_severity_id", "message", ["session_id", "severity", "id"])
    op.create_index("ix_message_severity_id", "message", ["severity", "id"])
