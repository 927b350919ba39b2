"""the trigram index compares texts byte by byte

PostgreSQL only. Each message that the index names is compared once more with the word. By the database's own collation
that takes three times as long as by C, which folds the letters A to Z and no others: what words mean here.

Messages are indexed anew: a few minutes for ten million.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index('text COLLATE "C"')


def downgrade() -> None:
    _index("text")


def _index(indexed: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    # Where 0003 could not make the index there is none.
    op.execute(f"""
        DO $$ BEGIN
          IF to_regclass('ix_message_text_trigrams') IS NOT NULL THEN
            SET LOCAL maintenance_work_mem = '512MB';
            DROP INDEX ix_message_text_trigrams;
            CREATE INDEX ix_message_text_trigrams ON message USING gin ({indexed} gin_trgm_ops);
          END IF;
        END $$
    """)
