"""trigrams in eight indexes, by sections of ids

PostgreSQL only. All messages that an index names are looked at before the newest is known. Now none has all messages:
each of eight takes 1 048 576 ids in turn, so a search for the newest begins with one of them.

Messages are indexed anew: allow minutes for millions of them.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

COLUMNS = 'text COLLATE "C" gin_trgm_ops, (ARRAY[(id >> 16)::integer]) array_ops'
# Where 0003 could not make an index there is none.
UPGRADE = f"""
DO $$ BEGIN
  IF to_regclass('ix_message_text_trigrams') IS NOT NULL THEN
    SET LOCAL maintenance_work_mem = '512MB';
    DROP INDEX ix_message_text_trigrams;
    FOR number IN 0..7 LOOP
      EXECUTE format(
        'CREATE INDEX ix_message_text_trigrams_%s ON message USING gin ({COLUMNS}) WHERE ((id >> 20) & 7) = %s',
        number, number
      );
    END LOOP;
  END IF;
END $$
"""
DOWNGRADE = f"""
DO $$ BEGIN
  IF to_regclass('ix_message_text_trigrams_0') IS NOT NULL THEN
    SET LOCAL maintenance_work_mem = '512MB';
    FOR number IN 0..7 LOOP
      EXECUTE format('DROP INDEX ix_message_text_trigrams_%s', number);
    END LOOP;
    CREATE INDEX ix_message_text_trigrams ON message USING gin ({COLUMNS});
  END IF;
END $$
"""


def upgrade() -> None:
    _execute(UPGRADE)


def downgrade() -> None:
    _execute(DOWNGRADE)


def _execute(statement: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(statement)
