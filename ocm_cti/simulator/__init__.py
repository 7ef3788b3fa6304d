"""A simulated Panasonic PBX with its callees; imports ``protocols`` only."""
