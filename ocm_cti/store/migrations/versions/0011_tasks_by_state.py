"""Tasks by state and outcome, for who looks at a campaign of a million people by the page"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_task_campaign", "task", ["campaign_id", "id"])
    op.create_index("ix_task_state", "task", ["campaign_id", "state", "outcome", "id"])
    op.create_index("ix_task_name", "task", ["campaign_id", "name", "id"])
    op.create_index("ix_subscriber_list", "subscriber", ["list_id", "gone"])


def downgrade() -> None:
    op.drop_index("ix_task_name", "task")
    op.drop_index("ix_task_state", "task")
    op.drop_index("ix_task_campaign", "task")
    op.drop_index("ix_subscriber_list", "subscriber")
