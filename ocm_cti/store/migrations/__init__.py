"""Alembic's revisions; run by ``transactions.Store.open``."""
