"""the trigram index knows blocks of ids

PostgreSQL only. The index knows no order: to find the newest messages with a word, all that have it were looked at.
Beside the trigrams it now has the block of 65 536 ids that a message is in, so a search asks for the newest blocks first.

Messages are indexed anew: a few minutes for ten million.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index('text COLLATE "C" gin_trgm_ops, (ARRAY[(id >> 16)::integer]) array_ops')


def downgrade() -> None:
    _index('text COLLATE "C" gin_trgm_ops')


def _index(columns: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    # Where 0003 could not make the index there is none.
    op.execute(f"""
        DO $$ BEGIN
          IF to_regclass('ix_message_text_trigrams') IS NOT NULL THEN
            SET LOCAL maintenance_work_mem = '512MB';
            DROP INDEX ix_message_text_trigrams;
            CREATE INDEX ix_message_text_trigrams ON message USING gin ({columns});
          END IF;
        END $$
    """)
