"""requests for control that are granted after a command

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("control_request", sa.Column("after_command_id", BigId, nullable=True))


def downgrade() -> None:
    op.drop_column("control_request", "after_command_id")
