"""commands for processes, parts of the tree and sequences

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from models.base import JsonValue

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("command", sa.Column("payload", JsonValue, nullable=True))
    op.add_column("command", sa.Column("steps", JsonValue, nullable=True))
    op.add_column("command", sa.Column("aborted_by", sa.String(64), nullable=True))
    op.add_column("daq_session", sa.Column("sequences", JsonValue, nullable=True))


def downgrade() -> None:
    op.drop_column("daq_session", "sequences")
    op.drop_column("command", "aborted_by")
    op.drop_column("command", "steps")
    op.drop_column("command", "payload")
