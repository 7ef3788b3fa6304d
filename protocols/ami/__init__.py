"""Asterisk Manager Interface: messages, a client's side of one connection, and the link on Twisted."""
