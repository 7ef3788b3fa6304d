"""Call records of the PBX (SMDR): lines of text over TCP (telnet-like) or RS-232C."""
