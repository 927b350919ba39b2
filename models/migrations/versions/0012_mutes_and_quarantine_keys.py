"""mutes of known noise, and what quarantine lacked of a record: its key and Kafka's time

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_mute",
        sa.Column("id", BigId, nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("up_to", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("muted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("muted_by", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(64), nullable=True),
        # FATAL cannot be muted.
        sa.CheckConstraint("up_to between 0 and 4", name=op.f("ck_message_mute_up_to")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_mute")),
    )
    op.create_index(op.f("ix_message_mute_ended_at"), "message_mute", ["ended_at"])
    op.add_column("quarantined", sa.Column("kafka_ms", sa.BigInteger(), nullable=True))
    op.add_column("quarantined", sa.Column("record_key", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("quarantined", "record_key")
    op.drop_column("quarantined", "kafka_ms")
    op.drop_table("message_mute")
