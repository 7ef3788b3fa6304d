"""What can be wrong with the database, as one line for the person who runs the server."""

from __future__ import annotations


class StoreError(Exception):
    """The database can't be opened, migrated or written; the text names it and says why."""
