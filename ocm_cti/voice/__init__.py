"""The voice process (SIP user agent, RTP, recording) and its parent-side client."""
