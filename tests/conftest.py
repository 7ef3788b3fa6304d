"""What tests of every folder may ask for."""

from peers import asterisk

__all__ = ["asterisk"]
