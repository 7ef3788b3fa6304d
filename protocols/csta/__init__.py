"""CSTA Phase III over ASN.1/BER as Panasonic PBXs speak it."""
