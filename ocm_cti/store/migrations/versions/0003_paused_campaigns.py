"""Why a campaign is paused, and since when it goes on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paused_why", sa.String(length=300), server_default="", nullable=False))
        batch_op.add_column(sa.Column("resumed_at", sa.String(length=26), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_column("resumed_at")
        batch_op.drop_column("paused_why")
