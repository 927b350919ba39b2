"""alarms, what is shelved, guidance

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("session", sa.String(255), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("occurrences", BigId, nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", BigId, nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(64), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_alarm_key_open", "alarm", ["key"], unique=True, sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index(op.f("ix_alarm_raised_at"), "alarm", ["raised_at"])
    op.create_index(op.f("ix_alarm_ended_at"), "alarm", ["ended_at"])
    op.create_table(
        "alarm_shelf",
        sa.Column("key", sa.String(512), nullable=False),
        sa.Column("shelved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shelved_by", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alarm_shelf")),
    )
    op.create_table(
        "alarm_guidance",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_alarm_guidance")),
    )
    op.create_table(
        "alarm_cursor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_cursor")),
    )


def downgrade() -> None:
    for table in ("alarm_cursor", "alarm_guidance", "alarm_shelf", "alarm"):
        op.drop_table(table)
