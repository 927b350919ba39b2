"""accounts of wall displays

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHECK = "ck_user_account_role"


def upgrade() -> None:
    _allow("'viewer', 'wall', 'operator', 'administrator'")


def downgrade() -> None:
    # What a wall display may see, a viewer may.
    op.execute("UPDATE user_account SET role = 'viewer' WHERE role = 'wall'")
    _allow("'viewer', 'operator', 'administrator'")


def _allow(roles: str) -> None:
    with op.batch_alter_table("user_account") as table:
        table.drop_constraint(op.f(CHECK), type_="check")
        table.create_check_constraint(op.f(CHECK), f"role in ({roles})")
