"""Pure functions and frozen dataclasses of the product; the standard library only."""
