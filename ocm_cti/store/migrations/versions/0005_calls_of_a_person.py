"""How often a number was called lately"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_number", ["number", "placing_at"], unique=False)
    with op.batch_alter_table("subscriber_number", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscriber_number_number"), ["number"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("subscriber_number", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriber_number_number"))
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_attempt_number")
