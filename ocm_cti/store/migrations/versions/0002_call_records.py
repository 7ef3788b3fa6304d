"""Call records of the switch"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("raw", sa.String(length=1024), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.String(length=26), nullable=False),
        sa.Column("started_at", sa.String(length=26), nullable=True),
        sa.Column("ended_at", sa.String(length=26), nullable=True),
        sa.Column("extension", sa.String(length=40), nullable=False),
        sa.Column("trunk", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("ring_s", sa.Integer(), nullable=True),
        sa.Column("duration_s", sa.Integer(), nullable=True),
        sa.Column("cost", sa.String(length=20), nullable=True),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("condition", sa.String(length=20), nullable=False),
        sa.Column("fault", sa.String(length=300), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("fk_call_record_attempt_id_attempt")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
        sa.UniqueConstraint("gateway", "source", "raw", "copy", name=op.f("uq_call_record_gateway_source_raw_copy")),
    )
    with op.batch_alter_table("call_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_record_attempt_id"), ["attempt_id"], unique=False)
        batch_op.create_index(
            "ix_call_record_unmatched",
            ["gateway", "ended_at"],
            unique=False,
            sqlite_where=sa.text("attempt_id IS NULL"),
            postgresql_where=sa.text("attempt_id IS NULL"),
        )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index("ix_attempt_ended", ["gateway", "ended_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_attempt_ended")
    with op.batch_alter_table("call_record", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_call_record_unmatched",
            sqlite_where=sa.text("attempt_id IS NULL"),
            postgresql_where=sa.text("attempt_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_call_record_attempt_id"))

    op.drop_table("call_record")
