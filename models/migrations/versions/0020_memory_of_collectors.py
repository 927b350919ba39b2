"""the most memory that a collector has taken

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from models.base import BigId

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("worker", sa.Column("memory_peak_bytes", BigId, nullable=True))


def downgrade() -> None:
    op.drop_column("worker", "memory_peak_bytes")
