"""measurements: series and roll-ups of OpMon values

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measurement_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("element", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("field", sa.String(length=255), nullable=False),
        sa.Column("last_text", sa.Text(), nullable=True),
        sa.Column("last_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["message_session.id"], name=op.f("fk_measurement_series_session_id_message_session")
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["message_application.id"],
            name=op.f("fk_measurement_series_application_id_message_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement_series")),
        sa.UniqueConstraint(
            "session_id",
            "application_id",
            "element",
            "name",
            "origin",
            "field",
            name=op.f("uq_measurement_series_key"),
        ),
    )
    op.create_table(
        "measurement_rollup",
        sa.Column("resolution_s", sa.SmallInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("bucket_s", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.Column("greatest", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["measurement_series.id"], name=op.f("fk_measurement_rollup_series_id_measurement_series")
        ),
        sa.PrimaryKeyConstraint("resolution_s", "series_id", "bucket_s", name=op.f("pk_measurement_rollup")),
    )
    with op.batch_alter_table("measurement_rollup", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_measurement_rollup_resolution_s_bucket_s"), ["resolution_s", "bucket_s"], unique=False
        )


def downgrade() -> None:
    op.drop_table("measurement_rollup")
    op.drop_table("measurement_series")
