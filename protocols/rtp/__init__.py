"""RTP (RFC 3550), G.711, telephone events (RFC 4733)."""
