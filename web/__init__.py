"""The Flask panel (comes with its own issue)."""
