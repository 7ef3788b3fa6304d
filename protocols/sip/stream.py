"""Messages out of a TCP connection (RFC 3261 section 18.3): framed by Content-Length, with keep-alives in between."""

from __future__ import annotations

import re
from typing import Final

from protocols.errors import RemoteProtocolError

#: Two line breaks between messages ask whether we are there; the answer is one of them (RFC 5626 section 3.5.1).
PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"
#: More than this before the end of the headers, or as a body, is no SIP that anybody sends us.
MOST_HEADERS: Final = 65536
MOST_BODY: Final = 1024 * 1024

_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")


class StreamReader:
    """Give it what comes; it keeps what is not whole yet. After RemoteProtocolError the connection is of no use: nobody
    can tell where the next message begins."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._searched = 0
        #: Keep-alives of ours that were answered.
        self.pongs = 0

    def feed(self, octets: bytes) -> list[bytes]:
        """The whole messages that these octets complete, in order; ``PING`` among them asks for ``PONG``."""
        waiting = self._waiting
        waiting += octets
        found: list[bytes] = []
        while waiting:
            if waiting.startswith(PING):
                del waiting[: len(PING)]
                found.append(PING)
            elif waiting.startswith(PONG):
                # A ping cut in two here is taken for a pong: better than to take two pongs for a ping.
                del waiting[: len(PONG)]
                self.pongs += 1
            elif waiting == b"\r":
                break
            else:
                message = self._message()
                if message is None:
                    break
                found.append(message)
        return found

    def _message(self) -> bytes | None:
        waiting = self._waiting
        end = waiting.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(waiting) - 3)
            if len(waiting) > MOST_HEADERS:
                raise RemoteProtocolError(f"no end of headers within {MOST_HEADERS} octets")
            return None
        self._searched = end
        lengths = {int(digits) for digits in _LENGTH.findall(bytes(waiting[:end]))}
        if len(lengths) != 1:
            # 20.14: mandatory over a stream.
            raise RemoteProtocolError("no Content-Length over TCP" if not lengths else "two different Content-Lengths")
        length = lengths.pop()
        if length > MOST_BODY:
            raise RemoteProtocolError(f"a body of {length} octets")
        whole = end + 4 + length
        if len(waiting) < whole:
            return None
        message = bytes(waiting[:whole])
        del waiting[:whole]
        self._searched = 0
        return message
