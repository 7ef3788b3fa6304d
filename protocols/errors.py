"""The tree of what can go wrong with a protocol.

``ProtocolError`` is abstract: raise one of its two branches, so that a reader always knows whose fault it was.
``NeedMoreData`` stands apart on purpose: short input is not malformed input, and ``except ProtocolError`` must not
swallow it.
"""

from __future__ import annotations


class NeedMoreData(Exception):
    """The octets so far are right but incomplete; feed more and ask again."""


class ProtocolError(Exception):
    """Somebody broke the protocol. Never raised itself: see the two branches."""

    def __init__(self, message: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("raise LocalProtocolError or RemoteProtocolError, so that it is clear whose fault it was")
        super().__init__(message)


class LocalProtocolError(ProtocolError):
    """We asked for something that the protocol does not allow now; nothing was sent and no state changed."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol does not allow; the message says what and at which octet."""
