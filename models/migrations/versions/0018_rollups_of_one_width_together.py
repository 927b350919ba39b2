"""roll-ups of one width lie together

PostgreSQL only. Rows lie as they were inserted: between two buckets of ten minutes come some thousand of one second,
so that a plot of two weeks read each of its buckets from another page. As a partition for each width the wide ones are
neighbours, and what comes and goes with the narrow ones does not touch them.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WIDTHS_S = (1, 60, 600)


def upgrade() -> None:
    _rebuild("PARTITION BY LIST (resolution_s)", _WIDTHS_S)


def downgrade() -> None:
    _rebuild("", ())


def _rebuild(how: str, widths_s: tuple[int, ...]) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE message_rollup RENAME TO message_rollup_before")
    op.execute("ALTER INDEX pk_message_rollup RENAME TO pk_message_rollup_before")
    op.execute(f"CREATE TABLE message_rollup (LIKE message_rollup_before) {how}")
    for width_s in widths_s:
        op.execute(f"CREATE TABLE message_rollup_{width_s} PARTITION OF message_rollup FOR VALUES IN ({width_s})")
    op.execute("INSERT INTO message_rollup SELECT * FROM message_rollup_before ORDER BY bucket_s, session_id")
    op.execute("DROP TABLE message_rollup_before")
    op.execute(
        "ALTER TABLE message_rollup ADD CONSTRAINT pk_message_rollup PRIMARY KEY (resolution_s, session_id, bucket_s)"
    )
