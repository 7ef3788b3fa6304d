"""What tests of every folder may ask for."""

from databases import database, migrated, postgres, postgres_url
from peers import asterisk

__all__ = ["asterisk", "database", "migrated", "postgres", "postgres_url"]
