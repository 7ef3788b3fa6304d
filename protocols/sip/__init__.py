"""SIP (RFC 3261 and friends): transactions, dialogs, digest, SDP, a user agent; messages by ``sipmessage``."""
