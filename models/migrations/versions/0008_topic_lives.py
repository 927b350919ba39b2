"""the ids that Kafka gives topics

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "topic_life",
        sa.Column("incarnation_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("kafka_id", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["incarnation_id"], ["incarnation.id"], name=op.f("fk_topic_life_incarnation_id_incarnation")
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_topic_life_topic_id_topic")),
        sa.PrimaryKeyConstraint("incarnation_id", "topic_id", name=op.f("pk_topic_life")),
    )


def downgrade() -> None:
    op.drop_table("topic_life")
