"""Adapters to telephone systems, one module per kind of switch, behind one interface."""
