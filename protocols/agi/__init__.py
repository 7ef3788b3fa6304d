"""Asterisk Gateway Interface: how commands are written and what their results say."""
