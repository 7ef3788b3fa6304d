"""What stands behind each ``ocm`` command; ``cli`` only parses and calls."""
