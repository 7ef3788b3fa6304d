"""How much anybody may send: refused by the headers, or when it has become too much, before it fills a disk.

Twisted keeps a whole body in a temporary file before Flask sees any of it, so Flask's own limit comes too late.
"""

from __future__ import annotations

from typing import Any

from twisted.web.server import Request

from web.security import COOKIE

#: From somebody who shows neither a session nor a token: a name and a password.
OF_STRANGERS = 64 * 1024
#: From users and other systems: a large import. What a page takes is said by the page (MAX_CONTENT_LENGTH).
OF_USERS = 512 * 1024 * 1024

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedRequest(Request):
    """Whether the session is a good one is found out later, by Flask; here it is about octets only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._most = OF_STRANGERS
        self._received = 0
        self._refused = False

    def gotLength(self, length: int | None) -> None:
        if self.getHeader("authorization") or self.getCookie(COOKIE.encode()):  # type: ignore[no-untyped-call]
            self._most = OF_USERS
        if length is not None and length > self._most:
            self._refuse()
        super().gotLength(0 if self._refused else length)  # type: ignore[no-untyped-call]

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if not self._refused and self._received > self._most:  # a body in chunks does not say how long it is
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def process(self) -> None:
        if not self._refused:
            super().process()  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        self._refused = True
        channel: Any = self.channel
        channel.transport.write(_TOO_LARGE)
        channel.loseConnection()
