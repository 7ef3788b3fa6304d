"""Lists from files: rows in, people and refusals out."""
