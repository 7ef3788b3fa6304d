"""Stop lists"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stop_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_name", sa.String(length=100), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("is_pattern", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("added_at", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_entry")),
        sa.UniqueConstraint("list_name", "entry", name=op.f("uq_stop_entry_list_name_entry")),
    )
    with op.batch_alter_table("stop_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stop_entry_entry"), ["entry"], unique=False)
        batch_op.create_index(
            "ix_stop_entry_patterns",
            ["entry"],
            unique=False,
            sqlite_where=sa.text("is_pattern"),
            postgresql_where=sa.text("is_pattern"),
        )


def downgrade() -> None:
    op.drop_table("stop_entry")
