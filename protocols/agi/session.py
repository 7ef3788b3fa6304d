"""One FastAGI connection from the server's side, octets in and out: the environment first, then command and answer.

Asterisk connects (``AGI(agi://host:port/path)``), says its environment, and then waits for commands one at a time.
``HANGUP`` may come at any moment between the answers: the person is gone, what follows is for a dead channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocols.agi.results import MAX_LINE, AgiResult, parse_result
from protocols.errors import LocalProtocolError, RemoteProtocolError

#: More than any version sends.
MAX_ENVIRONMENT: Final = 500
_USAGE_BEGINS, _USAGE_ENDS = "520-", "520 End of proper usage"


@dataclass(frozen=True)
class Begun:
    """The environment has come; ``environment["agi_uniqueid"]`` is the channel."""

    environment: dict[str, str]


@dataclass(frozen=True)
class Done:
    """The command that was sent is done."""

    result: AgiResult
    line: str  # as it came


@dataclass(frozen=True)
class HungUp:
    """The person has hung up; the connection stays for what can be asked of a dead channel."""


SessionEvent = Begun | Done | HungUp


class Session:
    """``receive`` octets, take events; ``send`` a command when ``ready``, then take ``data_to_send``."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        self.ready = False
        self._begun = False
        self._buffer = bytearray()
        self._out = bytearray()
        self._in_usage = False

    def receive(self, octets: bytes) -> list[SessionEvent]:
        """Events that are complete now. RemoteProtocolError when this is no AGI; the connection is of no use then."""
        self._buffer += octets
        lines = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(lines.pop())
        if len(self._buffer) > MAX_LINE:
            raise RemoteProtocolError(f"an AGI line of more than {MAX_LINE} octets without an end")
        events: list[SessionEvent] = []
        for raw in lines:
            event = self._line(raw.removesuffix(b"\r").decode("utf-8", "surrogateescape"))
            if event is not None:
                events.append(event)
        return events

    def send(self, command: str) -> None:
        """One command, when ``ready``. LocalProtocolError for one with a line end, or before the last was answered."""
        if not self.ready:
            raise LocalProtocolError("the last AGI command has not been answered yet")
        if any(sign in command for sign in "\r\n\0") or not command.strip():
            raise LocalProtocolError(f"no AGI command: {command[:40]!r}")
        self.ready = False
        self._out += command.encode("utf-8", "surrogateescape") + b"\n"

    def data_to_send(self) -> bytes:
        out, self._out = bytes(self._out), bytearray()
        return out

    def _line(self, line: str) -> SessionEvent | None:
        if not self._begun:
            return self._environment(line)
        if line == "HANGUP":
            return HungUp()
        if self._in_usage or line.startswith(_USAGE_BEGINS):
            # 520-Invalid command syntax.  Proper usage follows: ... 520 End of proper usage.
            self._in_usage = not line.startswith(_USAGE_ENDS)
            if self._in_usage:
                return None
        if not line:
            return None
        if self.ready:
            raise RemoteProtocolError(f"an answer without an AGI command: {line[:80]!r}")
        self.ready = True
        return Done(parse_result(line), line)

    def _environment(self, line: str) -> SessionEvent | None:
        if line:
            name, colon, value = line.partition(":")
            if not colon or len(self.environment) >= MAX_ENVIRONMENT:
                raise RemoteProtocolError(f"no AGI environment: {line[:80]!r}")
            self.environment[name.strip()] = value.removeprefix(" ")
            return None
        self._begun = self.ready = True
        return Begun(dict(self.environment))
