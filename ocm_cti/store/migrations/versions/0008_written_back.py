"""What the customer's own database has been told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "written_back",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_written_back_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_written_back")),
    )


def downgrade() -> None:
    op.drop_table("written_back")
