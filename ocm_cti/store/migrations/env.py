"""Alembic's entry; the connection comes from ``Store.open`` (no alembic.ini, no URL here)."""

from __future__ import annotations

from alembic import context

from ocm_cti.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
