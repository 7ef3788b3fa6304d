"""Tasks by state and outcome, for who looks at a campaign of a million people by the page"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_task_state", "task", ["campaign_id", "state", "outcome", "id"])
    op.create_index("ix_task_name", "task", ["campaign_id", "name", "id"])


def downgrade() -> None:
    op.drop_index("ix_task_name", "task")
    op.drop_index("ix_task_state", "task")
