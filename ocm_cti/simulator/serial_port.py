"""CSTA on a serial line: the same frames over a transparent line, a device or a pseudo-terminal made for it.

A line has no connections of its own: a link begins with whatever comes when there is none, and when the PBX drops a
link the line stays. A client that begins anew (AARQ) while the PBX still believes in the old association is heard.
"""

from __future__ import annotations

import errno
import os
import tty
from collections.abc import Callable
from typing import Any

from twisted.internet import fdesc, main
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ocm_cti.simulator.clock import DelayedCall
from ocm_cti.simulator.config import PTY
from protocols.serial_line import SerialAddress, endpoint_from_setting, serial_from_setting

REOPEN_S = 2.0
AARQ = 0x60


def line_setting(text: str) -> str:
    """``pty``, or a setting of protocols.serial_line; a bare path is a device. ValueError says what is wrong."""
    if text == PTY:
        return text
    setting = text if text.startswith("serial:") else f"serial:{text}"
    serial_from_setting(setting)
    return setting


class SerialLine:
    """One line with its PBX's end. ``factory`` makes the links; ``setting`` is one of ``line_setting``."""

    def __init__(self, reactor: Any, factory: Any, setting: str, log: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._factory = factory
        self._setting = setting
        self._log = log
        self._end: LineEnd | None = None
        self._timer: DelayedCall | None = None
        self._closed = False
        self.deaf = False  # switched off

    def open(self) -> str:
        """The path that a client opens: the pseudo-terminal's, or our device's. ConnectError when it can't be had."""
        if self._setting == PTY:
            end: Any = self._new_end()
            pty = PtyTransport(self._reactor, end)
            end.makeConnection(pty)
            return str(pty.path)
        failures: list[Failure] = []
        endpoint: Any = endpoint_from_setting(self._reactor, self._setting)
        endpoint.connect(Factory.forProtocol(self._new_end)).addErrback(failures.append)
        if failures:
            self._end = None
            failures[0].raiseException()
        return self._device

    def close(self) -> None:
        """Harmless when it is closed."""
        self._closed = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._end is not None:
            self._end.close()

    def drop_link(self) -> None:
        """The PBX forgets the client; the line stays."""
        if self._end is not None:
            self._end.link_over()

    @property
    def _device(self) -> str:
        return PTY if self._setting == PTY else serial_from_setting(self._setting).device

    def _new_end(self) -> LineEnd:
        self._end = LineEnd(self, self._device)
        return self._end

    def new_link(self) -> Any:
        return self._factory.buildProtocol(None)

    def lost(self, end: LineEnd, reason: Failure) -> None:
        """The plug was pulled."""
        if end is not self._end:
            return
        self._end = None
        if not self._closed and self._setting != PTY:
            self._log(f"serial line {self._device} lost: {reason.getErrorMessage()}")
            self._timer = self._reactor.callLater(REOPEN_S, self._reopen)

    def _reopen(self) -> None:
        try:
            self.open()
        except ConnectError:
            self._timer = self._reactor.callLater(REOPEN_S, self._reopen)
        else:
            self._log(f"serial line {self._device} is back")


class LineEnd(Protocol):
    """The protocol on the line: hands its octets to the link that there is, or to a new one."""

    transport: Any

    def __init__(self, line: SerialLine, name: str) -> None:
        self.name = name
        self._line = line
        self._link: Any = None
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        if self._line.deaf:
            return
        known = self._link
        (known or self._begin()).dataReceived(data)
        if self._link is None and known is not None and data[2:3] == bytes([AARQ]):
            self._begin().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._over = True
        self.link_over(reason)
        self._line.lost(self, reason)

    def close(self) -> None:
        if not self._over and self.transport is not None:
            self.transport.loseConnection()

    def write(self, data: bytes) -> None:
        if not self._over:
            self.transport.write(data)

    def link_over(self, reason: Failure = connectionDone) -> None:
        """The link is gone; the next octet begins another one."""
        link, self._link = self._link, None
        if link is not None:
            link.connectionLost(reason)

    def _begin(self) -> Any:
        link = self._link = self._line.new_link()
        link.makeConnection(_OneLink(self))
        return link


class _OneLink:
    """The transport of one link on the line: closing it closes no line."""

    disconnecting = False

    def __init__(self, end: LineEnd) -> None:
        self._end = end
        self._over = False

    def write(self, data: bytes) -> None:
        if not self._over:
            self._end.write(data)

    def loseConnection(self) -> None:
        if not self._over:
            self._over = True
            self._end.link_over()

    abortConnection = loseConnection

    def getPeer(self) -> SerialAddress:
        return SerialAddress(self._end.name)

    getHost = getPeer


_Descriptor: Any = FileDescriptor
_fdesc: Any = fdesc


class PtyTransport(_Descriptor):  # type: ignore[misc]
    """The master of a pseudo-terminal. ``path`` is what the client opens; it may close and open it again."""

    def __init__(self, reactor: Any, end: LineEnd) -> None:
        super().__init__(reactor)
        self._end = end
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # transparent: no echo, no line editing, all eight bits
        _fdesc.setNonBlocking(self._master)
        self.path = os.ttyname(self._slave)
        self.connected = True
        self.startReading()

    def fileno(self) -> int:
        return self._master

    def doRead(self) -> Any:
        # Our own end of the slave stays open, or the master would be at its end as soon as a client leaves.
        return _fdesc.readFromFD(self._master, self._end.dataReceived)

    def writeSomeData(self, data: bytes) -> Any:
        try:
            return os.write(self._master, data)
        except OSError as error:
            return 0 if error.errno in (errno.EAGAIN, errno.EINTR) else main.CONNECTION_LOST

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        os.close(self._master)
        os.close(self._slave)
        self._end.connectionLost(reason)

    def getPeer(self) -> SerialAddress:
        return SerialAddress(self.path)

    getHost = getPeer
