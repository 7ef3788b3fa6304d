"""Messages of the Asterisk Manager Interface: blocks of ``Key: value`` lines, each ended by an empty line. No I/O.

A message keeps its headers as they came, in order and repeated ones too (Debian's build sends two ``State`` headers in
a TestEvent); a line without a colon survives under the key "". Octets that are no UTF-8 survive as surrogates. What
a console command has printed is in its ``Output`` headers, also where a server before Asterisk 14 sends it as bare
lines up to ``--END COMMAND--``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from protocols.errors import LocalProtocolError, RemoteProtocolError

Headers = Sequence[tuple[str, str]]

#: More than any event has; a peer that sends so much without an empty line does not speak AMI.
MAX_MESSAGE_OCTETS: Final = 1 << 20
#: What Asterisk 22 takes, tried: a longer line (with its CR LF) or one header more, and it discards the message, and
#: sometimes does not say whose it was.
MAX_LINE_OCTETS: Final = 1024
MAX_LINES: Final = 128
_GREETING: Final = re.compile(r"Asterisk Call Manager/(\S+)")
_KEY: Final = re.compile(r"[A-Za-z0-9_.()-]+")
#: What would begin a header of its own, or end the message: with a value of a list it is an injection.
_FORBIDDEN: Final = re.compile(r"[\r\n\0]")
_END_OF_OUTPUT: Final = "--END COMMAND--"
_BEFORE_OUTPUT: Final = frozenset({"privilege", "actionid", "message"})


class Message:
    """One block. ``get`` is case-insensitive and gives the first value; ``all`` gives every one."""

    def __init__(self, headers: Headers) -> None:
        self.headers: tuple[tuple[str, str], ...] = tuple(headers)
        self._first: dict[str, str] = {}
        for key, value in self.headers:
            self._first.setdefault(key.lower(), value)

    def get(self, name: str, default: str = "") -> str:
        return self._first.get(name.lower(), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def action_id(self) -> str:
        """The ActionID of the action that it answers, "" without one."""
        return self.get("ActionID")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Message) and other.headers == self.headers

    def __hash__(self) -> int:
        return hash((type(self), self.headers))

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}: {value}" for key, value in self.headers)
        return f"{type(self).__name__}({shown})"


class Event(Message):
    """Something has happened, or one row of a list that was asked for."""

    @property
    def name(self) -> str:
        """``Hangup``, ``Newchannel`` ..."""
        return self.get("Event")


class Response(Message):
    """The answer to an action."""

    @property
    def response(self) -> str:
        """``Success``, ``Error``, ``Goodbye``, ``Follows`` ..."""
        return self.get("Response")

    @property
    def is_error(self) -> bool:
        return self.response.lower() == "error"

    @property
    def message(self) -> str:
        """Asterisk's own words, "" when it has none."""
        return self.get("Message")


def message_of(headers: Headers) -> Message:
    """The kind that the headers say. OriginateResponse is an event that has a ``Response`` header, too."""
    message = Message(headers)
    if message.get("Event"):
        return Event(headers)
    if message.get("Response"):
        return Response(headers)
    return message


class Reader:
    """Octets in, messages out, whatever way they are cut.

    The first line of a connection is the greeting; ``version`` is its number (``11.0.0``), None until it has come.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self._buffer = bytearray()
        self._headers: list[tuple[str, str]] = []
        self._octets = 0
        self._printing = False  # within the output of a command, in its old form

    def receive(self, octets: bytes) -> Iterator[Message]:
        """The messages that are complete now, read as they are taken: take them all.

        RemoteProtocolError, after those that came before, when this is no AMI; nothing can be read from there on.
        """
        self._buffer += octets
        lines = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(lines.pop())
        for raw in lines:
            self._octets += len(raw) + 1
            self._not_too_long(0)
            line = raw.removesuffix(b"\r").decode("utf-8", "surrogateescape")
            if self.version is None:
                self._greeted(line)
            elif line or (self._printing and not raw):
                self._header(line)
            else:
                headers, self._headers, self._octets, self._printing = self._headers, [], 0, False
                if headers:  # an empty block has no meaning: there is one after a digit, in Debian's build
                    yield message_of(headers)
        self._not_too_long(len(self._buffer))

    def _header(self, line: str) -> None:
        key, colon, value = line.partition(":")
        name, value = (key.strip(), value.removeprefix(" ")) if colon else ("", line)
        if self._printing and (name.lower() not in _BEFORE_OUTPUT or self._headers[-1][0] == "Output"):
            printed, end, _ = line.partition(_END_OF_OUTPUT)
            if printed or not end:
                self._headers.append(("Output", printed))
            self._printing = not end
            return
        self._headers.append((name, value))
        if name.lower() == "response" and value.lower() == "follows":
            self._printing = True

    def _greeted(self, line: str) -> None:
        found = _GREETING.match(line)
        if found is None:
            raise RemoteProtocolError(
                f"no Asterisk manager answers there: it greets with {line[:60]!r}, not with Asterisk Call Manager/..."
            )
        self.version = found.group(1)
        self._octets = 0

    def _not_too_long(self, more: int) -> None:
        if self._octets + more > MAX_MESSAGE_OCTETS:
            raise RemoteProtocolError(f"a message of more than {MAX_MESSAGE_OCTETS} octets without an end")


def write(action: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The octets of an action. LocalProtocolError for what would be another header than it was meant to be."""
    lines = []
    for key, value in (("Action", action), *headers):
        if _KEY.fullmatch(key) is None:
            raise LocalProtocolError(f"{key!r} can't be the name of an AMI header")
        if _FORBIDDEN.search(value):
            raise LocalProtocolError(f"the value of {key} has a line end or a NUL in it, which would be another header")
        line = octets_of(key, f"{key}: {value}\r\n")
        if len(line) > MAX_LINE_OCTETS:
            raise LocalProtocolError(
                f"{key} is too long for Asterisk: a line of {len(line)} octets, it takes {MAX_LINE_OCTETS}"
            )
        lines.append(line)
    if len(lines) > MAX_LINES:
        raise LocalProtocolError(f"{action} has too many headers for Asterisk: {len(lines)}, it takes {MAX_LINES}")
    return b"".join(lines) + b"\r\n"


def octets_of(name: str, text: str) -> bytes:
    """As it goes over the wire; what came as surrogates goes out as it was. LocalProtocolError when it is no text."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{name} can't be written as UTF-8: {error.reason} at {error.start}") from error
