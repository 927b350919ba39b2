"""requests for control, and who holds each part of a tree

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATES = "state in ('open', 'granted', 'declined', 'withdrawn', 'expired', 'overtaken')"


def upgrade() -> None:
    op.create_table(
        "control_request",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session", sa.String(255), nullable=False),
        sa.Column("requester", sa.String(64), nullable=False),
        sa.Column("requester_address", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("command_id", BigId, nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_control_request_state")),
        sa.ForeignKeyConstraint(["command_id"], ["command.id"], name=op.f("fk_control_request_command_id_command")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control_request")),
    )
    op.create_index(op.f("ix_control_request_session_id"), "control_request", ["session", "id"])
    op.create_index(op.f("ix_control_request_state_id"), "control_request", ["state", "id"])
    op.add_column("node", sa.Column("holder", sa.String(255), nullable=True))
    op.add_column("node", sa.Column("holder_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("node", sa.Column("detector", sa.String(255), nullable=True))


def downgrade() -> None:
    op.drop_column("node", "detector")
    op.drop_column("node", "holder_since")
    op.drop_column("node", "holder")
    op.drop_table("control_request")
