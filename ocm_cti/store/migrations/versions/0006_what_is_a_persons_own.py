"""What is a person's own, starts by the clock, the audit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def _json(name: str, empty: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False, server_default=sa.text(f"'{empty}'"))


def _index_waiting(columns: list[str]) -> None:
    """The next due of a campaign, by the clock of whoever waits."""
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_waiting")
        batch_op.create_index(
            "ix_task_waiting",
            columns,
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )


def upgrade() -> None:
    with op.batch_alter_table("list", schema=None) as batch_op:
        batch_op.add_column(_json("mapping", "{}"))
    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Integer(), nullable=True))
        batch_op.add_column(_json("groups", "[]"))
        batch_op.add_column(_text("zone", 60))
        batch_op.add_column(_text("scenario", 100))
        batch_op.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.add_column(_json("own_scenarios", "{}"))
        batch_op.add_column(_text("override_why", 300))
        batch_op.add_column(sa.Column("test", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(_text("zone", 60))
        batch_op.add_column(_text("scenario", 100))
    _index_waiting(["campaign_id", "priority", "zone", "due_at"])
    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("next_at", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.String(length=26), nullable=False),
        sa.Column("last_at", sa.String(length=26), nullable=True),
        _text("last_result", 300),
        sa.ForeignKeyConstraint(["list_id"], ["list.id"], name=op.f("fk_schedule_list_id_list")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("list_id", "cron", name=op.f("uq_schedule_list_id_cron")),
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_next_at"), ["next_at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=26), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("deed", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("schedule")
    _index_waiting(["campaign_id", "priority", "due_at"])
    for table, columns in {
        "task": ["scenario", "zone"],
        "campaign": ["test", "override_why", "own_scenarios"],
        "subscriber": ["note", "scenario", "zone", "groups", "priority"],
        "list": ["mapping"],
    }.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
