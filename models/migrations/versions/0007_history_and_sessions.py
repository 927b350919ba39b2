"""history, transition board, and where sessions come from

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId, JsonValue

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("daq_session", sa.Column("owner", sa.String(255), nullable=True))
    op.add_column("daq_session", sa.Column("configuration_file", sa.Text(), nullable=True))
    op.add_column("daq_session", sa.Column("configuration_id", sa.String(255), nullable=True))
    op.add_column("daq_session", sa.Column("sources", JsonValue, nullable=True))
    op.add_column("daq_session", sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("daq_session", sa.Column("vanished_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "boot_configuration",
        sa.Column("file", sa.String(1024), nullable=False),
        sa.Column("configuration_id", sa.String(255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("file", "configuration_id", name=op.f("pk_boot_configuration")),
    )
    op.create_table(
        "history_entry",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("session", sa.String(255), nullable=True),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("aspect", sa.String(32), nullable=False),
        sa.Column("old", JsonValue, nullable=True),
        sa.Column("new", JsonValue, nullable=True),
        sa.Column("uuid", sa.String(64), nullable=True),
        sa.Column("command_id", BigId, nullable=True),
        sa.CheckConstraint("source in ('poll', 'broadcast', 'command')", name=op.f("ck_history_entry_source")),
        sa.ForeignKeyConstraint(["command_id"], ["command.id"], name=op.f("fk_history_entry_command_id_command")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_history_entry_session_at_id"), "history_entry", ["session", "at", "id"])
    op.create_index(op.f("ix_history_entry_at_id"), "history_entry", ["at", "id"])
    op.create_table(
        "transition_run",
        sa.Column("id", BigId, nullable=False),
        sa.Column("session", sa.String(255), nullable=False),
        sa.Column("transition", sa.String(255), nullable=True),
        sa.Column("state_before", sa.String(64), nullable=True),
        sa.Column("state_after", sa.String(64), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("command_id", BigId, nullable=True),
        sa.CheckConstraint(
            "outcome in ('running', 'succeeded', 'failed', 'unknown')", name=op.f("ck_transition_run_outcome")
        ),
        sa.ForeignKeyConstraint(["command_id"], ["command.id"], name=op.f("fk_transition_run_command_id_command")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition_run")),
    )
    op.create_index(op.f("ix_transition_run_session_began_at_id"), "transition_run", ["session", "began_at", "id"])
    op.create_index(op.f("ix_transition_run_began_at_id"), "transition_run", ["began_at", "id"])
    op.create_table(
        "node_transition",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["transition_run.id"], name=op.f("fk_node_transition_run_id_transition_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "path", name=op.f("pk_node_transition")),
    )
    op.create_table(
        "history_position",
        sa.Column("reader", sa.String(32), nullable=False),
        sa.Column("message_id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_history_position")),
    )


def downgrade() -> None:
    op.drop_table("history_position")
    op.drop_table("node_transition")
    op.drop_index(op.f("ix_transition_run_began_at_id"), "transition_run")
    op.drop_index(op.f("ix_transition_run_session_began_at_id"), "transition_run")
    op.drop_table("transition_run")
    op.drop_index(op.f("ix_history_entry_at_id"), "history_entry")
    op.drop_index(op.f("ix_history_entry_session_at_id"), "history_entry")
    op.drop_table("history_entry")
    op.drop_table("boot_configuration")
    for column in ("vanished_at", "first_seen_at", "sources", "configuration_id", "configuration_file", "owner"):
        op.drop_column("daq_session", column)
