"""What goes over a wire: bytes in, events out. Knows no list, no database, no Flask."""
